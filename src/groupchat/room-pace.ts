import { StanzaError } from '../protocol/stanza-error.ts';
import type { Clock } from '../support/clock.ts';
import { TokenBucket } from '../support/token-bucket.ts';
import type { Wish } from './read-command.ts';

/** An average for each second, and how many at once. */
type Rate = readonly [perSecond: number, burst: number];

/** The rates of one user in a room. */
const perUser = {
  enter: [10 / 60, 10],
  post: [5, 20],
  'send-privately': [5, 20],
  'show-presence': [1, 10],
  invite: [10 / 60, 10],
} as const satisfies Partial<Record<Wish['kind'], Rate>>;

/** The rates of all users together in a room. */
const perRoom = { enter: [20, 100], post: [200, 400] } as const satisfies Partial<Record<Wish['kind'], Rate>>;

type Limited = keyof typeof perUser;

/** Limits how often something happens in one room, so that nobody can drown the others. */
export class RoomPace {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws `policy-violation`, of type wait, if somebody wants too much at once. */
  admit(wish: Wish): void {
    const { kind } = wish;
    if (!isLimited(kind)) return;
    const isSlow = this.#take(`${kind} ${wish.from.bare()}`, perUser[kind]);
    const fits = kind === 'enter' || kind === 'post' ? this.#take(kind, perRoom[kind]) : true;
    if (!isSlow || !fits) throw StanzaError.policyViolation('too much at once', { type: 'wait' });
  }

  /** Forgets all users. Call it rarely: each of them may do a burst again. */
  forget(): void {
    this.#buckets.clear();
  }

  #take(key: string, [perSecond, burst]: Rate): boolean {
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      bucket = new TokenBucket(perSecond, burst, this.#clock);
      this.#buckets.set(key, bucket);
    }
    return bucket.tryTake();
  }
}

function isLimited(kind: Wish['kind']): kind is Limited {
  return Object.hasOwn(perUser, kind);
}
