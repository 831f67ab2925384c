import { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { OutgoingRequests } from '../routing/outgoing-requests.ts';
import type { Clock } from '../support/clock.ts';
import { attribute, childElements, type Element, xml } from '../xml/element.ts';
import type { DomainPair } from './domain-pairs.ts';

/** How long an answer is cached, and how long a missing answer. */
const answerHoldsMs = 3600 * 1000;
const silenceHoldsMs = 60 * 1000;
const answerTimeoutMs = 10_000;
const maxDomains = 1000;
/** Characters of feature names kept per domain, more than any server has. The rest is ignored. */
const maxCharacters = 16_384;

interface Known {
  readonly features: Promise<ReadonlySet<string>>;
  untilMs: number;
}

/** The features that other servers announce (XEP-0030 §3), cached for a while. */
export class KnownFeatures {
  readonly #requests: Pick<OutgoingRequests, 'ask'>;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #byDomain = new Map<string, Known>();

  constructor(requests: Pick<OutgoingRequests, 'ask'>, clock: Pick<Clock, 'monotonicMs'>) {
    this.#requests = requests;
    this.#clock = clock;
  }

  /** Asks with `send` unless the answer is cached. Rejects if the server does not answer. */
  of(pair: DomainPair, send: (request: Stanza) => void): Promise<ReadonlySet<string>> {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#byDomain.get(pair.remote);
    if (known && known.untilMs > nowMs) return known.features;
    const asked: Known = { features: this.#ask(pair, send), untilMs: nowMs + answerHoldsMs };
    this.#remember(pair.remote, asked);
    asked.features.catch(() => {
      asked.untilMs = this.#clock.monotonicMs() + silenceHoldsMs;
    });
    return asked.features;
  }

  /** Drops the oldest entry if the cache is full. */
  #remember(domain: string, known: Known): void {
    this.#byDomain.delete(domain);
    this.#byDomain.set(domain, known);
    const [oldest] = this.#byDomain.keys();
    if (this.#byDomain.size > maxDomains && oldest !== undefined) this.#byDomain.delete(oldest);
  }

  async #ask({ local, remote }: DomainPair, send: (request: Stanza) => void): Promise<ReadonlySet<string>> {
    const query = xml('query', { xmlns: ns.discoInfo });
    const answer = await this.#requests.ask(Jid.from('', local), Jid.from('', remote), query, answerTimeoutMs, send);
    const child = answer?.type === 'result' ? answer.payload.find('query', ns.discoInfo) : undefined;
    if (!answer || !child)
      throw StanzaError.remoteServerTimeout(`${remote} did not answer a service discovery request`);
    return namesIn(answer.payload.element(child));
  }
}

function namesIn(query: Element): ReadonlySet<string> {
  const names = new Set<string>();
  let left = maxCharacters;
  for (const child of childElements(query)) {
    const name = child.getName() === 'feature' ? attribute(child, 'var') : undefined;
    if (name === undefined) continue;
    left -= name.length;
    if (left < 0) break;
    names.add(name);
  }
  return names;
}
