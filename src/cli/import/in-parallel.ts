/** Works on up to `limit` items at a time and gives the results in the order of the items. */
export async function* inParallel<Item, Result>(
  items: AsyncIterable<Item>,
  limit: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const started: Promise<Result>[] = [];
  for await (const item of items) {
    const result = work(item);
    // The result is awaited later. Without this, an early rejection would count as unhandled.
    result.catch(() => undefined);
    started.push(result);
    const first = started.length >= limit ? started.shift() : undefined;
    if (first) yield await first;
  }
  for (const result of started) yield await result;
}
