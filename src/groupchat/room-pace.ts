import type { Jid } from '../protocol/jid.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Clock } from '../support/clock.ts';
import { type Rate, TokenBuckets } from '../support/token-buckets.ts';
import type { Wish } from './read-command.ts';

/** The rates of one user in a room. */
const perUser = {
  enter: { perSecond: 10 / 60, burst: 10 },
  post: { perSecond: 5, burst: 20 },
  'send-privately': { perSecond: 5, burst: 20 },
  'show-presence': { perSecond: 1, burst: 10 },
  invite: { perSecond: 10 / 60, burst: 10 },
} as const satisfies Partial<Record<Wish['kind'], Rate>>;

/** The rates of all users together in a room. */
const perRoom = {
  enter: { perSecond: 20, burst: 100 },
  post: { perSecond: 200, burst: 400 },
} as const satisfies Partial<Record<Wish['kind'], Rate>>;

/** Limits how often something happens in a room, so that nobody can drown the others. All rooms of a server share one. */
export class RoomPace {
  readonly #users: ReadonlyMap<string, TokenBuckets>;
  readonly #rooms: ReadonlyMap<string, TokenBuckets>;

  constructor(clock: Clock) {
    this.#users = bucketsOf(perUser, clock);
    this.#rooms = bucketsOf(perRoom, clock);
  }

  /** Throws `policy-violation`, of type wait, if somebody wants too much at once. */
  admit(room: Jid, { kind, from }: Wish): void {
    const users = this.#users.get(kind);
    if (!users) return;
    const isPatient = users.tryTake(`${room} ${from.bare()}`);
    const fits = this.#rooms.get(kind)?.tryTake(room.toString()) ?? true;
    if (!isPatient || !fits) throw StanzaError.policyViolation('too much at once', { type: 'wait' });
  }
}

function bucketsOf(rates: Readonly<Record<string, Rate>>, clock: Clock): ReadonlyMap<string, TokenBuckets> {
  return new Map(Object.entries(rates).map(([kind, rate]) => [kind, new TokenBuckets(rate, clock)]));
}
