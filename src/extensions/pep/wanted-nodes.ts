import { type Caps, provenTexts, readCaps } from '../../protocol/caps.ts';
import { type Capabilities, readDiscoInfo } from '../../protocol/disco.ts';
import { flatCopy, InternCache } from '../../protocol/intern-cache.ts';
import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { MaybePromise } from '../../routing/maybe-promise.ts';
import type { OutgoingRequests } from '../../routing/outgoing-requests.ts';
import type { PepStore } from '../../storage/pep.ts';
import type { Log } from '../../support/log.ts';
import { xml } from '../../xml/element.ts';

/** The names of the nodes that a resource wants notifications of. */
export type WantedSet = ReadonlySet<string>;

/** Dependencies of the knowledge of what is wanted. */
interface WantedNodesDeps {
  readonly requests: Pick<OutgoingRequests, 'ask'>;
  readonly route: (stanza: Stanza) => MaybePromise<void>;
  readonly store: Pick<PepStore, 'wantedNodes' | 'rememberWantedNodes'>;
  readonly log: Log;
}

/** A resource whose capabilities are to be known, and the account in whose name it is asked. */
interface Asked {
  readonly caps: Caps;
  readonly jid: Jid;
  readonly asker: Jid;
}

/** What a resource without interest wants. */
export const nothingWanted: WantedSet = new Set();
const suffix = '+notify';
const answerMs = 30_000;
/** Capabilities that are kept in memory. */
const maxKnown = 4096;
/** Resources that are being asked. */
const maxAsked = 2000;
/** Nodes that one client may want. */
const maxWanted = 256;
const longestKey = 4096;

/**
 * Finds out which nodes a resource wants notifications of (XEP-0060 §9.2): it asks disco#info once for each hash of capabilities
 * (XEP-0115). Answers that the hash proves are kept on the disk and hold for everybody with this hash; others hold for the resource
 * that gave them.
 */
export class WantedNodes {
  readonly #deps: WantedNodesDeps;
  readonly #proven = new InternCache<WantedSet>(maxKnown, longestKey);
  readonly #claimed = new InternCache<WantedSet>(maxKnown, longestKey);
  readonly #asked = new Map<string, Promise<WantedSet>>();
  /** Hashes that somebody is being asked about; they resolve with nothing if the answer proves nothing. */
  readonly #proving = new Map<string, Promise<WantedSet | undefined>>();
  readonly #capsOf = new WeakMap<Stanza, Caps | 'none'>();

  constructor(deps: WantedNodesDeps) {
    this.#deps = deps;
  }

  /** The capabilities in a presence; it is read once. */
  capsOf(presence: Stanza): Caps | undefined {
    const known = this.#capsOf.get(presence);
    if (known !== undefined) return known === 'none' ? undefined : known;
    const caps = readCaps(presence.payload);
    this.#capsOf.set(presence, caps ?? 'none');
    return caps;
  }

  /** What a resource wants. Callers that wait for the same resource continue in the order of their calls. */
  of(caps: Caps | undefined, jid: Jid, asker: Jid): MaybePromise<WantedSet> {
    if (!caps) return nothingWanted;
    const claim = `${keyOf(caps)} ${jid}`;
    const asked = this.#asked.get(claim);
    if (asked) return asked;
    const known = this.#proven.get(keyOf(caps)) ?? this.#claimed.get(claim);
    if (known) return known;
    if (this.#asked.size >= maxAsked) return nothingWanted;
    const resolved = this.#findOut({ caps, jid, asker }).then((wanted) => {
      this.#asked.delete(claim);
      return wanted;
    });
    this.#asked.set(claim, resolved);
    return resolved;
  }

  /** If a resource with the same hash is being asked, its answer may be enough. */
  async #findOut(asked: Asked): Promise<WantedSet> {
    const key = keyOf(asked.caps);
    for (let other = this.#proving.get(key); other; other = this.#proving.get(key)) {
      const proven = await other;
      if (proven) return proven;
    }
    const answer = this.#storedOrAsked(key, asked);
    const proving = answer.then(({ wanted, isProven }) => {
      this.#proving.delete(key);
      if (isProven) this.#proven.set(flatCopy(key), wanted);
      else this.#claimed.set(flatCopy(`${key} ${asked.jid}`), wanted);
      return isProven ? wanted : undefined;
    });
    this.#proving.set(key, proving);
    await proving;
    return (await answer).wanted;
  }

  async #storedOrAsked(key: string, asked: Asked): Promise<{ wanted: WantedSet; isProven: boolean }> {
    const stored = await this.#deps.store.wantedNodes(key).catch((error: unknown) => this.#failed(error));
    if (stored) return { wanted: new Set(stored), isProven: true };
    const capabilities = await this.#ask(asked);
    const proven = capabilities && provenTexts(asked.caps, capabilities);
    const wanted = wantedAmong(proven ?? capabilities?.features ?? []);
    if (proven) void this.#deps.store.rememberWantedNodes(key, [...wanted]).catch((error) => this.#failed(error));
    return { wanted, isProven: proven !== undefined };
  }

  /** Nothing if there is no answer that can be read. */
  async #ask({ caps, jid, asker }: Asked): Promise<Capabilities | undefined> {
    const query = xml('query', { xmlns: ns.discoInfo, node: `${caps.node}#${caps.ver}` });
    const { requests, route } = this.#deps;
    const answer = await requests.ask(asker, jid, query, answerMs, (request) => void route(request));
    const child = answer?.type === 'result' ? answer.payload.find('query', ns.discoInfo) : undefined;
    if (!answer || !child) return undefined;
    try {
      return readDiscoInfo(answer.payload.element(child));
    } catch (error) {
      if (error instanceof StanzaError) return undefined;
      throw error;
    }
  }

  #failed(error: unknown): undefined {
    this.#deps.log.error({ err: error }, 'the capabilities of a client could not be read or stored');
  }
}

function keyOf({ hash = '', ver }: Caps): string {
  return `${hash} ${ver}`;
}

function wantedAmong(texts: Iterable<string>): WantedSet {
  const wanted = new Set<string>();
  for (const text of texts) {
    if (wanted.size < maxWanted && text.endsWith(suffix)) wanted.add(text.slice(0, -suffix.length));
  }
  return wanted;
}
