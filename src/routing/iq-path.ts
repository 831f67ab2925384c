import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Account } from './account.ts';
import type { Destination } from './destination.ts';
import type { LocalIqEnds } from './extension.ts';
import type { IqTable } from './iq-table.ts';
import type { MaybePromise } from './maybe-promise.ts';
import type { Outbound } from './outbound.ts';
import type { OutgoingRequests } from './outgoing-requests.ts';
import type { Session } from './session.ts';
import type { StanzaFilters } from './stanza-filters.ts';
import { showsItself } from './visibility.ts';

/** Dependencies of the iq path. */
interface IqPathDeps {
  /** The handlers of the domain and the accounts. */
  readonly table: IqTable<LocalIqEnds>;
  readonly findSession: (fullJid: Jid) => Session | undefined;
  /** Whether a domain belongs to a service. The operator runs it, so it is trusted like this server. */
  readonly isService: (domain: string) => boolean;
  readonly filters: StanzaFilters;
  readonly requests: OutgoingRequests;
  /** Carries stanzas to other servers. */
  readonly remotes: Outbound;
  /** Sends a stanza through an outbound. If it fails, the sender of the stanza gets an error. */
  readonly send: (outbound: Outbound, stanza: Stanza) => void;
}

/** Routes an iq: to a client, to a handler, to a service or to another server (RFC 6120 §8.2.3, RFC 6121 §8.5). */
export class IqPath {
  readonly #deps: IqPathDeps;

  constructor(deps: IqPathDeps) {
    this.#deps = deps;
  }

  /** Handles an iq. Throws StanzaError for the requester. */
  take(iq: Stanza, from: Jid, to: Jid, destination: Destination, session: Session | undefined): MaybePromise<void> {
    switch (destination.kind) {
      case 'remote':
        return this.#deps.send(this.#deps.remotes, iq);
      case 'service':
        // The server asks other servers in the name of the domain whose stanzas they get.
        if (isAnswer(iq) && to.local === '' && this.#deps.requests.settle(iq, from)) return;
        return this.#deps.send(destination.service, iq);
      case 'server':
        return this.#atServer(iq, from, to, session);
      case 'account':
        return this.#atAccount(iq, from, to, destination.account, session);
    }
  }

  #atServer(iq: Stanza, from: Jid, to: Jid, session: Session | undefined): MaybePromise<void> {
    if (isAnswer(iq)) return void this.#deps.requests.settle(iq, from);
    return this.#deps.table.handle(iq, { from, to, scope: 'server', session, account: undefined });
  }

  #atAccount(
    iq: Stanza,
    from: Jid,
    to: Jid,
    account: Account | undefined,
    session: Session | undefined,
  ): MaybePromise<void> {
    const refused = account !== undefined && this.#deps.filters.refusesInbound(iq, account);
    if (!account || refused) return this.#atNobody(iq, from, to, session);
    if (!to.isBare) return this.#toSession(iq, from, to);
    if (isAnswer(iq)) return void this.#deps.requests.settle(iq, from);
    const scope = from.bare().equals(account.jid) ? 'self' : 'other';
    return this.#deps.table.handle(iq, { from, to, scope, session, account });
  }

  /** A requester whom the account has blocked gets the same answers as for an address without an account (XEP-0191 §3.3). */
  #atNobody(iq: Stanza, from: Jid, to: Jid, session: Session | undefined): MaybePromise<void> {
    if (isAnswer(iq)) return undefined;
    if (!to.isBare) throw StanzaError.serviceUnavailable();
    return this.#deps.table.handle(iq, { from, to, scope: 'other', session, account: undefined });
  }

  /** A requester to whom the resource does not show itself gets the answer for a resource that is not connected (RFC 6121 §8.5.3.1). */
  #toSession(iq: Stanza, from: Jid, to: Jid): void {
    const target = this.#deps.findSession(to);
    // The server may have asked in the name of the client.
    if (isAnswer(iq)) return this.#deps.requests.settle(iq, from) ? undefined : target?.send(iq);
    if (!target || !(showsItself(target, from) || this.#deps.isService(from.domain)))
      throw StanzaError.serviceUnavailable();
    target.send(iq);
  }
}

function isAnswer(iq: Stanza): boolean {
  return iq.type === 'result' || iq.type === 'error';
}
