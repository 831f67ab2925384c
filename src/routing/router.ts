import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { errorReply } from '../protocol/stanza-replies.ts';
import { checkStanza } from '../protocol/stanza-rules.ts';
import { StorageError } from '../storage/storage-error.ts';
import type { Log } from '../support/log.ts';
import type { Account } from './account.ts';
import type { AckScope } from './ack-scope.ts';
import { answer, withoutForgedDelays } from './client-boundary.ts';
import type { DeliveryPlan } from './delivery-plan.ts';
import type { Destination } from './destination.ts';
import type { ExtensionHooks } from './extension-hooks.ts';
import { readTrail } from './forward-trail.ts';
import type { IqPath } from './iq-path.ts';
import type { Mailboxes } from './mailboxes.ts';
import { type MaybePromise, then, useAll } from './maybe-promise.ts';
import type { MessagePath } from './message-path.ts';
import type { Passage, RouteOptions } from './passage.ts';
import type { PresencePath } from './presence-path.ts';
import type { Service } from './service.ts';
import type { Session, Watch } from './session.ts';
import type { StanzaFilters } from './stanza-filters.ts';
import { rememberWrittenTo } from './visibility.ts';

/** Dependencies of the router. */
interface RouterDeps {
  readonly hooks: Pick<ExtensionHooks, 'admissions' | 'prepares'>;
  readonly isLocalDomain: (domain: string) => boolean;
  readonly service: (domain: string) => Service | undefined;
  readonly mailboxes: Pick<Mailboxes, 'take'>;
  readonly account: (jid: Jid) => MaybePromise<Account | undefined>;
  readonly findSession: (fullJid: Jid) => Session | undefined;
  readonly filters: StanzaFilters;
  readonly messages: MessagePath;
  readonly presences: PresencePath;
  readonly iqs: IqPath;
  readonly log: Log;
}

const nobody: readonly Jid[] = [];
const noOptions: RouteOptions = {};

/**
 * Gives each stanza to the path of its kind. Every error on a path becomes an error reply here and nowhere else.
 * A returned promise means that the stanza is still waiting; the sender's next stanza must wait for it (RFC 6120 §10.1).
 */
export class Router {
  readonly #deps: RouterDeps;

  constructor(deps: RouterDeps) {
    this.#deps = deps;
  }

  /** Takes a stanza from a client of this server, stamped with its 'from'. */
  fromSession(stanza: Stanza, session: Session): MaybePromise<void> {
    const options: RouteOptions = { ackScope: session, fromClient: true };
    const take = () => {
      const fault = checkStanza(stanza);
      if (fault) throw fault;
      if (stanza.kind === 'presence') return this.#deps.presences.fromSession(stanza, session);
      const prepared = this.#prepare(stanza, session.jid, session);
      if (!prepared) return;
      this.#deps.filters.checkOutbound(prepared, session.account);
      // RFC 6120 §10.3: a stanza without 'to' is for the sender's own account.
      const to = prepared.to ?? session.account.jid;
      rememberWrittenTo(session, prepared, to);
      return this.#dispatch(prepared.to ? prepared : prepared.with({ to }), session.jid, to, options, session);
    };
    return this.#guarded(stanza, take, options, session);
  }

  /** Takes a stanza from another server, unless an extension refuses it. */
  fromServer(stanza: Stanza, ackScope: AckScope): MaybePromise<void> {
    const { from, to } = stanza;
    if (!from || !to || to.local === '' || !this.#deps.isLocalDomain(to.domain)) return this.fromPeer(stanza, ackScope);
    const take = () =>
      then(this.#deps.account(to), (account) => {
        for (const admit of this.#deps.hooks.admissions) {
          const error = admit(stanza, from, to, account);
          if (error) throw error;
        }
        return this.fromPeer(stanza, ackScope);
      });
    return this.#guarded(stanza, take, { ackScope });
  }

  /** Takes a stanza from another server or a component that may send for the domain of 'from' (RFC 6120 §8.1.2.2). */
  fromPeer(stanza: Stanza, ackScope: AckScope): MaybePromise<void> {
    const fault = checkStanza(stanza);
    if (fault) return this.refuse(stanza, fault, { ackScope });
    const { message, forwardedBy } = readTrail(stanza);
    const { to, from } = message;
    const honest = to ? message.with({ payload: withoutForgedDelays(message.payload, to) }) : message;
    const prepared = from ? this.#prepare(honest, from, undefined) : honest;
    return prepared && this.route(prepared, { ackScope, forwardedBy });
  }

  /** Routes a stanza with 'from' and 'to' that the server has made, stored or received. */
  route(stanza: Stanza, options = noOptions): MaybePromise<void> {
    const run = () => {
      const { from, to } = stanza;
      if (!from || !to) throw new Error(`a routed ${stanza.kind} needs both addresses`);
      if (options.reply) return this.#reply(stanza, to);
      return this.#dispatch(stanza, from, to, options);
    };
    return this.#guarded(stanza, run, options);
  }

