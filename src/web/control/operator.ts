import type { Operation } from '../../routing/operation.ts';
import type { Audit } from './audit.ts';
import type { Requester } from './requester.ts';

/** Runs operations that need this context or a part of it. */
export interface Operator<Context> {
  call<Input extends object, Result>(operation: Operation<Context, Input, Result>, input: Input): Promise<Result>;
}

/** Runs operations in this process. */
export function operatorOf<Context>(context: Context): Operator<Context> {
  const never = new AbortController().signal;
  return { call: ({ run }, input) => run(context, input, never) };
}

/** Runs operations in this process, and records them. */
export function recordedOperator<Context>(context: Context, audit: Audit, requester: Requester): Operator<Context> {
  const { call } = operatorOf(context);
  return { call: (asked, input) => audit.recorded(requester, asked, input, () => call(asked, input)) };
}
