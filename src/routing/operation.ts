import type { z } from 'zod';
import { Jid, JidError } from '../protocol/jid.ts';
import { OperationError } from './operation-error.ts';

/** GET is for operations that change nothing. The input of GET and DELETE is in the query, so it can hold only texts and numbers. */
export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** The definition of an operation. */
interface OperationDefinition<Context, Input, Result> {
  readonly method: Method;
  readonly path: string;
  readonly input: z.ZodType<Input>;
  /** Whether the audit log records it; by default, if it changes something. */
  readonly recorded?: boolean;
  /** The address or name that it is about, for the audit log; by default, the JID in the input. */
  readonly subject?: (input: Input) => string;
  /** What the audit log says of a result; by default `done`. */
  readonly outcome?: (result: Result) => string;
  /**
   * Runs the operation. The result must survive JSON. Every expected rejection is an `OperationError` or a `StorageError`.
   * The signal is aborted when the server stops: an operation that waits then returns what it has.
   */
  readonly run: (context: Context, input: Input, stopped: AbortSignal) => Promise<Result>;
}

/** Something that an operator can ask for. Both ends of the control socket are derived from it. */
export interface Operation<Context, Input, Result>
  extends Omit<OperationDefinition<Context, Input, Result>, keyof AuditedOperation | 'outcome'>,
    AuditedOperation {
  /** Joins the operation and its context. */
  readonly bind: (context: Context) => BoundOperation;
}

/** The name of an operation, for a caller that leaves the work to the server, and the way to load it for one that does it itself. */
export interface LazyOperation<Context, Input, Result> {
  readonly method: Method;
  readonly path: string;
  readonly load: () => Promise<Operation<Context, Input, Result>>;
}

/** An operation with any input and result. */
export interface BindableOperation<Context> {
  readonly method: Method;
  readonly path: string;
  readonly input: z.ZodType;
  readonly bind: (context: Context) => BoundOperation;
}

/** What the audit log knows of an operation. */
export interface AuditedOperation {
  readonly method: Method;
  readonly path: string;
  /** Whether it is recorded. */
  readonly recorded: boolean;
  /** The subject of an input, which may have any shape. */
  readonly subjectOf: (input: unknown) => string | undefined;
  /** What is recorded of a result of the operation. */
  readonly outcomeOf: (result: unknown) => string;
}

/** An operation that can run. */
export interface BoundOperation extends AuditedOperation {
  /** Checks the input and runs the operation. Rejects with `invalid` if the input has another shape. */
  readonly run: (input: unknown, stopped: AbortSignal) => Promise<unknown>;
}

/** Makes an operation from its definition. */
export function operation<Context, Input, Result>(
  definition: OperationDefinition<Context, Input, Result>,
): Operation<Context, Input, Result> {
  const { method, path, input: schema, run, recorded = method !== 'GET' } = definition;
  const subjectOf = (input: unknown) => {
    const { success, data } = definition.subject ? schema.safeParse(input) : {};
    return success && data !== undefined ? definition.subject?.(data) : jidIn(input);
  };
  // The log gives it what the operation has returned.
  const outcomeOf = (result: unknown) => definition.outcome?.(result as Result) ?? 'done';
  const audited = { method, path, recorded, subjectOf, outcomeOf };
  const bind = (context: Context): BoundOperation => ({
    ...audited,
    run: async (input, stopped) => {
      const parsed = schema.safeParse(input);
      if (!parsed.success) throw new OperationError('invalid', `The request is invalid: ${issuesText(parsed.error)}.`);
      return run(context, parsed.data, stopped);
    },
  });
  return { ...definition, ...audited, bind };
}

function jidIn(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null || !('jid' in input)) return undefined;
  return String(input.jid);
}

/** The issues of an input, on one line. */
function issuesText({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': ')).join('; ');
}

/** Parses an address that an operator has written. Throws `invalid` if the text is not an address. */
export function operatorAddress(text: string): Jid {
  try {
    return Jid.parse(text);
  } catch (error) {
    if (!(error instanceof JidError)) throw error;
    throw new OperationError('invalid', `${JSON.stringify(text)} is not an address: its ${error.message}.`);
  }
}
