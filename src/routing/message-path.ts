import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { StorageError } from '../storage/storage-error.ts';
import type { Account } from './account.ts';
import { PendingWork, type RouteOptions } from './ack-scope.ts';
import { type DeliveryPlan, planLocal } from './delivery-plan.ts';
import type { Hearing, Judge, Oversight, Passage, Recall, Recorder, Ruling } from './extension.ts';
import { forwardedAbroad } from './forward-trail.ts';
import { type MaybePromise, then } from './maybe-promise.ts';
import type { OfflineMessages } from './offline-messages.ts';
import type { Outbound } from './outbound.ts';
import type { Service } from './service.ts';
import type { Session, Watch } from './session.ts';
import type { StanzaFilters } from './stanza-filters.ts';
import { storabilityOf } from './storability.ts';

/** Dependencies of the message path. */
interface MessagePathDeps {
  readonly sessionsOf: (account: string) => readonly Session[];
  readonly filters: StanzaFilters;
  readonly judges: readonly Judge[];
  readonly recalls: readonly Recall[];
  readonly recorders: readonly Recorder[];
  readonly offline: OfflineMessages;
  /** Puts a message with a new address on the road again. */
  readonly route: (stanza: Stanza, way?: RouteOptions) => MaybePromise<void>;
  /** Carries what is for other servers. */
  readonly remotes: Outbound;
  /** Whether a domain is one of ours, or that of a service. */
  readonly isHosted: (domain: string) => boolean;
  /** What the sender is told of an error. */
  readonly explain: (message: Stanza, error: unknown) => StanzaError;
  /** Answers a message that failed after its sender was let go on. */
  readonly refuse: (message: Stanza, error: unknown, way?: RouteOptions) => MaybePromise<void>;
}

/** What is not to become of a message: what has been tried, and what is not right for it. */
interface Excluded {
  readonly sessions: readonly Session[];
  readonly forward: boolean;
}

/** A message on its way, with all that planning it again would take. */
interface Journey {
  readonly passage: Passage;
  readonly excluded: Excluded;
}

/** Messages on their way to the disk at which senders begin to wait for it. */
const patientWrites = 4096;
/** How many accounts may forward one message. */
const maxForwards = 5;
const nothing: Excluded = { sessions: [], forward: false };

/** The road of a message: hear, screen, plan, judge, record, carry out. */
export class MessagePath {
  readonly #deps: MessagePathDeps;
  #writes = 0;

  constructor(deps: MessagePathDeps) {
    this.#deps = deps;
  }

  /** Takes a message from one end of the road to the other. Throws StanzaError for the sender. */
  take(passage: Passage): MaybePromise<void> {
    const hearing = this.#hear(passage);
    if (hearing === 'refused') return;
    const message = hearing?.message ?? passage.message;
    const excluded = hearing?.own ? { ...nothing, forward: true } : nothing;
    const journey: Journey = { passage: hearing ? { ...passage, message } : passage, excluded };
    const plan = this.plan(journey.passage, excluded);
    const ruling = hearing ? hearing.judge(plan) : { message, plan };
    if (!hearing?.own) this.#record(ruling, passage);
    return this.#carryOut(ruling, journey);
  }

  /** What would happen to the message by default: the screen may turn the plan to `none`. */
  plan(passage: Passage, excluded = nothing): DeliveryPlan {
    const { destination } = passage;
    switch (destination.kind) {
      case 'account':
        return this.#planAccount(passage, destination.account, excluded);
      case 'server':
        return { kind: 'none', error: StanzaError.serviceUnavailable() };
      case 'service':
        return planService(destination.service, passage);
      case 'remote':
        return { kind: 'remote', domain: destination.domain };
    }
  }

