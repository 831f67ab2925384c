import type { MaybePromise } from '../../routing/maybe-promise.ts';

interface OpenStanza {
  /** How many pieces of work are not done yet. The routing of the stanza is one. */
  open: number;
}

/**
 * Counts the stanzas of a sender that are final: answered, refused, dropped by rule, or durable with all they caused. The count is a
 * prefix: it passes a stanza only when all before it are final, too (XEP-0198 §4).
 */
export class HandledCount {
  readonly #moved: () => void;
  readonly #failed: (error: unknown) => void;
  readonly #unfinished: OpenStanza[] = [];
  #handled: number;
  #taken: number;
  #current: OpenStanza | undefined;
  #idle: (() => void)[] = [];
  #over = false;

  /** `moved` is called whenever the count has grown, `failed` when a stanza has failed and can never be final. */
  constructor(handled: number, moved: () => void, failed: (error: unknown) => void) {
    this.#handled = handled;
    this.#taken = handled;
    this.#moved = moved;
    this.#failed = failed;
  }

  /** How many are final; never wraps. */
  get handled(): number {
    return this.#handled;
  }

  /** How many have been received. */
  get taken(): number {
    return this.#taken;
  }

  /** Counts a stanza and has it routed by `take`. If that throws, the stanza is never final, and its stream must end. */
  count(take: () => MaybePromise<void>): MaybePromise<void> {
    const taken: OpenStanza = { open: 1 };
    this.#unfinished.push(taken);
    this.#taken += 1;
    this.#current = taken;
    const pending = take();
    if (!(pending instanceof Promise)) return this.#finish(taken);
    return pending.then(() => this.#finish(taken), this.#failed);
  }

  /** The stanza that is being routed is not final before `work` is done, and never if it fails. */
  ackAfter(work: Promise<unknown>): void {
    const taken = this.#current;
    if (!taken) return;
    taken.open += 1;
    void work.then(() => this.#finish(taken), this.#failed);
  }

  /** Resolves when every stanza received is final, or the session has ended. */
  settled(): Promise<void> {
    if (this.#over || this.#unfinished.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** The session has ended: {@link settled} resolves. */
  end(): void {
    this.#over = true;
    this.#wake();
  }

  #finish(taken: OpenStanza): void {
    taken.open -= 1;
    if (taken.open > 0) return;
    const before = this.#handled;
    while (this.#unfinished[0]?.open === 0) {
      this.#unfinished.shift();
      this.#handled += 1;
    }
    if (this.#handled > before) this.#moved();
    if (this.#unfinished.length === 0) this.#wake();
  }

  #wake(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const wake of idle) wake();
  }
}
