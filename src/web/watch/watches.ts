import type { Stanza } from '../../protocol/stanza.ts';
import { operatorAddress } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { StreamKind, StreamObserver, Traffic } from '../../streams/stream-traffic.ts';
import type { Clock } from '../../support/clock.ts';
import type { FollowedLog } from '../../support/log.ts';
import type { Frame } from '../../xml/frame.ts';
import type { Payload } from '../../xml/payload.ts';
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
        if (isStanza(frame)) this.#show(new SeenFrame(frame, peer), 'in', via);
      },
      sent: (stanza, peer) => this.#show(new SeenStanza(stanza, peer), 'out', via),
    };
  }

  #show(seen: SeenFrame | SeenStanza, direction: 'in' | 'out', via: StreamKind): void {
    for (const watcher of this.#watchers) {
      if (watcher.filter.shows(seen)) watcher.offer(() => this.#item(seen, direction, via, watcher.bodies));
    }
  }

  #item(
    { kind, type, id, from, to, peer, payload }: SeenFrame | SeenStanza,
    direction: 'in' | 'out',
    via: StreamKind,
    bodies: boolean,
  ): WatchedStanza {
    const at = new Date(this.#deps.clock.nowMs()).toISOString();
    const { length: bytes } = payload.bytes;
    const content = shownContent(payload, bodies);
    return { what: 'stanza', at, direction, via, kind, type, id, from, to, peer, bytes, content };
  }
}

function isStanza({ name }: Frame): boolean {
  return name === 'message' || name === 'presence' || name === 'iq';
}

/** A stanza that was read. Most watchers want few stanzas, so nothing is looked up before a filter asks for it. */
class SeenFrame {
  readonly peer: string;
  readonly #frame: Frame;

  constructor(frame: Frame, peer: string) {
    this.#frame = frame;
    this.peer = peer;
  }

  get kind(): string {
    return this.#frame.name;
  }

  get type(): string | undefined {
    return this.#frame.attribute('type');
  }

  get id(): string | undefined {
    return this.#frame.attribute('id');
  }

  get from(): string | undefined {
    return this.#frame.attribute('from');
  }

  get to(): string | undefined {
    return this.#frame.attribute('to');
  }

  get payload(): Payload {
    return this.#frame.payload;
  }
}

/** A stanza that was written. */
class SeenStanza {
  readonly peer: string;
  readonly #stanza: Stanza;

  constructor(stanza: Stanza, peer: string) {
    this.#stanza = stanza;
    this.peer = peer;
  }

  get kind(): string {
    return this.#stanza.kind;
  }

  get type(): string | undefined {
    return this.#stanza.type;
  }

  get id(): string | undefined {
    return this.#stanza.id;
  }

  get from(): string | undefined {
    return this.#stanza.from?.toString();
  }

  get to(): string | undefined {
    return this.#stanza.to?.toString();
  }

  get payload(): Payload {
    return this.#stanza.payload;
  }
}

/** The request with its addresses in the form in which stanzas have them. */
function prepared({ jid, domain, ...others }: WatchRequest): WatchRequest {
  return {
    ...others,
    ...(jid !== undefined && { jid: operatorAddress(jid).toString() }),
    ...(domain !== undefined && { domain: operatorAddress(domain).toString() }),
  };
}
