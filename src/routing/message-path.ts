import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { StorageError } from '../storage/storage-error.ts';
import type { Account } from './account.ts';
import { type AckScope, PendingWork } from './ack-scope.ts';
import { type DeliveryPlan, isToOccupant, planLocal, planService } from './delivery-plan.ts';
import type { Hearing, Oversight, Recorded, Ruling } from './extension.ts';
import type { ExtensionHooks } from './extension-hooks.ts';
import { forwardedAbroad } from './forward-trail.ts';
import { type MaybePromise, then } from './maybe-promise.ts';
import type { MessageStore, StoredExtras } from './message-store.ts';
import type { NextHop, Outbound } from './outbound.ts';
import type { JudgedPassage, Passage, RouteOptions } from './passage.ts';
import type { ArchivedForRecipients, Session, Watch } from './session.ts';
import type { StanzaFilters } from './stanza-filters.ts';
import { storabilityOf } from './storability.ts';
import { maySeePresence } from './visibility.ts';

/** Dependencies of the message path. */
interface MessagePathDeps {
  readonly hooks: Pick<ExtensionHooks, 'judges' | 'recalls' | 'recorders' | 'messageStore' | 'messageArchive'>;
  readonly sessionsOf: (account: string) => readonly Session[];
  readonly filters: StanzaFilters;
  /** Routes a message again, to a new address. */
  readonly route: (stanza: Stanza, options?: RouteOptions) => MaybePromise<void>;
  /** Carries stanzas to other servers. */
  readonly remotes: Outbound;
  /** Whether a domain belongs to a service. The operator runs it, so it is trusted like this server. */
  readonly isService: (domain: string) => boolean;
  /** Whether this server, or a service of it, answers for a domain. */
  readonly isHosted: (domain: string) => boolean;
  /** Turns any error into the one that the sender gets. */
  readonly explain: (message: Stanza, error: unknown) => StanzaError;
  /** Answers a message with an error, after its sender went on. */
  readonly refuse: (message: Stanza, error: unknown, options?: RouteOptions) => MaybePromise<void>;
}

/** What a plan must not use: sessions that have failed, and the forward if the message may not be forwarded. */
interface Excluded {
  readonly sessions: readonly Session[];
  readonly forward: boolean;
}

/** A message on its way, with everything that planning it again needs. */
interface Journey {
  readonly passage: Passage;
  readonly excluded: Excluded;
  /** What the recorders did with it. */
  readonly recorded: readonly Recorded[];
  /** The message as it was recorded, and with the stamps of the recorders. */
  readonly stamps?: { readonly message: Stanza; readonly stamped: Stanza } | undefined;
}

/** The number of messages on their way to the disk above which their senders wait for the disk. */
const patientWrites = 4096;
/** How many accounts may forward one message. */
const maxForwards = 5;
const nothing: Excluded = { sessions: [], forward: false };
const unforwarded: Excluded = { sessions: [], forward: true };
const unrecorded: readonly Recorded[] = [];
const silence: DeliveryPlan = { kind: 'none' };
/** Used if no extension stores messages. */
const noStore: Pick<MessageStore, 'keep' | 'hasRoom'> = {
  keep: () => Promise.reject(StanzaError.serviceUnavailable()),
  hasRoom: () => false,
};

/** Takes a message through its stages: hear, plan (with the recipient's filters), judge, record, carry out. */
export class MessagePath {
  readonly #deps: MessagePathDeps;
  #writes = 0;

  constructor(deps: MessagePathDeps) {
    this.#deps = deps;
  }

  /** Takes a message through all stages. Throws StanzaError for the sender. */
  take(passage: Passage): MaybePromise<void> {
    const hearing = this.#hear(passage);
    if (hearing === 'refused') return;
    const message = hearing?.message ?? passage.message;
    const heard = hearing ? { ...passage, message } : passage;
    const own = hearing?.own ?? passage.options.own;
    const excluded = own ? unforwarded : nothing;
    const plan = this.plan(heard, excluded);
    const ruling = hearing ? hearing.judge(plan) : { message, plan };
    if (ruling.stopped || (own && !isError(message)))
      return this.#carryOut(ruling, { passage: heard, excluded, recorded: unrecorded });
    return this.#recordAndCarryOut(ruling, heard, excluded);
  }

