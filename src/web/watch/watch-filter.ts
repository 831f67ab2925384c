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

  shows(stanza: FilteredStanza): boolean {
    if (!this.#kinds.has(stanza.kind)) return false;
    if (this.#text !== undefined && !this.#concerns(stanza)) return false;
    return this.#ns === undefined || hasChildIn(stanza.payload, this.#ns);
  }

  /** Whether a line of the log is shown. It must contain the address. */
  showsLine(line: string): boolean {
    if (!this.#kinds.has('log') || this.#ns !== undefined) return false;
    return this.#text === undefined || line.includes(this.#text);
  }

  #concerns({ peer, to, from }: FilteredStanza): boolean {
    return this.#fits(peer) || this.#fits(to) || this.#fits(from);
  }
}

function hasChildIn({ children }: FilteredStanza['payload'], ns: string): boolean {
  for (const child of children) if (child.ns === ns) return true;
  return false;
}

function addressFilter(jid: string | undefined, domain: string | undefined): (address: string | undefined) => boolean {
  const isJid = (address: string, wanted: string) =>
    address.startsWith(wanted) && (address.length === wanted.length || address[wanted.length] === '/');
  // Most addresses do not contain the domain at all, which is found out faster than where theirs is.
  const isIn = (address: string, wanted: string) => address.includes(wanted) && hasDomain(address, wanted);
  return (address) =>
    address !== undefined &&
    (jid === undefined || isJid(address, jid)) &&
    (domain === undefined || isIn(address, domain));
}

/** Whether this is the domain of an address. Makes no text, because it is asked for every stanza. */
function hasDomain(address: string, domain: string): boolean {
  const slash = address.indexOf('/');
  const end = slash < 0 ? address.length : slash;
  const at = address.indexOf('@');
  const start = at < end ? at + 1 : 0;
  return end - start === domain.length && address.startsWith(domain, start);
}
