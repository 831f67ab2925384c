import type { Jid } from '../protocol/jid.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import type { Registrar } from './registrar.ts';
import type { Suspensions } from './suspensions.ts';

/** Which accounts wait for approval; read at each use. */
interface ApprovalOptions {
  /** Whether accounts that are registered without an invitation wait. */
  readonly needsApproval: boolean;
  /** Accounts that may wait at the same time. */
  readonly maxWaiting: number;
  /** After this time without an approval an account is removed. */
  readonly keepMs: number;
}

/** Dependencies of {@link Approvals}. */
interface ApprovalsDeps {
  readonly options: ApprovalOptions;
  readonly registrar: Pick<Registrar, 'create'>;
  readonly suspensions: Pick<Suspensions, 'waiting' | 'begin'>;
  /** Tells the administrators. */
  readonly tell: (text: string) => void;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Pick<Log, 'info'>;
}

/** What users who wait get when they log in. */
const reason = 'the account waits for the approval of the operator';

/** Registers accounts without an invitation. If approval is needed, their users may log in when the operator has approved them. */
export class Approvals {
  readonly #deps: ApprovalsDeps;

  constructor(deps: ApprovalsDeps) {
    this.#deps = deps;
  }

  /** Registers an account. Throws StanzaError if too many wait already; otherwise rejects as `Registrar.create` does. */
  async register(account: Jid, password: string): Promise<void> {
    const { options, registrar, suspensions, tell, clock, log } = this.#deps;
    const { needsApproval, maxWaiting, keepMs } = options;
    if (!needsApproval) return registrar.create(account, password, {});
    const { waiting } = suspensions;
    if (waiting >= maxWaiting)
      throw StanzaError.resourceConstraint('too many accounts wait for approval; try again later');
    const atMs = clock.nowMs();
    const approval = { reason, atMs, removeAtMs: atMs + keepMs };
    await registrar.create(account, password, { approval });
    suspensions.begin({ ...approval, jid: account.toString(), awaitsApproval: true });
    log.info({ jid: account.toString() }, 'an account waits for approval');
    // Administrators look at the whole list, so they are told of its first account only.
    if (waiting === 0) tell(`${account} has registered and waits for approval.`);
  }
}
