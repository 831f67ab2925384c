import type { LazyOperation, Operation } from '../../routing/operation.ts';
import type { Audit } from './audit.ts';
import type { Requester } from './requester.ts';

/** Runs operations that need this context or a part of it. */
export interface Operator<Context> {
  call<Input extends object, Result>(operation: Callable<Context, Input, Result>, input: Input): Promise<Result>;
}

/** An operation, or its name. */
export type Callable<Context, Input, Result> =
  | Operation<Context, Input, Result>
  | LazyOperation<Context, Input, Result>;

/** Runs operations in this process. */
export function operatorOf<Context>(context: Context): Operator<Context> {
  const never = new AbortController().signal;
  return { call: async (asked, input) => (await loaded(asked)).run(context, input, never) };
}

/** Runs operations in this process, and records them. */
export function recordedOperator<Context>(context: Context, audit: Audit, requester: Requester): Operator<Context> {
  const { call } = operatorOf(context);
  return {
    call: async (asked, input) => {
      const operation = await loaded(asked);
      return audit.recorded(requester, operation, input, () => call(operation, input));
    },
  };
}

async function loaded<Context, Input, Result>(
  asked: Callable<Context, Input, Result>,
): Promise<Operation<Context, Input, Result>> {
  return 'load' in asked ? asked.load() : asked;
}
