import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Account } from '../routing/account.ts';
import type { Extension } from '../routing/extension.ts';
import type { Routing } from '../routing/routing.ts';
import { isUnasked, knows } from '../routing/strangers.ts';
import type { Clock } from '../support/clock.ts';
import { TokenBuckets } from '../support/token-buckets.ts';

/** How many strangers the user of a new account may write to. */
export interface NewAccountLimits {
  /** How long an account is new. 0: never. */
  readonly hours: number;
  /** In an hour, and at once. */
  readonly strangersPerHour: number;
}

/** Dependencies of the extension. */
interface NewAccountsDeps extends Pick<Routing, 'accounts' | 'sessions' | 'isLocalDomain' | 'isHosted'> {
  readonly limits: NewAccountLimits;
  readonly clock: Clock;
}

const hourMs = 3_600_000;
/** How many new accounts are remembered. */
const maxAccounts = 10_000;

/**
 * Bounds the number of strangers that users of new accounts write to or ask for a subscription, because spammers register where they can.
 * Only accounts that their users have registered are limited, not those that the operator has made.
 */
export function newAccounts(deps: NewAccountsDeps): Extension<{ readonly newAccounts: NewAccountLimits }> {
  const guard = new NewAccountGuard(deps);
  return {
    name: 'new-accounts',
    claims: [],
    filter: { outbound: (stanza, sender) => guard.check(stanza, sender) },
    accountRemoved: (account) => guard.forget(account),
    metrics: [
      {
        name: 'xmpp_new_accounts_refused_total',
        help: 'Messages and subscription requests to strangers that new accounts may not send yet.',
        type: 'counter',
        read: () => [{ value: guard.refused }],
      },
    ],
    reload:
      ({ newAccounts: limits }) =>
      () =>
        guard.limit(limits),
  };
}

class NewAccountGuard {
  refused = 0;
  readonly #deps: NewAccountsDeps;
  /** The strangers that each new account has written to. */
  readonly #writtenTo = new Map<string, Set<string>>();
  #limits: NewAccountLimits;
  #allowance: TokenBuckets;

  constructor(deps: NewAccountsDeps) {
    this.#deps = deps;
    this.#limits = deps.limits;
    this.#allowance = this.#newAllowance();
  }

  limit(limits: NewAccountLimits): void {
    if (limits.hours === this.#limits.hours && limits.strangersPerHour === this.#limits.strangersPerHour) return;
    this.#limits = limits;
    this.#allowance = this.#newAllowance();
  }

  forget(account: Jid): void {
    this.#writtenTo.delete(account.toString());
  }

  /** Sees everything that clients send, so it first looks at a number. */
  check(stanza: Stanza, sender: Account): StanzaError | undefined {
    if (sender.registeredAtMs === 0 || !this.#isNew(sender)) return undefined;
    const { to, from = sender.jid } = stanza;
    if (!to || !isUnasked(stanza) || stanza.type === 'groupchat' || !this.#isStranger(to.bare(), from, sender))
      return undefined;
    const writtenTo = this.#strangersOf(sender);
    const stranger = to.bare().toString();
    if (writtenTo.has(stranger)) return undefined;
    if (this.#allowance.tryTake(sender.key)) {
      writtenTo.add(stranger);
      return undefined;
    }
    this.refused += 1;
    return StanzaError.resourceConstraint('a new account may write to few people who do not know it; try again later');
  }

  #isNew({ key, registeredAtMs }: Account): boolean {
    if (this.#deps.clock.nowMs() - registeredAtMs < this.#limits.hours * hourMs) return true;
    this.#writtenTo.delete(key);
    return false;
  }

  /** Services of this server have limits of their own. A recipient on another server knows the sender if a subscription says so. */
  #isStranger(to: Jid, from: Jid, { jid, roster }: Account): boolean {
    const { accounts, sessions, isLocalDomain, isHosted } = this.#deps;
    if (to.local === '' || to.equals(jid)) return false;
    if (!isLocalDomain(to.domain) && isHosted(to.domain)) return false;
    const key = to.toString();
    const subscription = roster.get(key)?.subscription ?? 'none';
    if (subscription !== 'none') return false;
    const recipient = accounts.peek(key);
    return !recipient || !knows(recipient, from, sessions);
  }

  #strangersOf({ key }: Account): Set<string> {
    const known = this.#writtenTo.get(key);
    if (known) return known;
    const made = new Set<string>();
    if (this.#writtenTo.size >= maxAccounts) this.#writtenTo.clear();
    this.#writtenTo.set(key, made);
    return made;
  }

  #newAllowance(): TokenBuckets {
    const { strangersPerHour } = this.#limits;
    return new TokenBuckets({ perSecond: strangersPerHour / 3600, burst: strangersPerHour }, this.#deps.clock);
  }
}
