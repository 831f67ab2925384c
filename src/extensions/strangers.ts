import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Account } from '../routing/account.ts';
import type { Extension } from '../routing/extension.ts';
import type { Routing } from '../routing/routing.ts';
import { isUnasked, knows } from '../routing/strangers.ts';
import type { Clock } from '../support/clock.ts';
import { Tally } from '../support/metric.ts';
import { TokenBuckets } from '../support/token-buckets.ts';

/** How many messages and requests strangers on other servers may send in a minute; twice as many at once. */
export interface StrangerLimits {
  /** From one address. */
  readonly perSender: number;
  /** From one domain; ten times as many from a domain where users of this server have contacts. */
  readonly perDomain: number;
  /** To one account, from all strangers together. */
  readonly perAccount: number;
}

/** Dependencies of the extension. */
interface StrangersDeps extends Pick<Routing, 'sessions'> {
  readonly limits: StrangerLimits;
  readonly clock: Clock;
}

/** How much more a domain may send where users of this server have contacts. */
const knownDomainFactor = 10;
/** How many domains with contacts are remembered. */
const maxKnownDomains = 10_000;

/**
 * Bounds the messages and subscription requests from addresses on other servers that a user does not know, because servers with open
 * registration are where spam comes from. Contacts are not limited, and neither are addresses that the user has written to in this session.
 */
export function strangers(deps: StrangersDeps): Extension<{ readonly strangers: StrangerLimits }> {
  const guard = new StrangerGuard(deps);
  return {
    name: 'strangers',
    claims: [],
    admit: (stanza, from, to, account) => guard.admit(stanza, from, to, account),
    metrics: [
      {
        name: 'xmpp_strangers_refused_total',
        help: 'Messages and subscription requests of strangers on other servers that exceeded a limit.',
        type: 'counter',
        labels: ['limit'],
        read: () => guard.refused.read(),
      },
    ],
    reload:
      ({ strangers: limits }) =>
      () =>
        guard.limit(limits),
  };
}

interface Allowances {
  readonly senders: TokenBuckets;
  readonly domains: TokenBuckets;
  readonly knownDomains: TokenBuckets;
  readonly accounts: TokenBuckets;
}

function allowances({ perSender, perDomain, perAccount }: StrangerLimits, clock: Clock): Allowances {
  const perMinute = (number: number) => new TokenBuckets({ perSecond: number / 60, burst: 2 * number }, clock);
  return {
    senders: perMinute(perSender),
    domains: perMinute(perDomain),
    knownDomains: perMinute(perDomain * knownDomainFactor),
    accounts: perMinute(perAccount),
  };
}

class StrangerGuard {
  readonly refused = new Tally<'limit'>();
  readonly #sessions: StrangersDeps['sessions'];
  readonly #clock: Clock;
  readonly #known = new Set<string>();
  #limits: StrangerLimits;
  #allowances: Allowances;

  constructor({ sessions, limits, clock }: StrangersDeps) {
    this.#sessions = sessions;
    this.#clock = clock;
    this.#limits = limits;
    this.#allowances = allowances(limits, clock);
  }

  /** Replaces the limits. If they have changed, everybody begins anew. */
  limit(limits: StrangerLimits): void {
    const { perSender, perDomain, perAccount } = this.#limits;
    if (limits.perSender === perSender && limits.perDomain === perDomain && limits.perAccount === perAccount) return;
    this.#limits = limits;
    this.#allowances = allowances(limits, this.#clock);
  }

  admit(stanza: Stanza, from: Jid, to: Jid, account: Account | undefined): StanzaError | undefined {
    if (!isUnasked(stanza)) return undefined;
    if (account && knows(account, from, this.#sessions)) return this.#remember(from.domain);
    // An address without an account counts, too: the answer must not tell which accounts exist.
    const limit = this.#exceeded(from, to);
    if (limit === undefined) return undefined;
    this.refused.add({ limit });
    return StanzaError.resourceConstraint('too many messages and requests to users who do not know you');
  }

  #exceeded({ local, domain }: Jid, to: Jid): keyof StrangerLimits | undefined {
    const { senders, domains, knownDomains, accounts } = this.#allowances;
    if (!senders.tryTake(`${local}@${domain}`)) return 'perSender';
    const ofDomain = this.#known.has(domain) ? knownDomains : domains;
    if (!ofDomain.tryTake(domain)) return 'perDomain';
    return accounts.tryTake(to.bare().toString()) ? undefined : 'perAccount';
  }

  #remember(domain: string): undefined {
    if (this.#known.size >= maxKnownDomains) this.#known.clear();
    this.#known.add(domain);
  }
}
