import type { Stanza } from '../../protocol/stanza.ts';
import { operatorAddress } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { StreamKind, StreamObserver, Traffic } from '../../streams/stream-traffic.ts';
import type { Clock } from '../../support/clock.ts';
import type { FollowedLog } from '../../support/log.ts';
import type { Frame } from '../../xml/frame.ts';
import { shownContent } from './shown-content.ts';
import { WatchFilter, type WatchRequest } from './watch-filter.ts';
import { type WatchedStanza, Watcher } from './watcher.ts';

/** Dependencies of `Watches`. */
interface WatchesDeps {
  readonly traffic: Traffic;
  readonly followLog: FollowedLog['follow'];
  readonly clock: Clock;
}

const maxWatchers = 8;
/** A watch that shows contents ends after a while, so that a forgotten one does not go on. */
const bodiesForMs = 15 * 60 * 1000;

/** Everybody who watches the streams and the log of this server now. While there are none, streams and log know nothing of it. */
export class Watches {
  readonly #deps: WatchesDeps;
  readonly #watchers = new Set<Watcher>();
  #unfollow: (() => void) | undefined;

  constructor(deps: WatchesDeps) {
    this.#deps = deps;
  }

  /** Begins a watch, which ends at the latest when `stopped` is aborted. Throws `invalid` if an address is not one, and `conflict` if there are too many watchers. */
  open(request: WatchRequest, stopped: AbortSignal): Watcher {
    if (this.#watchers.size >= maxWatchers) throw new OperationError('conflict', 'There are too many watchers.');
    const { clock } = this.#deps;
    const { bodies } = request;
    const deadline = bodies
      ? clock.after(bodiesForMs, () => watcher.end('contents are shown for 15 minutes'))
      : undefined;
    const stop = () => watcher.end('the server stops');
    const watcher = new Watcher(new WatchFilter(prepared(request)), bodies, clock, () => {
      deadline?.cancel();
      stopped.removeEventListener('abort', stop);
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#detach();
    });
    stopped.addEventListener('abort', stop);
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) this.#attach();
    return watcher;
  }

  #attach(): void {
    const { traffic, followLog } = this.#deps;
    for (const [via, one] of Object.entries(traffic)) one.observer = this.#observer(via as StreamKind);
    this.#unfollow = followLog((line) => {
      for (const watcher of this.#watchers) {
        if (watcher.filter.showsLine(line)) watcher.offer(() => ({ what: 'log', line: line.trimEnd() }));
      }
    });
  }

  #detach(): void {
    for (const one of Object.values(this.#deps.traffic)) one.observer = undefined;
    this.#unfollow?.();
  }

  #observer(via: StreamKind): StreamObserver {
    return {
      received: (frame, peer) => {
        if (isStanza(frame)) this.#show(seenFrame(frame, peer), 'in', via);
      },
      sent: (stanza, peer) => this.#show(seenStanza(stanza, peer), 'out', via),
    };
  }

  #show(seen: Seen, direction: 'in' | 'out', via: StreamKind): void {
    for (const watcher of this.#watchers) {
      if (watcher.filter.shows(seen)) watcher.offer(() => this.#item(seen, direction, via, watcher.bodies));
    }
  }

  #item(seen: Seen, direction: 'in' | 'out', via: StreamKind, bodies: boolean): WatchedStanza {
    const { payload, ...known } = seen;
    const at = new Date(this.#deps.clock.nowMs()).toISOString();
    const { length: bytes } = payload.bytes;
    return { what: 'stanza', at, direction, via, ...known, bytes, content: shownContent(payload, bodies) };
  }
}

type Seen = Pick<WatchedStanza, 'kind' | 'type' | 'id' | 'from' | 'to' | 'peer'> & Pick<Stanza, 'payload'>;

function isStanza({ name }: Frame): boolean {
  return name === 'message' || name === 'presence' || name === 'iq';
}

function seenFrame(frame: Frame, peer: string): Seen {
  const [type, id, from, to] = ['type', 'id', 'from', 'to'].map((name) => frame.attribute(name));
  return { kind: frame.name, type, id, from, to, peer, payload: frame.payload };
}

function seenStanza({ kind, type, id, from, to, payload }: Stanza, peer: string): Seen {
  return { kind, type, id, from: from?.toString(), to: to?.toString(), peer, payload };
}

/** The request with its addresses in the form in which stanzas have them. */
function prepared({ jid, domain, ...others }: WatchRequest): WatchRequest {
  return {
    ...others,
    ...(jid !== undefined && { jid: operatorAddress(jid).toString() }),
    ...(domain !== undefined && { domain: operatorAddress(domain).toString() }),
  };
}
