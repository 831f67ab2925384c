import { ConfigError } from '../config/config-error.ts';
import type { OperationErrorCode } from '../routing/operation-error.ts';
import { toOperationError } from '../web/control/error-status.ts';

/** Exit codes of the process. */
export const exitCodes = {
  /** Done. */
  ok: 0,
  /** Something failed, or a check found errors. */
  failed: 1,
  /** The command line or its input is invalid. */
  usage: 2,
  /** The server is not running or does not answer. */
  unreachable: 3,
  /** The configuration or a certificate is invalid. */
  configuration: 4,
  /** Something named does not exist, or already exists. */
  conflict: 5,
  /** `send`: the message was stored. Immediate delivery is 0. */
  stored: 10,
  /** `send`: the message expired before delivery. */
  expired: 11,
  /** `send`: a rule or an error stopped the message. */
  refused: 12,
  /** `send`: the outcome was still unknown when the wait ended. */
  unknown: 13,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends the command with an exit code. The message is one sentence for the operator. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Ends the command with an exit code other than 0, without a message. */
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

/** The text that the operator sees: one sentence for an expected error, the stack for an unexpected one. */
export function explanation(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ConfigError) return error.message;
  const expected = error instanceof CommandError || 'code' in error;
  return expected ? sentence(error.message) : (error.stack ?? error.message);
}

/** The message with a full stop. */
function sentence(message: string): string {
  return /[.?!]$/.test(message) ? message : `${message}.`;
}
