import { z } from 'zod';
import type { Payload } from '../../xml/payload.ts';

/** What a watcher can see: the three kinds of stanzas, and lines of the log. */
export const watchedKinds = ['message', 'presence', 'iq', 'log'] as const;

/** One of these kinds. */
export type WatchedKind = (typeof watchedKinds)[number];

/** What somebody wants to watch. What fits all parts is shown. */
export const watchRequest = z.strictObject({
  /** A bare JID stands for all its resources. */
  jid: z.string().min(1).optional(),
  domain: z.string().min(1).optional(),
  /** All kinds if absent. */
  kinds: z.array(z.enum(watchedKinds)).min(1).readonly().optional(),
  /** The namespace of a direct child of a stanza. Excludes the log. */
  ns: z.string().min(1).optional(),
  /** Whether the contents of stanzas are shown. */
  bodies: z.boolean(),
});

/** A request to watch. */
export type WatchRequest = z.output<typeof watchRequest>;

/** A stanza on a stream, as far as a filter looks at it. */
interface FilteredStanza {
  readonly kind: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** The entity at the other end of the stream. */
  readonly peer: string;
  readonly payload: Pick<Payload, 'children'>;
}

/** Decides what one watcher sees. It looks at every stanza of the server, so it must be quick. */
export class WatchFilter {
  readonly #kinds: ReadonlySet<string>;
  readonly #ns: string | undefined;
  readonly #text: string | undefined;
  readonly #fits: (address: string | undefined) => boolean;

  constructor({ jid, domain, kinds = watchedKinds, ns }: Omit<WatchRequest, 'bodies'>) {
    this.#kinds = new Set<string>(kinds);
    this.#ns = ns;
    this.#text = jid ?? domain;
    this.#fits = addressFilter(jid, domain);
  }

  shows({ kind, from, to, peer, payload }: FilteredStanza): boolean {
    if (!this.#kinds.has(kind)) return false;
    if (this.#text !== undefined && !this.#fits(from) && !this.#fits(to) && !this.#fits(peer)) return false;
    return this.#ns === undefined || payload.children.some((child) => child.ns === this.#ns);
  }

  /** Whether a line of the log is shown. It must contain the address. */
  showsLine(line: string): boolean {
    if (!this.#kinds.has('log') || this.#ns !== undefined) return false;
    return this.#text === undefined || line.includes(this.#text);
  }
}

function addressFilter(jid: string | undefined, domain: string | undefined): (address: string | undefined) => boolean {
  const isJid = (address: string) => jid === undefined || address === jid || address.startsWith(`${jid}/`);
  const isInDomain = (address: string) => domain === undefined || domainOf(address) === domain;
  return (address) => address !== undefined && isJid(address) && isInDomain(address);
}

function domainOf(address: string): string {
  const slash = address.indexOf('/');
  const bare = slash < 0 ? address : address.slice(0, slash);
  return bare.slice(bare.indexOf('@') + 1);
}
