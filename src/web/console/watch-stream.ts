import type { HttpAnswer, HttpRequest } from '../../routing/http-route.ts';
import type { Clock } from '../../support/clock.ts';
import { toOperationError } from '../control/error-status.ts';
import { watch } from '../control/watch-operations.ts';
import { type WatchedKind, watchedKinds } from '../watch/watch-filter.ts';
import type { WatchItem } from '../watch/watcher.ts';
import { FormFields, type PageContext } from './page.ts';
import { consoleHeaders } from './shell.ts';

/** What ends a watch beside its browser. */
interface Lifetime {
  /** Whether the login of the person still holds. */
  readonly isOpen: () => boolean;
  readonly clock: Pick<Clock, 'after'>;
}

/** Proxies and browsers give up on a silent connection. */
const commentMs = 15_000;

/** Server-sent events with what happens on the server. Contents are always hidden. */
export async function watchAnswer(context: PageContext, request: HttpRequest, lifetime: Lifetime): Promise<HttpAnswer> {
  const query = new FormFields(request.query);
  const kinds = query.all('kind').filter((kind): kind is WatchedKind => watchedKinds.some((known) => known === kind));
  const headers = { ...consoleHeaders, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };
  try {
    const watcher = await context.call(watch, {
      jid: query.text('jid'),
      domain: query.text('domain'),
      ns: query.text('ns'),
      ...(kinds.length > 0 && { kinds }),
      bodies: false,
    });
    request.whenLost(() => void watcher.return());
    return { status: 200, headers, body: events(watcher, lifetime) };
  } catch (error) {
    const known = toOperationError(error);
    if (!known) throw error;
    // Scripts of a page do not see the content of any other answer.
    return { status: 200, headers, body: eventOf({ what: 'end', reason: known.message }) };
  }
}

function eventOf(item: WatchItem): string {
  return `data: ${JSON.stringify(item)}\n\n`;
}

/** Each item as an event, and a comment when there was none for a while. Ends with the login. */
async function* events(
  watcher: AsyncIterator<WatchItem, undefined>,
  { isOpen, clock }: Lifetime,
): AsyncGenerator<string> {
  // The browser learns at once that the watch has begun.
  yield ': watching\n\n';
  try {
    let next = watcher.next();
    for (;;) {
      const { promise: silence, resolve } = Promise.withResolvers<'silence'>();
      const timer = clock.after(commentMs, () => resolve('silence'));
      const result = await Promise.race([next, silence]);
      timer.cancel();
      // The login may have ended while nothing happened.
      if (!isOpen()) return yield eventOf({ what: 'end', reason: 'your login has ended' });
      if (result === 'silence') {
        yield ': silence\n\n';
        continue;
      }
      if (result.done) return;
      yield eventOf(result.value);
      next = watcher.next();
    }
  } finally {
    await watcher.return?.();
  }
}