  /** Routes copies of one stanza to many recipients, in order. Returns a promise if one of the copies is still waiting. */
  routeAll(copies: Iterable<Stanza>, way?: RouteOptions): MaybePromise<void> {
    return useAll(copies, (copy) => this.route(copy, way));
  }

  /** Where an address leads now. */
  resolve(to: Jid): MaybePromise<Destination> {
    const { domain } = to;
    if (this.#deps.isLocalDomain(domain)) {
      if (to.local === '') return { kind: 'server' };
      return then(this.#deps.account(to), (account): Destination => ({ kind: 'account', account }));
    }
    const service = this.#deps.service(domain);
    return service ? { kind: 'service', service } : { kind: 'remote', domain };
  }

  /** What would happen to a message without rules (XEP-0079 §2.2.2). Changes nothing. */
  plan(message: Stanza, sender: Jid, recipient: Jid): MaybePromise<{ passage: Passage; plan: DeliveryPlan }> {
    return then(this.resolve(recipient), (destination) => {
      const passage = { message, sender, recipient, destination, session: undefined, options: noOptions };
      return { passage, plan: this.#deps.messages.plan(passage) };
    });
  }

  /** Watches again over a message that was sent at `sentAtMs` and has waited for a session since before a restart. */
  recall(message: Stanza, session: Session, sentAtMs: number): Watch | undefined {
    const { from, to = session.jid } = message;
    if (message.kind !== 'message' || !from) return undefined;
    const destination: Destination = { kind: 'account', account: session.account };
    const options: RouteOptions = { again: { sentAtMs, hasCopy: true } };
    const passage = { message, sender: from, recipient: to, destination, session: undefined, options };
    return this.#deps.messages.recall(passage, session, sentAtMs);
  }

  #prepare(stanza: Stanza, sender: Jid, session: Session | undefined): Stanza | undefined {
    if (stanza.kind !== 'message') return stanza;
    let prepared: Stanza | undefined = stanza;
    for (const prepare of this.#deps.hooks.prepares) prepared &&= prepare(prepared, sender, session);
    return prepared;
  }

  /** Bypasses the paths: a filter could stop a reply, and a bare address is not the session that waits for it. */
  #reply(reply: Stanza, to: Jid): void {
    const session = this.#deps.findSession(to);
    if (session) answer(reply, session);
  }

  #dispatch(
    stanza: Stanza,
    from: Jid,
    to: Jid,
    options: RouteOptions,
    session?: Session | undefined,
  ): MaybePromise<void> {
    if (this.#deps.mailboxes.take(stanza, to)) return;
    return then(this.resolve(to), (destination) => {
      switch (stanza.kind) {
        case 'message':
          return this.#deps.messages.take({
            message: stanza,
            sender: from,
            recipient: to,
            destination,
            session,
            options,
          });
        case 'presence':
          return this.#deps.presences.take(stanza, from, to, destination);
        case 'iq':
          return this.#deps.iqs.take(stanza, from, to, destination, session);
      }
    });
  }

  #guarded(
    stanza: Stanza,
    run: () => MaybePromise<void>,
    options: RouteOptions,
    session?: Session,
  ): MaybePromise<void> {
    const refuse = (error: unknown) => this.refuse(stanza, error, options, session);
    try {
      const pending = run();
      return pending instanceof Promise ? pending.catch(refuse) : undefined;
    } catch (error) {
      return refuse(error);
    }
  }

  /** The one place where an error becomes a reply. */
  refuse(stanza: Stanza, error: unknown, options = noOptions, session?: Session): MaybePromise<void> {
    const { ackScope, forwardedBy = nobody } = options;
    // The answer comes from the address that was written to, so an account does not reveal where it forwards to. If another server has
    // forwarded the message first, only that server may answer in its name.
    const writtenTo = forwardedBy.find(({ domain }) => this.#isHosted(domain));
    const reply = errorReply(stanza, this.explain(stanza, error), { from: writtenTo });
    if (!reply) return undefined;
    if (session) return this.#answer(reply.with({ from: reply.from ?? session.account.jid, to: session.jid }), session);
    return reply.from && reply.to ? this.route(reply, { ackScope }) : undefined;
  }

  #answer(reply: Stanza, session: Session): MaybePromise<void> {
    return reply.kind === 'message' ? this.#deps.messages.answer(reply, session) : session.send(reply);
  }

  #isHosted(domain: string): boolean {
    return this.#deps.isLocalDomain(domain) || this.#deps.service(domain) !== undefined;
  }

  /** Turns any error into the one that the sender gets; logs an unexpected one. */
  explain(stanza: Stanza, error: unknown): StanzaError {
    if (error instanceof StanzaError) return error;
    if (error instanceof StorageError && error.isPassing) return StanzaError.resourceConstraint();
    const ends = { kind: stanza.kind, from: String(stanza.from), to: String(stanza.to) };
    this.#deps.log.error({ err: error, ...ends }, 'stanza failed');
    return StanzaError.internalServerError();
  }
}
