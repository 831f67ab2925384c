/** A part of an account that cannot be imported. */
export class LossError extends Error {
  override readonly name = 'LossError';
}
