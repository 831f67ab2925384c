import { ns } from '../../protocol/namespaces.ts';
import { childOf, textOf, type XmlElement } from './element.ts';
import { conditionOf } from './stream.ts';

/** What conditions mean, where the server has not said it in words. */
const words: ReadonlyMap<string, string> = new Map([
  ['forbidden', 'You may not do this.'],
  ['item-not-found', 'The server does not find this.'],
  ['jid-malformed', 'This is not an address.'],
  ['not-acceptable', 'The server does not accept this.'],
  ['not-allowed', 'You may not do this.'],
  ['policy-violation', 'The server does not allow this now. Try again later.'],
  ['recipient-unavailable', 'The connection was lost. Try again.'],
  ['remote-server-not-found', 'There is no such server.'],
  ['remote-server-timeout', 'The other server does not answer.'],
  ['resource-constraint', 'The server has no room for this now. Try again later.'],
  ['service-unavailable', 'The server does not offer this.'],
]);

/** A refused request. */
export class RequestFailed extends Error {
  readonly condition: string;
  readonly text: string | undefined;

  constructor(condition: string, text?: string) {
    super(text ?? words.get(condition) ?? `The server refuses this: ${condition}.`);
    this.name = 'RequestFailed';
    this.condition = condition;
    this.text = text;
  }
}

/** The failure that an answer of type error tells of. */
export function failureOf(answer: XmlElement): RequestFailed {
  const error = childOf(answer, 'error', ns.client);
  const text = textOf(childOf(error, 'text', ns.stanzaErrors));
  return new RequestFailed(
    conditionOf(error, ns.stanzaErrors) ?? 'undefined-condition',
    text === '' ? undefined : text,
  );
}

/** The requests of the user that have no answer yet. */
export class OwnRequests {
  readonly #pending = new Map<string, PromiseWithResolvers<XmlElement>>();

  /** Resolves with the answer to the request with this id. Rejects with `RequestFailed`. */
  answer(id: string): Promise<XmlElement> {
    const answer = Promise.withResolvers<XmlElement>();
    this.#pending.set(id, answer);
    return answer.promise;
  }

  /** Takes an answer. Returns whether the stanza was one. */
  take(stanza: XmlElement): boolean {
    const { name, attributes } = stanza;
    const { id = '', type } = attributes;
    const pending = this.#pending.get(id);
    if (name !== 'iq' || (type !== 'result' && type !== 'error') || !pending) return false;
    this.#pending.delete(id);
    if (type === 'result') pending.resolve(stanza);
    else pending.reject(failureOf(stanza));
    return true;
  }

  /** The session has ended, and with it all requests. */
  fail(): void {
    for (const { reject } of this.#pending.values()) reject(new RequestFailed('recipient-unavailable'));
    this.#pending.clear();
  }
}
