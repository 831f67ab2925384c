import { ns } from '../../protocol/namespaces.ts';
import { el } from './element.ts';
import type { Session } from './session.ts';
import { type ChatState, conversationWith } from './state.ts';

/** Dependencies of the contacts. */
interface ContactsDeps {
  readonly session: Pick<Session, 'request' | 'send'>;
  readonly state: ChatState;
  /** The state has changed. */
  readonly changed: () => void;
}

/** What a user does with contacts (RFC 6121 §2, §3). Methods reject with `RequestFailed`. */
export class Contacts {
  readonly #deps: ContactsDeps;

  constructor(deps: ContactsDeps) {
    this.#deps = deps;
  }

  /** Adds a contact, or accepts the request of one, so that both see when the other is online. */
  async add(jid: string, name?: string): Promise<void> {
    const { session, state, changed } = this.#deps;
    const asked = state.requests.delete(jid);
    await this.#put({ jid, name: name || state.contacts.get(jid)?.name });
    session.send(el(ns.client, 'presence', { type: 'subscribed', to: jid }));
    const subscription = state.contacts.get(jid)?.subscription;
    if (subscription !== 'to' && subscription !== 'both')
      session.send(el(ns.client, 'presence', { type: 'subscribe', to: jid }));
    conversationWith(state, jid);
    if (asked) changed();
  }

  /** Refuses the request of somebody. */
  refuse(jid: string): void {
    const { session, state, changed } = this.#deps;
    state.requests.delete(jid);
    session.send(el(ns.client, 'presence', { type: 'unsubscribed', to: jid }));
    changed();
  }

  /** Removes a contact; messages stay. */
  async remove(jid: string): Promise<void> {
    await this.#put({ jid, subscription: 'remove' });
  }

  async #put(item: Readonly<Record<string, string | undefined>>): Promise<void> {
    await this.#deps.session.request('set', undefined, el(ns.roster, 'query', {}, el(ns.roster, 'item', item)));
  }
}
