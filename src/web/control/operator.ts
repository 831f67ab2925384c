import type { Operation } from '../../routing/operation.ts';

/** Carries out operations that need this context, or less. */
export interface Operator<Context> {
  call<Input extends object, Result>(operation: Operation<Context, Input, Result>, input: Input): Promise<Result>;
}

/** Carries out operations in this process. */
export function operatorOf<Context>(context: Context): Operator<Context> {
  const never = new AbortController().signal;
  return { call: ({ run }, input) => run(context, input, never) };
}
