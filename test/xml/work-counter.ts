import { Session } from 'node:inspector';

/** Native methods whose cost grows with what they are given, which V8 does not count; and how much that is. */
const natives: readonly [owner: object, method: string, cost: (self: unknown, args: readonly unknown[]) => number][] = [
  [Buffer, 'concat', (_, [list]) => (Array.isArray(list) ? list.reduce((sum, { length }) => sum + length, 0) : 0)],
  [Buffer, 'from', (_, [content]) => lengthOf(content)],
  [Buffer, 'alloc', (_, [size]) => Number(size)],
  [Buffer.prototype, 'copy', (self, [, , from = 0, to]) => Number(to ?? lengthOf(self)) - Number(from)],
  [Buffer.prototype, 'toString', (self, [, from = 0, to]) => Number(to ?? lengthOf(self)) - Number(from)],
  [Buffer.prototype, 'equals', lengthOf],
  [RegExp.prototype, 'exec', (_, [text]) => lengthOf(text)],
];

function lengthOf(value: unknown): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 0;
}

/**
 * Counts the work of code in place of its time: how often its blocks run, by V8's coverage, and how many bytes or characters
 * it hands to native methods. The count is the same on every run. Code that was compiled before `start` is not counted.
 */
export class WorkCounter {
  readonly #session = new Session();
  readonly #isCounted: (url: string) => boolean;
  readonly #restore: (() => void)[] = [];
  #nativeWork = 0;

  constructor(isCounted: (url: string) => boolean) {
    this.#isCounted = isCounted;
  }

  /** Begins to count. */
  start(): void {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    for (const [owner, method, cost] of natives) this.#count(owner, method, cost);
  }

  /** Ends counting and puts the native methods back. */
  stop(): void {
    for (const restore of this.#restore.splice(0)) restore();
    this.#session.disconnect();
  }

  /** The work of a function. */
  of(work: () => void): number {
    this.#takeBlocks();
    this.#nativeWork = 0;
    work();
    return this.#nativeWork + this.#takeBlocks();
  }

  #count(owner: object, method: string, cost: (self: unknown, args: readonly unknown[]) => number): void {
    const original = Reflect.get(owner, method);
    const add = (work: number) => {
      this.#nativeWork += work;
    };
    function counted(this: unknown, ...args: readonly unknown[]): unknown {
      add(cost(this, args));
      return Reflect.apply(original, this, args);
    }
    Reflect.set(owner, method, counted);
    this.#restore.push(() => Reflect.set(owner, method, original));
  }

  /** How often blocks have run since the last call. */
  #takeBlocks(): number {
    let blocks = 0;
    this.#session.post('Profiler.takePreciseCoverage', (_, { result }) => {
      const functions = result.filter(({ url }) => this.#isCounted(url)).flatMap((script) => script.functions);
      blocks = functions.flatMap(({ ranges }) => ranges).reduce((sum, { count }) => sum + count, 0);
    });
    return blocks;
  }
}
