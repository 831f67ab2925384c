import type { Pause, ReadRate } from '../streams/stream-connection.ts';
import type { ChannelBinding } from '../tls/channel-binding.ts';
import type { TlsHandshake } from '../tls/tls-options.ts';

/** What the core tells an edge about one of its connections; what comes before `admit` is about somebody who waits to be let in. */
export const toEdge = {
  admit: 1,
  bytes: 2,
  startTls: 3,
  pause: 4,
  resume: 5,
  readRate: 6,
  awaitFlush: 7,
  end: 8,
  destroy: 9,
} as const;

/** What an edge tells the core about one of its connections. */
export const toCore = {
  arrived: 1,
  bytes: 2,
  secured: 3,
  /** How much waits to leave. */
  waiting: 4,
  flushed: 5,
  /** The last that is heard of it. */
  gone: 6,
} as const;

/** Somebody has connected to the acceptor with this number. */
interface ArrivedRecord {
  readonly acceptor: number;
  readonly remoteAddress: string;
}

/** TLS is to be put on a connection. */
export interface StartTlsRecord {
  readonly start: TlsHandshake;
  readonly host?: string;
  readonly goAhead?: string;
}

/** A payload with structure; none of them is in the way of every stanza. */
interface Written {
  readonly arrived: ArrivedRecord;
  readonly startTls: StartTlsRecord;
  readonly readRate: ReadRate;
  readonly pause: Pause;
  readonly waiting: number;
  readonly secured: readonly ChannelBindingRecord[];
}

/** A channel binding, its data in base64. */
type ChannelBindingRecord = Pick<ChannelBinding, 'type' | 'advertised'> & { readonly base64: string };

/** Writes the payload of a record. */
export function encode<K extends keyof Written>(_kind: K, value: Written[K]): string {
  return JSON.stringify(value);
}

/** Reads what `encode` has written in the other thread of the same program. */
export function decode<K extends keyof Written>(_kind: K, payload: Buffer): Written[K] {
  return JSON.parse(payload.toString());
}

/** A channel binding as the core gets it. */
export function channelBindingRecord({ type, advertised, data }: ChannelBinding): ChannelBindingRecord {
  return { type, advertised, base64: data().toString('base64') };
}

/** The channel binding that an edge has written down. */
export function recordedChannelBinding({ type, advertised, base64 }: ChannelBindingRecord): ChannelBinding {
  const bytes = Buffer.from(base64, 'base64');
  return { type, advertised, data: () => bytes };
}