  /** Gives a client the error that answers its message, past filters and judges. */
  answer(error: Stanza, session: Session): MaybePromise<void> {
    const { jid, account } = session;
    const passage: Passage = {
      message: error,
      sender: error.from ?? account.jid,
      recipient: jid,
      destination: { kind: 'account', account },
      session: undefined,
      options: { ackScope: session, reply: true },
    };
    return this.#recordAndCarryOut({ message: error, plan: { kind: 'direct', sessions: [session] } }, passage, nothing);
  }

  /** What would happen to the message without rules. The recipient's filters can turn the plan into `none`. */
  plan(passage: Passage, excluded = nothing): DeliveryPlan {
    const { destination } = passage;
    switch (destination.kind) {
      case 'account':
        return this.#planAccount(passage, destination.account, excluded);
      case 'server':
        return { kind: 'none', error: StanzaError.serviceUnavailable() };
      case 'service':
        return planService(destination.service, passage.message, passage.sender);
      case 'remote':
        return { kind: 'remote', domain: destination.domain };
    }
  }

  #planAccount(passage: Passage, account: Account | undefined, excluded: Excluded): DeliveryPlan {
    const { message, recipient, sender, options } = passage;
    const sessions = account ? this.#deps.sessionsOf(account.key) : [];
    if (!account || this.#deps.filters.refusesInbound(message, account)) {
      if (isToOccupant(message, recipient, sessions)) return silence;
      return planLocal(message, recipient, { exists: false, sessions: [] });
    }
    const failed = excluded.sessions;
    const left = failed.length === 0 ? sessions : sessions.filter((one) => !failed.includes(one));
    return planLocal(message, recipient, {
      exists: true,
      sessions: left,
      forwardTo: !excluded.forward && mayForward(account, options.forwardedBy) ? account.forwardTo : undefined,
      hasRoom: (stanza) =>
        this.#store.hasRoom(stanza, account, this.#deps.hooks.messageArchive?.plan(passage, account)),
      isShown: () => this.#isShown(account, sender, options),
    });
  }

  get #store(): Pick<MessageStore, 'keep' | 'hasRoom'> {
    return this.#deps.hooks.messageStore ?? noStore;
  }

  /** The first judge that takes up the case has it alone. */
  #hear(passage: Passage): Hearing | 'refused' | undefined {
    for (const judge of this.#deps.hooks.judges) {
      const hearing = judge(passage);
      if (hearing) return hearing;
    }
    return undefined;
  }

  /** Each recorder sees the message with the stamps of those before it. */
  #recordAndCarryOut(ruling: Ruling, passage: Passage, excluded: Excluded): MaybePromise<void> {
    const { sender, recipient, destination, session, options } = passage;
    const { plan } = ruling;
    let recorded = unrecorded;
    let message = ruling.message;
    let copyForSender = ruling.message;
    let backlog: Promise<unknown> | undefined;
    let judged: JudgedPassage | undefined;
    for (const record of this.#deps.hooks.recorders) {
      // One object for all that change nothing. Written out: every message comes here, and a spread takes longer.
      judged ??= { message, sender, recipient, destination, session, options, copyForSender, plan };
      const done = record(judged);
      if (!done) continue;
      judged = undefined;
      recorded = [...recorded, done];
      message = done.stamp?.(message) ?? message;
      copyForSender = done.copyForSender ?? copyForSender;
      backlog = done.backlog ?? backlog;
      if (options.ackScope?.needsAck && done.durable) options.ackScope.ackAfter(done.durable);
      // Nobody waits for it; storage logs its own failures.
      else done.durable?.catch(() => undefined);
    }
    const stamps = message === ruling.message ? undefined : { message: ruling.message, stamped: message };
    const carriedOut = this.#carryOut(ruling, { passage, excluded, recorded, stamps });
    return backlog ? Promise.all([carriedOut, backlog]).then(() => undefined) : carriedOut;
  }

  /** The only place where a message has an effect. */
  #carryOut(ruling: Ruling, journey: Journey): MaybePromise<void> {
    const { plan, oversight } = ruling;
    switch (plan.kind) {
      case 'direct':
        return this.#handOver(ruling, plan.sessions, journey);
      case 'stored':
        return this.#keep(ruling, plan.owner, journey);
      case 'forward':
        return oversight ? this.#watchForward(ruling, plan.to, journey) : this.#forward(ruling, plan.to, journey);
      case 'gateway':
      case 'service':
        return this.#depart(plan.service, ruling, journey);
      case 'remote':
        return this.#depart(this.#deps.remotes, ruling, journey);
      case 'none':
        if (plan.error) throw plan.error;
    }
  }

  #handOver(ruling: Ruling, sessions: readonly Session[], journey: Journey): void {
    const { oversight } = ruling;
    const { ackScope, archived } = journey.passage.options;
    const message = stamped(ruling.message, journey);
    if (archived) return sendArchived(message, sessions, archived);
    const watch = oversight && this.#watchOver(oversight, sessions, journey);
    // A message that is not worth storing is not worth a copy either.
    const needsCopy = ackScope?.needsAck && storabilityOf(message) !== 'forget';
    if (!needsCopy) for (const session of sessions) session.send(message, watch);
    else for (const session of sessions) ackScope.ackAfter(session.sendDurably(message, watch));
    for (const one of journey.recorded) one.carriedOut?.(ruling.plan);
  }

  /** One delivery is enough. If every session fails, the judge rules on the next plan. */
  #watchOver(oversight: Oversight, sessions: readonly Session[], journey: Journey): Watch {
    let open = sessions.length;
    let done = false;
    const settled = (delivered: boolean) => {
      open -= 1;
      if (done) return;
      done = delivered;
      if (delivered) return oversight.done();
      if (open === 0) this.#again(without(journey, sessions), (next) => oversight.failed(next));
    };
    const mayLeave = (ackScope: AckScope) => {
      const leaves = oversight.mayLeave?.(ackScope) ?? true;
      if (!leaves && !done) for (const one of journey.recorded) one.undelivered?.();
      return leaves;
    };
    return { settled, mayLeave };
  }

  /** Watches again over a message that has waited for a session since before a restart; undefined if no judge recalls its case. */
  recall(passage: Passage, session: Session, sentAtMs: number): Watch | undefined {
    const sessions = [session];
    for (const recall of this.#deps.hooks.recalls) {
      const oversight = recall(passage, { kind: 'direct', sessions }, sentAtMs);
      if (oversight) return this.#watchOver(oversight, sessions, { passage, excluded: nothing, recorded: unrecorded });
    }
    return undefined;
  }

  /** Routes the unstamped message to the new address, because stamps are for the last recipient. */
  #forward({ message }: Ruling, to: Jid, { passage }: Journey): MaybePromise<void> {
    const { recipient, options } = passage;
    const forwardedBy = [...(options.forwardedBy ?? []), recipient];
    return this.#deps.route(message.with({ to }), { ackScope: options.ackScope, forwardedBy });
  }

  #abroad(message: Stanza, { passage }: Journey): Stanza {
    const { forwardedBy = [] } = passage.options;
    return forwardedBy.length === 0 ? message : forwardedAbroad(message, forwardedBy, this.#deps.isHosted);
  }

  /** The sender does not wait for another server. When that server is connected, the oversight is asked again. */
  #depart(outbound: Outbound, ruling: Ruling, journey: Journey): MaybePromise<void> {
    const { plan, oversight } = ruling;
    const { ackScope } = journey.passage.options;
    const stamp = (message: Stanza) => stamped(message, journey);
    const message = plan.kind === 'remote' ? this.#abroad(stamp(ruling.message), journey) : stamp(ruling.message);
    const failed = (error: unknown) => this.#lost(ruling, journey, error);
    // A message that is not worth storing is not worth a copy either.
    const needsCopy = ackScope?.needsAck && storabilityOf(message) !== 'forget';
    const leaving = (hop?: NextHop) => then(oversight?.leaving?.(hop), (left) => left && stamp(left));
    try {
      outbound.send(message, {
        ...(needsCopy && { ackScope }),
        ...(oversight?.leaving && { leaving }),
        left: () => oversight?.done(),
        failed,
      });
    } catch (error) {
      return failed(error);
    }
  }

  /** Forwards a message and tells its oversight the outcome. */
  #watchForward(ruling: Ruling, to: Jid, journey: Journey): MaybePromise<void> {
    const failed = (error: unknown) => this.#lost(ruling, journey, error);
    try {
      const pending = this.#forward(ruling, to, journey);
      if (pending instanceof Promise) return pending.then(() => ruling.oversight?.done(), failed);
    } catch (error) {
      return failed(error);
    }
    ruling.oversight?.done();
  }

  /** The sender waits for the disk only if the disk falls behind: storage keeps the order of its calls. */
  #keep(ruling: Ruling, owner: Jid, journey: Journey): MaybePromise<void> {
    const { ackScope } = journey.passage.options;
    this.#writes += 1;
    const kept = this.#store
      .keep(stamped(ruling.message, journey), owner, extrasOf(ruling, journey))
      .then(
        () => {
          ruling.oversight?.done();
          for (const one of journey.recorded) one.carriedOut?.(ruling.plan);
        },
        (error: unknown) => this.#notKept(ruling, journey, error),
      )
      .finally(() => {
        this.#writes -= 1;
      });
    const over = kept.catch((error: unknown) => void this.#deps.explain(ruling.message, error));
    if (ackScope?.needsAck) ackScope.ackAfter(kept);
    return this.#writes > patientWrites ? over : undefined;
  }

  /** A message with a copy elsewhere on the disk is not lost: the copy stays until the store has room. */
  #notKept(ruling: Ruling, journey: Journey, error: unknown): MaybePromise<void> {
    const { again } = journey.passage.options;
    if (again?.hasCopy && error instanceof StorageError && error.isPassing) throw error;
    const isFull = error instanceof StanzaError && error.condition === 'service-unavailable';
    const next = isFull && !this.#mayTell(journey.passage) ? silence : undefined;
    return this.#lost(ruling, journey, error, next);
  }

  /** Whether the sender may learn that the recipient is offline. */
  #mayTell({ destination, sender, options }: Passage): boolean {
    const account = destination.kind === 'account' ? destination.account : undefined;
    return !account || this.#isShown(account, sender, options);
  }

  /** A sender who may not see presence must not learn from an error that the account has no session. */
  #isShown(account: Account, sender: Jid, { byOperator }: RouteOptions): boolean {
    if (byOperator || maySeePresence(account, sender)) return true;
    return this.#deps.isService(sender.domain) || (sender.local === '' && this.#deps.isHosted(sender.domain));
  }

  /** Ends a message whose plan failed when no other plan is possible: with `next`, or by default with an error for the sender. */
  #lost(ruling: Ruling, journey: Journey, error: unknown, next?: DeliveryPlan): MaybePromise<void> {
    const { message, oversight } = ruling;
    if (oversight) return this.#settle(oversight.failed(next ?? this.#refusal(message, error)), journey);
    for (const one of journey.recorded) one.undelivered?.();
    return next ? undefined : this.#refuse(message, error, journey.passage);
  }

  #refusal(message: Stanza, error: unknown): DeliveryPlan {
    return { kind: 'none', error: this.#deps.explain(message, error) };
  }

  #again(journey: Journey, judge: (plan: DeliveryPlan) => Ruling): void {
    void this.#settle(judge(this.plan(journey.passage, journey.excluded)), journey);
  }

  /** Carries out a ruling when the sender is no longer waiting. Each new plan leaves out what failed, so this ends. */
  #settle(ruling: Ruling, journey: Journey): MaybePromise<void> {
    if (ruling.plan.kind === 'none') for (const one of journey.recorded) one.undelivered?.();
    try {
      return this.#carryOut(ruling, journey);
    } catch (error) {
      return this.#refuse(ruling.message, error, journey.passage);
    }
  }

  /** The sender is acknowledged even if the answer is an error. */
  #refuse(message: Stanza, error: unknown, { options }: Passage): MaybePromise<void> {
    const { ackScope, forwardedBy } = options;
    if (!ackScope?.needsAck) return this.#deps.refuse(message, error, { forwardedBy });
    const work = new PendingWork();
    return then(this.#deps.refuse(message, error, { ackScope: work, forwardedBy }), () => work.settled());
  }
}

