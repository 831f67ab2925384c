/** Thrown when as much password hashing waits as may wait. */
export class Pbkdf2QueueFull extends Error {
  constructor() {
    super('too many passwords are waiting to be checked');
    this.name = 'Pbkdf2QueueFull';
  }
}

/** Bounds of a {@link Pbkdf2Queue}. */
interface Pbkdf2QueueOptions {
  /** Pieces of work done at once. */
  readonly concurrency?: number;
  /** Pieces of work that may wait for their turn. */
  readonly maxWaiting?: number;
}

/** Lets few password hashes be computed at a time, so that clients that have not authenticated cannot fill the thread pool. */
export class Pbkdf2Queue {
  readonly #concurrency: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor({ concurrency = 2, maxWaiting = 200 }: Pbkdf2QueueOptions = {}) {
    this.#concurrency = concurrency;
    this.#maxWaiting = maxWaiting;
  }

  /** Does the work when its turn comes; throws {@link Pbkdf2QueueFull} at once if it may not even wait. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#concurrency) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= this.#maxWaiting) throw new Pbkdf2QueueFull();
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    // The one who leaves hands its place over, so that nobody can slip in between.
    if (next) next();
    else this.#running -= 1;
  }
}
