import { withoutDelaysOf } from '../protocol/delay.ts';
import type { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { errorReply } from '../protocol/stanza-replies.ts';
import { checkStanza } from '../protocol/stanza-rules.ts';
import { StorageError } from '../storage/storage-error.ts';
import type { Log } from '../support/log.ts';
import type { Account } from './account.ts';
import type { AckScope, RouteOptions } from './ack-scope.ts';
import { answer } from './answer.ts';
import type { DeliveryPlan } from './delivery-plan.ts';
import type { Destination } from './destination.ts';
import type { Passage } from './extension.ts';
import { readTrail } from './forward-trail.ts';
import type { IqPath } from './iq-path.ts';
import type { Mailboxes } from './mailboxes.ts';
import { type MaybePromise, then } from './maybe-promise.ts';
import type { MessagePath } from './message-path.ts';
import type { PresencePath } from './presence-path.ts';
import type { Service } from './service.ts';
import type { Session, Watch } from './session.ts';
import type { StanzaFilters } from './stanza-filters.ts';
import { rememberWrittenTo } from './visibility.ts';

/** Dependencies of the router. */
interface RouterDeps {
  readonly isLocalDomain: (domain: string) => boolean;
  readonly service: (domain: string) => Service | undefined;
  readonly mailboxes: Pick<Mailboxes, 'take'>;
  readonly account: (jid: Jid) => MaybePromise<Account | undefined>;
  readonly filters: StanzaFilters;
  readonly messages: MessagePath;
  readonly presences: PresencePath;
  readonly iqs: IqPath;
  readonly log: Log;
}

const nobody: readonly Jid[] = [];

/**
 * Classifies stanzas and sends each down its path. Whatever goes wrong on a path becomes an error reply here and nowhere else.
 * A promise means: not yet on its way; the sender's next stanza must wait for it (RFC 6120 §10.1).
 */
export class Router {
  readonly #deps: RouterDeps;

  constructor(deps: RouterDeps) {
    this.#deps = deps;
  }

  /** A stanza from one of our clients, already stamped with its 'from'. */
  fromSession(stanza: Stanza, session: Session): MaybePromise<void> {
    const take = () => {
      const fault = checkStanza(stanza);
      if (fault) throw fault;
      if (stanza.kind === 'presence') return this.#deps.presences.fromSession(stanza, session);
      this.#deps.filters.checkOutbound(stanza, session.account);
      // RFC 6120 §10.3: without a 'to' it is for the sender's own account.
      const to = stanza.to ?? session.account.jid;
      rememberWrittenTo(session, stanza, to);
      return this.#dispatch(stanza.to ? stanza : stanza.with({ to }), session.jid, to, session);
    };
    return this.#guarded(stanza, take, session);
  }

  /** A stanza from another server or a component, which is known to speak for the domain of its 'from' (RFC 6120 §8.1.2.2). */
  fromPeer(stanza: Stanza, origin: AckScope): MaybePromise<void> {
    const fault = checkStanza(stanza);
    if (fault) return this.refuse(stanza, fault, { origin });
    const { message, forwardedBy } = readTrail(stanza);
    const { payload, to } = message;
    // Only we may say when a stanza reached us (XEP-0203 §5).
    const honest =
      to && payload.has('delay', ns.delay) ? message.with({ payload: withoutDelaysOf(payload, to.domain) }) : message;
    return this.route(honest, { origin, forwardedBy });
  }

  /** A stanza with 'from' and 'to' that the server itself puts on the road: made here, stored, or bounced. */
  route(stanza: Stanza, way: RouteOptions = {}): MaybePromise<void> {
    const run = () => {
      const { from, to } = stanza;
      if (!from || !to) throw new Error(`a routed ${stanza.kind} needs both addresses`);
      return this.#dispatch(stanza, from, to, undefined, way);
    };
    return this.#guarded(stanza, run, undefined, way);
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

  /** What would happen to a message by default; nothing does (XEP-0079 §2.2.2). */
  plan(message: Stanza, sender: Jid, recipient: Jid): MaybePromise<{ passage: Passage; plan: DeliveryPlan }> {
    return then(this.resolve(recipient), (destination) => {
      const passage = {
        message,
        sender,
        recipient,
        destination,
        session: undefined,
        origin: undefined,
        forwardedBy: nobody,
        byOperator: false,
      };
      return { passage, plan: this.#deps.messages.plan(passage) };
    });
  }

  /** Watches again over a message that came at some time and waits for a session since before a restart. */
  recall(message: Stanza, session: Session, sentAtMs: number): Watch | undefined {
    const { from, to = session.jid } = message;
    if (message.kind !== 'message' || !from) return undefined;
    const destination: Destination = { kind: 'account', account: session.account };
    const ends = { message, sender: from, recipient: to, destination };
    const passage = { ...ends, session: undefined, origin: undefined, forwardedBy: nobody, byOperator: false };
    return this.#deps.messages.recall(passage, session, sentAtMs);
  }

  #isHosted(domain: string): boolean {
    return this.#deps.isLocalDomain(domain) || this.#deps.service(domain) !== undefined;
  }

  #dispatch(
    stanza: Stanza,
    from: Jid,
    to: Jid,
    session: Session | undefined,
    way: RouteOptions = { origin: session },
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
            origin: way.origin,
            forwardedBy: way.forwardedBy ?? nobody,
            byOperator: way.byOperator ?? false,
          });
        case 'presence':
          return this.#deps.presences.take(stanza, from, to, destination);
        case 'iq':
          return this.#deps.iqs.take(stanza, from, to, destination, session);
      }
    });
  }

  #guarded(stanza: Stanza, run: () => MaybePromise<void>, session?: Session, way?: RouteOptions): MaybePromise<void> {
    const refuse = (error: unknown) => this.refuse(stanza, error, way, session);
    try {
      const pending = run();
      return pending instanceof Promise ? pending.catch(refuse) : undefined;
    } catch (error) {
      return refuse(error);
    }
  }

  /** The one place where an error on the road becomes a reply. */
  refuse(
    stanza: Stanza,
    error: unknown,
    { origin, forwardedBy = nobody }: RouteOptions = {},
    session?: Session,
  ): MaybePromise<void> {
    // Whoever forwards does not give away where to: the answer comes from the address that was written to. Those of other servers have
    // forwarded it before it came here, and only they may answer in their names.
    const writtenTo = forwardedBy.find(({ domain }) => this.#isHosted(domain));
    const reply = errorReply(stanza, this.explain(stanza, error), { from: writtenTo });
    if (!reply) return undefined;
    // Straight back to our client: on the road its own screens could stop the answer, and a bare address would lose it.
    if (session) return answer(reply.with({ from: reply.from ?? session.account.jid, to: session.jid }), session);
    return reply.from && reply.to ? this.route(reply, { origin }) : undefined;
  }

  /** What the sender of a stanza is told of an error; one that nobody has foreseen is the operator's concern. */
  explain(stanza: Stanza, error: unknown): StanzaError {
    if (error instanceof StanzaError) return error;
    if (error instanceof StorageError && error.isPassing) return StanzaError.resourceConstraint();
    this.#deps.log.error(
      { err: error, kind: stanza.kind, from: String(stanza.from), to: String(stanza.to) },
      'stanza failed',
    );
    return StanzaError.internalServerError();
  }
}