  #planAccount(passage: Passage, account: Account | undefined, excluded: Excluded): DeliveryPlan {
    const { message, recipient, forwardedBy } = passage;
    if (!account || this.#deps.filters.refusesInbound(message, account)) {
      return planLocal(message, recipient, { exists: false, sessions: [] });
    }
    const sessions = this.#deps.sessionsOf(account.key);
    const failed = excluded.sessions;
    const left = failed.length === 0 ? sessions : sessions.filter((one) => !failed.includes(one));
    const { offline } = this.#deps;
    return planLocal(message, recipient, {
      exists: true,
      sessions: left,
      forwardTo: !excluded.forward && mayForward(account, forwardedBy) ? account.forwardTo : undefined,
      hasRoom: (stanza) => offline.hasRoom?.(stanza, account) ?? true,
    });
  }

  /** The first judge that takes up the case has it alone. */
  #hear(passage: Passage): Hearing | 'refused' | undefined {
    for (const judge of this.#deps.judges) {
      const hearing = judge(passage);
      if (hearing) return hearing;
    }
    return undefined;
  }

  #record({ message, plan }: Ruling, { sender, recipient }: Passage): void {
    for (const record of this.#deps.recorders) record({ message, plan, sender, recipient });
  }

  /** The only place where a message has an effect. */
  #carryOut(ruling: Ruling, journey: Journey): MaybePromise<void> {
    const { message, plan, oversight } = ruling;
    switch (plan.kind) {
      case 'direct':
        return this.#handOver(ruling, plan.sessions, journey);
      case 'stored':
        return this.#keep(ruling, plan.owner, journey);
      case 'forward':
        return oversight ? this.#watchForward(ruling, plan.to, journey) : this.#forward(message, plan.to, journey);
      case 'gateway':
      case 'service':
        return this.#depart(plan.service, ruling, journey);
      case 'remote':
        return this.#depart(this.#deps.remotes, this.#abroad(ruling, journey), journey);
      case 'none':
        if (plan.error) throw plan.error;
    }
  }

  #handOver({ message, oversight }: Ruling, sessions: readonly Session[], journey: Journey): void {
    const { origin } = journey.passage;
    const watch = oversight && this.#watchOver(oversight, sessions, journey);
    // What is not worth storing is not worth a copy either.
    const kept = origin?.needsAck && storabilityOf(message) !== 'forget';
    if (!kept) for (const session of sessions) session.send(message, watch);
    else for (const session of sessions) origin.ackAfter(session.sendDurably(message, watch));
  }

  /** One delivery is enough; if there is none, what else can be done is asked of the judge. */
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
    return { settled, mayLeave: (origin) => oversight.mayLeave?.(origin) ?? true };
  }

  /** Watches again over a message that waits for a session since before a restart; nothing if nobody minds what becomes of it. */
  recall(passage: Passage, session: Session, sentAtMs: number): Watch | undefined {
    const sessions = [session];
    for (const recall of this.#deps.recalls) {
      const oversight = recall(passage, { kind: 'direct', sessions }, sentAtMs);
      if (oversight) return this.#watchOver(oversight, sessions, { passage, excluded: nothing });
    }
    return undefined;
  }

  #forward(message: Stanza, to: Jid, { passage }: Journey): MaybePromise<void> {
    const { origin, forwardedBy, recipient } = passage;
    return this.#deps.route(message.with({ to }), { origin, forwardedBy: [...forwardedBy, recipient] });
  }

  #abroad(ruling: Ruling, { passage }: Journey): Ruling {
    const { forwardedBy } = passage;
    if (forwardedBy.length === 0) return ruling;
    return { ...ruling, message: forwardedAbroad(ruling.message, forwardedBy, this.#deps.isHosted) };
  }

  /** Another server may be long in coming: the sender does not wait for it, and the judge is asked again when it is there. */
  #depart(outbound: Outbound, ruling: Ruling, journey: Journey): MaybePromise<void> {
    const { message, oversight } = ruling;
    const { origin } = journey.passage;
    const failed = (error: unknown) => this.#lost(ruling, journey, error);
    // What is not worth storing is not worth a copy either.
    const owed = origin?.needsAck && storabilityOf(message) !== 'forget';
    try {
      outbound.send(message, {
        ...(owed && { origin }),
        ...(oversight?.leaving && { leaving: (hop) => oversight.leaving?.(hop) }),
        left: () => oversight?.done(),
        failed,
      });
    } catch (error) {
      return failed(error);
    }
  }

  /** Forwards a message and tells its judge how that went. */
  #watchForward(ruling: Ruling, to: Jid, journey: Journey): MaybePromise<void> {
    const failed = (error: unknown) => this.#lost(ruling, journey, error);
    try {
      const pending = this.#forward(ruling.message, to, journey);
      if (pending instanceof Promise) return pending.then(() => ruling.oversight?.done(), failed);
    } catch (error) {
      return failed(error);
    }
    ruling.oversight?.done();
  }

  /** Storage keeps the order of its calls, so the sender need not wait for the disk, unless the disk falls behind. */
  #keep(ruling: Ruling, owner: Jid, journey: Journey): MaybePromise<void> {
    const { origin } = journey.passage;
    this.#writes += 1;
    const { extras } = ruling.oversight ?? {};
    const kept = this.#deps.offline
      .keep(ruling.message, owner, { ...extras, sentAtMs: origin?.sentAtMs, moved: origin?.kept })
      .then(
        () => ruling.oversight?.done(),
        (error: unknown) => this.#notKept(ruling, journey, error),
      )
      .finally(() => {
        this.#writes -= 1;
      });
    const over = kept.catch((error: unknown) => void this.#deps.explain(ruling.message, error));
    if (origin?.needsAck) origin.ackAfter(kept);
    return this.#writes > patientWrites ? over : undefined;
  }

  /** What has another place on the disk is not lost: it stays there until there is room. */
  #notKept(ruling: Ruling, journey: Journey, error: unknown): MaybePromise<void> {
    const { origin } = journey.passage;
    if (origin?.kept && error instanceof StorageError && error.isPassing) throw error;
    return this.#lost(ruling, journey, error);
  }

  /** There is nothing left to try but to tell the sender. */
  #lost({ message, oversight }: Ruling, journey: Journey, error: unknown): MaybePromise<void> {
    if (!oversight) return this.#refuse(message, error, journey.passage);
    const refusal = this.#deps.explain(message, error);
    const next: DeliveryPlan = { kind: 'none', error: refusal };
    return this.#settle(oversight.failed(next), journey);
  }

  #again(journey: Journey, judge: (plan: DeliveryPlan) => Ruling): void {
    void this.#settle(judge(this.plan(journey.passage, journey.excluded)), journey);
  }

  /** Carries a ruling out when its sender is no longer waiting. Each new plan leaves out what failed, so this ends. */
  #settle(ruling: Ruling, journey: Journey): MaybePromise<void> {
    try {
      return this.#carryOut(ruling, journey);
    } catch (error) {
      return this.#refuse(ruling.message, error, journey.passage);
    }
  }

  /** Whoever is owed word is owed it also when the word is no. */
  #refuse(message: Stanza, error: unknown, { origin, forwardedBy }: Passage): MaybePromise<void> {
    if (!origin?.needsAck) return this.#deps.refuse(message, error, { forwardedBy });
    const consequences = new PendingWork();
    return then(this.#deps.refuse(message, error, { origin: consequences, forwardedBy }), () => consequences.settled());
  }
}

function planService(service: Service, { message, sender }: Passage): DeliveryPlan {
  const error = service.absence ?? service.refuses?.(message, sender);
  if (error) return { kind: 'none', error };
  return { kind: service.gateway ? 'gateway' : 'service', service };
}

/** A message comes to no account twice on its way. */
function mayForward({ jid }: Account, forwardedBy: readonly Jid[]): boolean {
  return forwardedBy.length < maxForwards && !forwardedBy.some((one) => one.bare().equals(jid));
}

function without({ passage, excluded }: Journey, sessions: readonly Session[]): Journey {
  return { passage, excluded: { ...excluded, sessions: [...excluded.sessions, ...sessions] } };
}
