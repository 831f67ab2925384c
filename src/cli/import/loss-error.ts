/** Something in a file that cannot be taken over. */
export class LossError extends Error {
  override readonly name = 'LossError';
}
