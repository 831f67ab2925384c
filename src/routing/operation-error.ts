/** Why an operation failed. `invalid`: the input is wrong. `conflict`: the subject already exists, or is in use. */
export type OperationErrorCode = 'invalid' | 'not-found' | 'conflict' | 'configuration' | 'not-running' | 'failed';

/** The failure of an operation. The message is one sentence for the operator. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly code: OperationErrorCode;

  constructor(code: OperationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
