import type { Operation } from '../../routing/operation.ts';

/** Runs operations that need this context or a part of it. */
export interface Operator<Context> {
  call<Input extends object, Result>(operation: Operation<Context, Input, Result>, input: Input): Promise<Result>;
}

/** Runs operations in this process. */
export function operatorOf<Context>(context: Context): Operator<Context> {
  const never = new AbortController().signal;
  return { call: ({ run }, input) => run(context, input, never) };
}
