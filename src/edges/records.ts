import type { Pause, ReadRate } from '../streams/stream-connection.ts';
import type { ChannelBinding } from '../tls/channel-binding.ts';
import type { TlsHandshake } from '../tls/tls-options.ts';

/** Commands from the core to an edge about one connection. Those before `admit` concern connections that are not admitted yet. */
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

/** Reports from an edge to the core about one connection. */
export const toCore = {
  arrived: 1,
  bytes: 2,
  secured: 3,
  /** The number of unsent bytes. */
  waiting: 4,
  flushed: 5,
  /** The last report about the connection. */
  gone: 6,
} as const;

/** A new connection at the acceptor with this number. */
interface ArrivedRecord {
  readonly acceptor: number;
  readonly remoteAddress: string;
}

/** The request for a TLS handshake on a connection. */
export interface StartTlsRecord {
  readonly start: TlsHandshake;
  readonly host?: string;
  readonly goAhead?: string;
}

/** Structured payloads, used only in rare records. */
interface Written {
  readonly arrived: ArrivedRecord;
  readonly startTls: StartTlsRecord;
  readonly readRate: ReadRate;
  readonly pause: Pause;
  readonly waiting: number;
  readonly secured: readonly ChannelBindingRecord[];
}

/** A channel binding with its data in base64. */
type ChannelBindingRecord = Pick<ChannelBinding, 'type' | 'advertised'> & { readonly base64: string };

/** Writes the payload of a record. */
export function encode<K extends keyof Written>(_kind: K, value: Written[K]): string {
  return JSON.stringify(value);
}

/** Reads a payload that `encode` wrote in the other thread. */
export function decode<K extends keyof Written>(_kind: K, payload: Buffer): Written[K] {
  return JSON.parse(payload.toString());
}

/** The channel binding for the core. */
export function channelBindingRecord({ type, advertised, data }: ChannelBinding): ChannelBindingRecord {
  return { type, advertised, base64: data().toString('base64') };
}

/** The channel binding that an edge has serialized. */
export function recordedChannelBinding({ type, advertised, base64 }: ChannelBindingRecord): ChannelBinding {
  const bytes = Buffer.from(base64, 'base64');
  return { type, advertised, data: () => bytes };
}
