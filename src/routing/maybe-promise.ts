/** A value that is there now when it can be, so that the hot path never waits a turn of the loop. */
export type MaybePromise<T> = T | Promise<T>;

/** Applies `use` now if the value is here, later if it is not. */
export function then<T, R>(value: MaybePromise<T>, use: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(use) : use(value);
}
