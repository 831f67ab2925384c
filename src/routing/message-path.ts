import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Account } from './account.ts';
import { type DeliveryPlan, planLocal } from './delivery-plan.ts';
import type { Destination } from './destination.ts';
import type { Eventually } from './eventually.ts';
import type { Judge, Passage, Recorder } from './extension.ts';
import { keepingOf } from './keeping.ts';
import type { OfflineMessages } from './offline-messages.ts';
import { Consequences, type Origin } from './origin.ts';
import type { Screens } from './screens.ts';
import type { Session } from './session.ts';

/** What the message path needs from the rest of the house. */
export interface MessagePathParts {
  readonly sessionsOf: (account: string) => readonly Session[];
  readonly screens: Screens;
  readonly judges: readonly Judge[];
  readonly recorders: readonly Recorder[];
  readonly offline: OfflineMessages;
  /** Puts a message with a new address on the road again. */
  readonly route: (stanza: Stanza, origin?: Origin) => Eventually<void>;
  readonly sendRemote: (stanza: Stanza, domain: string) => Eventually<void>;
  /** Answers a message that failed after its sender was let go on. */
  readonly refuse: (message: Stanza, error: unknown, origin?: Origin) => Eventually<void>;
}

/** Messages on their way to the disk at which senders begin to wait for it. */
const patientWrites = 4096;

/** The road of a message: screen, plan, judge, record, carry out. */
export class MessagePath {
  readonly #parts: MessagePathParts;
  #writes = 0;

  constructor(parts: MessagePathParts) {
    this.#parts = parts;
  }

  /** Takes a message from one end of the road to the other. Throws StanzaError for the sender. */
  take(message: Stanza, sender: Jid, recipient: Jid, destination: Destination, origin?: Origin): Eventually<void> {
    const plan = this.plan(message, recipient, destination);
    const judged = this.#judge({ message, sender, recipient, plan });
    for (const record of this.#parts.recorders) record(judged);
    return this.#carryOut(judged, origin);
  }

  /** What would happen to the message by default: the screen may turn the plan to `none`. */
  plan(message: Stanza, recipient: Jid, destination: Destination): DeliveryPlan {
    switch (destination.kind) {
      case 'account':
        return this.#planAccount(message, recipient, destination.account);
      case 'server':
        return { kind: 'none', error: StanzaError.serviceUnavailable() };
      case 'service':
        return { kind: destination.service.gateway ? 'gateway' : 'service', service: destination.service };
      case 'remote':
        return { kind: 'remote', domain: destination.domain };
    }
  }

  #planAccount(message: Stanza, recipient: Jid, account: Account | undefined): DeliveryPlan {
    if (!account) return planLocal(message, recipient, { exists: false, sessions: [] });
    if (this.#parts.screens.refusesInbound(message, account)) {
      return planLocal(message, recipient, { exists: false, sessions: [] });
    }
    return planLocal(message, recipient, { exists: true, sessions: this.#parts.sessionsOf(account.key) });
  }

  #judge(passage: Passage): Passage {
    let judged = passage;
    for (const judge of this.#parts.judges) {
      const verdict = judge(judged);
      if (verdict) judged = { ...judged, ...verdict };
    }
    return judged;
  }

  /** The only place where a message has an effect. */
  #carryOut({ message, plan }: Passage, origin: Origin | undefined): Eventually<void> {
    switch (plan.kind) {
      case 'direct':
        return this.#send(message, plan.sessions, origin);
      case 'stored':
        return this.#keep(message, plan.owner, origin);
      case 'forward':
        return this.#parts.route(message.with({ to: plan.to }), origin);
      case 'gateway':
      case 'service':
        return plan.service.deliver(message);
      case 'remote':
        return this.#parts.sendRemote(message, plan.domain);
      case 'none':
        if (plan.error) throw plan.error;
    }
  }

  #send(message: Stanza, sessions: readonly Session[], origin: Origin | undefined): void {
    // What is not worth storing is not worth a copy either.
    const kept = origin?.owed && keepingOf(message) !== 'forget';
    if (!kept) for (const session of sessions) session.send(message);
    else for (const session of sessions) origin.awaits(session.sendDurably(message));
  }

  /** Storage keeps the order of its calls, so the sender need not wait for the disk, unless the disk falls behind. */
  #keep(message: Stanza, owner: Jid, origin: Origin | undefined): Eventually<void> {
    this.#writes += 1;
    const kept = this.#parts.offline
      .keep(message, owner, origin?.sentAtMs)
      .catch((error: unknown) => this.#refuse(message, error, origin?.owed))
      .finally(() => {
        this.#writes -= 1;
      });
    if (origin?.owed) origin.awaits(kept);
    return this.#writes > patientWrites ? kept : undefined;
  }
  /** Whoever is owed word is owed it also when the word is no. */
  async #refuse(message: Stanza, error: unknown, owed = false): Promise<void> {
    if (!owed) return this.#parts.refuse(message, error);
    const consequences = new Consequences();
    await this.#parts.refuse(message, error, consequences);
    await consequences.settled();
  }
}