/** The message with all stamps of the recorders. */
function stamped(message: Stanza, { recorded, stamps }: Journey): Stanza {
  if (stamps?.message === message) return stamps.stamped;
  let result = message;
  for (const one of recorded) result = one.stamp?.(result) ?? result;
  return result;
}

function extrasOf({ oversight }: Ruling, { passage, recorded }: Journey): StoredExtras {
  const { again } = passage.options;
  const extras: StoredExtras = { ...oversight?.extras, sentAtMs: again?.sentAtMs, moved: again?.hasCopy };
  return Object.assign(extras, ...recorded.map((one) => one.extras));
}

function sendArchived(message: Stanza, sessions: readonly Session[], archived: ArchivedForRecipients): void {
  for (const session of sessions) session.sendArchived(message, archived);
}

function isError({ type }: Stanza): boolean {
  return type === 'error';
}

/** Whether an account may forward a message: it must not have come through the account before. */
function mayForward({ jid }: Account, forwardedBy: readonly Jid[] = []): boolean {
  return forwardedBy.length < maxForwards && !forwardedBy.some((one) => one.bare().equals(jid));
}

function without({ excluded, ...journey }: Journey, sessions: readonly Session[]): Journey {
  return { ...journey, excluded: { ...excluded, sessions: [...excluded.sessions, ...sessions] } };
}
