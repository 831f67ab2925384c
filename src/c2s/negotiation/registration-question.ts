import { randomInt } from 'node:crypto';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Clock } from '../../support/clock.ts';
import { networkOf } from '../../support/network-of.ts';
import { type Rate, TokenBuckets } from '../../support/token-buckets.ts';
import type { NegotiatingStream } from './stream-feature.ts';

/** A question for people, with all answers that are right. */
export interface Question {
  readonly question: string;
  readonly answers: readonly string[];
}

/** Wrong answers of one network, in the time in which it may register as many accounts as the limits say. */
const maxWrong = 5;

/** The questions that people answer before they register without an invitation (XEP-0158 §4, `qa`). */
export class RegistrationQuestions {
  readonly #options: { readonly questions: readonly Question[] };
  /** The question of each stream. Another one comes after a wrong answer. */
  readonly #asked = new WeakMap<NegotiatingStream, Question>();
  readonly #wrong: TokenBuckets;

  /** The options and the length of the time are read at each use. */
  constructor(
    options: { readonly questions: readonly Question[] },
    limits: { readonly windowSeconds: number },
    clock: Clock,
  ) {
    this.#options = options;
    const rate: Rate = {
      get perSecond() {
        return maxWrong / limits.windowSeconds;
      },
      burst: maxWrong,
    };
    this.#wrong = new TokenBuckets(rate, clock);
  }

  /** The question for a stream; undefined if people need not answer any. */
  for(stream: NegotiatingStream): Question | undefined {
    const { questions } = this.#options;
    if (questions.length === 0) return undefined;
    const known = this.#asked.get(stream) ?? questions[randomInt(questions.length)];
    if (known) this.#asked.set(stream, known);
    return known;
  }

  /** Checks the answer. Throws `not-acceptable` for a wrong or missing one, and `resource-constraint` after too many. */
  check(stream: NegotiatingStream, answer: string | undefined): void {
    if (this.#options.questions.length === 0) return;
    const asked = this.#asked.get(stream);
    if (asked && answer !== undefined && asked.answers.some((right) => normalized(right) === normalized(answer)))
      return;
    this.#asked.delete(stream);
    if (!this.#wrong.tryTake(networkOf(stream.remoteAddress)))
      throw StanzaError.resourceConstraint('too many wrong answers; try again later');
    throw StanzaError.notAcceptable('the question of the registration form is not answered, or the answer is wrong');
  }
}

/** People write what they mean in many ways. */
function normalized(answer: string): string {
  return answer.normalize('NFKC').trim().replaceAll(/\s+/g, ' ').toLowerCase();
}
