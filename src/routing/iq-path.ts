import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { iqResult } from '../protocol/stanza-replies.ts';
import type { Child } from '../xml/payload.ts';
import type { Account } from './account.ts';
import type { Carrier } from './carrier.ts';
import type { Destination } from './destination.ts';
import { type Eventually, then } from './eventually.ts';
import type { IqHandler, IqScope } from './extension.ts';
import type { OutgoingRequests } from './outgoing-requests.ts';
import { showsItself } from './presence-access.ts';
import type { Screens } from './screens.ts';
import type { Session } from './session.ts';

/** What the iq path needs from the rest of the house. */
export interface IqPathParts {
  readonly handlers: readonly IqHandler[];
  readonly findSession: (fullJid: Jid) => Session | undefined;
  /** Whether a domain is that of a service, which is the operator's as this server is. */
  readonly isService: (domain: string) => boolean;
  readonly screens: Screens;
  readonly requests: OutgoingRequests;
  readonly route: (stanza: Stanza) => Eventually<void>;
  /** Carries what is for other servers. */
  readonly remotes: Carrier;
  /** Has a stanza carried away; whatever goes wrong is answered. */
  readonly send: (carrier: Carrier, stanza: Stanza) => void;
}

/** The road of an iq: to a client, to a handler of ours, or away (RFC 6120 §8.2.3, RFC 6121 §8.5). */
export class IqPath {
  readonly #parts: IqPathParts;
  readonly #handlers = new Map<string, IqHandler>();

  constructor(parts: IqPathParts) {
    this.#parts = parts;
    for (const handler of parts.handlers) {
      for (const scope of handler.scopes)
        this.#handlers.set(keyOf(scope, handler.type, handler.ns, handler.name), handler);
    }
  }

  /** Takes an iq to its end. Throws StanzaError for the requester. */
  take(iq: Stanza, from: Jid, to: Jid, destination: Destination, session: Session | undefined): Eventually<void> {
    switch (destination.kind) {
      case 'remote':
        return this.#parts.send(this.#parts.remotes, iq);
      case 'service':
        // We ask other servers in the name of the domain that writes to them.
        if (isAnswer(iq) && to.local === '' && this.#parts.requests.settle(iq, from)) return;
        return this.#parts.send(destination.service, iq);
      case 'server':
        return this.#atServer(iq, from, to, session);
      case 'account':
        return this.#atAccount(iq, from, to, destination.account, session);
    }
  }

  #atServer(iq: Stanza, from: Jid, to: Jid, session: Session | undefined): Eventually<void> {
    if (isAnswer(iq)) return void this.#parts.requests.settle(iq, from);
    return this.#handle(iq, { from, to, scope: 'server', session, account: undefined });
  }

  #atAccount(
    iq: Stanza,
    from: Jid,
    to: Jid,
    account: Account | undefined,
    session: Session | undefined,
  ): Eventually<void> {
    const refused = account !== undefined && this.#parts.screens.refusesInbound(iq, account);
    if (!account || refused) return this.#atNobody(iq, from, to, session);
    if (!to.isBare) return this.#toSession(iq, from, to);
    if (isAnswer(iq)) return void this.#parts.requests.settle(iq, from);
    const scope = from.bare().equals(account.jid) ? 'self' : 'other';
    return this.#handle(iq, { from, to, scope, session, account });
  }

  /** Whoever is blocked gets the answers of somebody who writes to no account at all. */
  #atNobody(iq: Stanza, from: Jid, to: Jid, session: Session | undefined): Eventually<void> {
    if (isAnswer(iq)) return undefined;
    if (!to.isBare) throw StanzaError.serviceUnavailable();
    return this.#handle(iq, { from, to, scope: 'other', session, account: undefined });
  }

  /** RFC 6121 §8.5.3.1: whoever asks a resource that does not show itself to him is told what is told if there is none. */
  #toSession(iq: Stanza, from: Jid, to: Jid): void {
    const target = this.#parts.findSession(to);
    if (isAnswer(iq)) return target?.send(iq);
    if (!target || !(showsItself(target, from) || this.#parts.isService(from.domain)))
      throw StanzaError.serviceUnavailable();
    target.send(iq);
  }

  #handle(iq: Stanza, address: Address): Eventually<void> {
    const child = iq.payload.children[0];
    const handler =
      child && this.#handlers.get(keyOf(address.scope, iq.type === 'set' ? 'set' : 'get', child.ns, child.name));
    if (!handler || !child) throw StanzaError.serviceUnavailable();
    const later: (() => void)[] = [];
    const afterwards = (run: () => void) => void later.push(run);
    const answer = handler.handle({ ...address, stanza: iq, payload: iq.payload.element(child), afterwards });
    return then(answer, (payload) => {
      const sent = this.#parts.route(this.#result(iq, address, payload));
      return then(sent, () => {
        for (const run of later) run();
      });
    });
  }

  #result(iq: Stanza, { from, to }: Address, payload: Parameters<typeof iqResult>[1]): Stanza {
    return iqResult(iq, payload).with({ from: to, to: from });
  }
}

interface Address {
  readonly from: Jid;
  readonly to: Jid;
  readonly scope: IqScope;
  readonly session: Session | undefined;
  readonly account: Account | undefined;
}

function isAnswer(iq: Stanza): boolean {
  return iq.type === 'result' || iq.type === 'error';
}

function keyOf(scope: IqScope, type: 'get' | 'set', ns: Child['ns'], name: Child['name']): string {
  // A namespace may hold any character, so the parts that cannot come first.
  return `${scope} ${type} ${name} ${ns}`;
}
