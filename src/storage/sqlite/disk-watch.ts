import type { Clock, Timer } from '../../support/clock.ts';
import type { DiskSpace } from '../../support/disk-space.ts';
import type { Log } from '../../support/log.ts';
import type { DiskState } from '../storage.ts';

const intervalMs = 5000;
/** Below the first share of the disk the operator is warned, above the second the warning is over. */
const [lowShare, fineShare] = [0.1, 0.15];

/** What watching a disk needs. */
interface DiskWatchDeps {
  readonly space: () => DiskSpace;
  /** The size of the ballast; 0 if there is none, and nothing is refused. */
  readonly ballastBytes: number;
  readonly hasBallast: boolean;
  /** Makes the ballast; false if there is no room for it. */
  readonly makeBallast: () => Promise<boolean>;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
}

/**
 * Looks at the disk now and then. New work is refused while less than twice the ballast is free beside the ballast itself, and after
 * the disk was full until the ballast is back.
 */
export class DiskWatch {
  readonly #deps: DiskWatchDeps;
  #space: DiskSpace;
  #hasBallast: boolean;
  #making = false;
  #refusing = false;
  #low = false;
  #toldFull = false;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(deps: DiskWatchDeps) {
    this.#deps = deps;
    this.#hasBallast = deps.hasBallast;
    this.#space = deps.space();
  }

  /** How the disk was when it was last looked at. */
  get state(): DiskState {
    return { ...this.#space, refusing: this.#refusing };
  }

  /** Whether there is no room for new work. */
  get refusing(): boolean {
    return this.#refusing;
  }

  /** Looks from now on. */
  start(): void {
    this.#judge();
  }

  /** A write has failed for want of room, and the ballast is gone. */
  full(): void {
    this.#hasBallast = false;
    this.#refusing = this.#deps.ballastBytes > 0;
    if (this.#toldFull) return;
    this.#toldFull = true;
    this.#space = this.#deps.space();
    this.#deps.log.error(this.state, 'the disk is full: what was to be written then was refused');
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #judge(): void {
    this.#toldFull = false;
    this.#tellIfLow();
    if (this.#spareBytes < 2 * this.#deps.ballastBytes) this.#refuse();
    else if (this.#hasBallast || this.#deps.ballastBytes === 0) this.#accept();
    else void this.#makeBallast();
    if (!this.#stopped) this.#timer = this.#deps.clock.after(intervalMs, () => this.#look());
  }

  #look(): void {
    this.#space = this.#deps.space();
    this.#judge();
  }

  /** What is free beside the ballast, be that there or yet to be made. */
  get #spareBytes(): number {
    return this.#space.freeBytes - (this.#hasBallast ? 0 : this.#deps.ballastBytes);
  }

  #tellIfLow(): void {
    const { freeBytes, totalBytes } = this.#space;
    const share = freeBytes / totalBytes;
    if (!this.#low && share < lowShare) this.#deps.log.warn(this.#space, 'less than a tenth of the disk is free');
    this.#low = share < (this.#low ? fineShare : lowShare);
  }

  #refuse(): void {
    if (this.#refusing) return;
    this.#refusing = true;
    this.#deps.log.error(this.state, 'the disk is nearly full: nothing new is stored until there is room');
  }

  #accept(): void {
    if (!this.#refusing) return;
    this.#refusing = false;
    this.#deps.log.info(this.state, 'there is room on the disk again');
  }

  async #makeBallast(): Promise<void> {
    if (this.#making) return;
    this.#making = true;
    // If the storage has ended meanwhile there is nothing to watch over any more.
    this.#hasBallast = await this.#deps.makeBallast().catch(() => false);
    this.#making = false;
    if (this.#hasBallast) this.#accept();
  }
}
