import { ConfigError } from '../config/config-error.ts';
import type { OperationErrorCode } from '../routing/operation-error.ts';
import { toOperationError } from '../web/control/error-status.ts';

/** What the process ends with. */
export const exitCodes = {
  /** Done. */
  ok: 0,
  /** Something failed, or a check found errors. */
  failed: 1,
  /** The command or its input makes no sense. */
  usage: 2,
  /** The server is not running or does not answer. */
  unreachable: 3,
  /** The configuration cannot be used. */
  configuration: 4,
  /** What was named does not exist, or exists already. */
  conflict: 5,
  /** `send`: the message waits in store; delivered at once is 0. */
  stored: 10,
  /** `send`: the message has expired before anybody took it. */
  expired: 11,
  /** `send`: a rule or an error has stopped the message. */
  refused: 12,
  /** `send`: nobody said in time what has become of the message. */
  unknown: 13,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A command that ends with this exit code; the message is one sentence for the operator. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** A command that has said everything, and ends with another exit code than 0. */
export class CommandEnd extends CommandError {
  constructor(exitCode: ExitCode) {
    super(exitCode, '');
  }
}

const byOperation: Readonly<Record<OperationErrorCode, ExitCode>> = {
  invalid: exitCodes.usage,
  'not-found': exitCodes.conflict,
  conflict: exitCodes.conflict,
  configuration: exitCodes.configuration,
  'not-running': exitCodes.unreachable,
  failed: exitCodes.failed,
};

/** The exit code of an error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof ConfigError) return exitCodes.configuration;
  const operation = toOperationError(error);
  return operation === undefined ? exitCodes.failed : byOperation[operation.code];
}

/** What the operator is told of an error: its message, or the whole stack of what should never have been thrown. */
export function explanation(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = error instanceof CommandError || error instanceof ConfigError || 'code' in error;
  return expected ? error.message : (error.stack ?? error.message);
}
