import type { Stanza } from '../protocol/stanza.ts';
import type { Frame } from '../xml/frame.ts';

/** A kind of streams. */
export type StreamKind = 'c2s' | 's2s' | 'component';

/** Sees the stanzas of streams. Must return quickly and never throw. */
export interface StreamObserver {
  /** A frame was read. `peer` is the entity at the other end, as far as it is known. */
  received(frame: Frame, peer: string): void;
  sent(stanza: Stanza, peer: string): void;
}

/** What all streams of one kind have carried since the start. */
export class StreamTraffic {
  readonly received = { message: 0, presence: 0, iq: 0 };
  readonly sent = { message: 0, presence: 0, iq: 0 };
  /** Bytes above TLS. Those of a live connection are added about once a second. */
  receivedBytes = 0;
  sentBytes = 0;
  /** Absent while nobody watches. */
  observer: StreamObserver | undefined;

  /** Counts a frame, unless it is another element than a stanza. */
  countReceived({ name }: Frame): void {
    if (name === 'message' || name === 'presence' || name === 'iq') this.received[name] += 1;
  }

  countSent({ kind }: Stanza): void {
    this.sent[kind] += 1;
  }
}

/** The traffic of a server, by kind of streams. */
export type Traffic = Readonly<Record<StreamKind, StreamTraffic>>;

/** No traffic yet. */
export function newTraffic(): Traffic {
  return { c2s: new StreamTraffic(), s2s: new StreamTraffic(), component: new StreamTraffic() };
}
