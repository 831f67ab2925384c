import { z } from 'zod';
import { Jid, JidError } from '../protocol/jid.ts';
import { OperationError } from './operation-error.ts';

/** GET for an operation that changes nothing. The input of GET and DELETE travels in the query: texts and numbers only. */
type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** What defines an operation. */
interface OperationDefinition<Context, Input, Result> {
  readonly method: Method;
  readonly path: string;
  readonly input: z.ZodType<Input>;
  /** How long the operation may take by its nature, beyond an ordinary answer; Infinity for no limit. */
  readonly durationMs?: (input: Input) => number;
  /**
   * Carries the operation out. The result must survive JSON. Every expected rejection is an `OperationError` or a `StorageError`.
   * The signal is aborted when the server stops: an operation that waits for something then answers with what it has.
   */
  readonly run: (context: Context, input: Input, stopped: AbortSignal) => Promise<Result>;
}

/** Something that an operator can ask for: both ends of the control socket are derived from it. */
export interface Operation<Context, Input, Result> extends OperationDefinition<Context, Input, Result> {
  /** The operation together with what it works on. */
  readonly bind: (context: Context) => BoundOperation;
}

/** An operation of any input and result. */
export interface BindableOperation<Context> {
  readonly method: Method;
  readonly path: string;
  readonly input: z.ZodType;
  readonly bind: (context: Context) => BoundOperation;
}

/** An operation that can be carried out. */
export interface BoundOperation {
  readonly method: Method;
  readonly path: string;
  /** Checks the input, then carries the operation out; rejects with `invalid` for an input of another shape. */
  readonly run: (input: unknown, stopped: AbortSignal) => Promise<unknown>;
}

/** Makes an operation from its definition. */
export function operation<Context, Input, Result>(
  definition: OperationDefinition<Context, Input, Result>,
): Operation<Context, Input, Result> {
  const { method, path, input: schema, run } = definition;
  const bind = (context: Context): BoundOperation => ({
    method,
    path,
    run: async (input, stopped) => {
      const parsed = schema.safeParse(input);
      if (!parsed.success) throw new OperationError('invalid', z.prettifyError(parsed.error));
      return run(context, parsed.data, stopped);
    },
  });
  return { ...definition, bind };
}

/** Reads an address that an operator has written; throws `invalid` if the text is not an address. */
export function operatorAddress(text: string): Jid {
  try {
    return Jid.parse(text);
  } catch (error) {
    if (!(error instanceof JidError)) throw error;
    throw new OperationError('invalid', `${JSON.stringify(text)} is not an address: its ${error.message}.`);
  }
}
