/** Why an operation was not carried out. `invalid`: the request makes no sense. `conflict`: its subject exists already, or is in use. */
export type OperationErrorCode = 'invalid' | 'not-found' | 'conflict' | 'configuration' | 'not-running' | 'failed';

/** An operation that was not carried out; the message is one sentence for the operator. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly code: OperationErrorCode;

  constructor(code: OperationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
