import type { Clock, Timer } from '../../support/clock.ts';
import type { DiskSpace } from '../../support/disk-space.ts';
import type { Log } from '../../support/log.ts';
import type { DiskState } from '../storage.ts';
import type { ReclaimedSpace } from './maintenance.ts';

const intervalMs = 5000;
/** Below the first share of free space the operator is warned; above the second the warning may be repeated. */
const [lowShare, fineShare] = [0.1, 0.15];

/** Shares of the ballast: free space, beside the ballast, below which data is refused, or space is reclaimed to avoid that. */
const [refuseBelow, reclaimBelow] = [2, 3];
/** The share of the ballast after which the free space is looked at, however little time has passed: a fast writer must not outrun the check. */
const lookEvery = 1 / 8;
/** The share of the ballast that must be free on the disk: free pages in the database cannot be used without space for the log. */
const leastForLog = 1 / 8;

/** Dependencies of a disk watch. */
interface DiskWatchDeps {
  readonly space: () => DiskSpace;
  /** The size of the ballast; 0 for none, and then nothing is refused early. */
  readonly ballastBytes: number;
  readonly hasBallast: boolean;
  /** Makes the ballast; false if there is not enough space for it. */
  readonly makeBallast: () => Promise<boolean>;
  /** Gives the space of the log back to the file system. */
  readonly reclaimSpace: () => Promise<ReclaimedSpace>;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
}

/**
 * Checks the free space every few seconds, and when much has been written. Writes that add data are refused while less than twice the ballast is free beside the ballast
 * itself, and after the disk was full until the ballast is back. Free pages inside the database count as free space, since new data goes
 * there first.
 */
export class DiskWatch {
  readonly #deps: DiskWatchDeps;
  #space: DiskSpace;
  /** Bytes that are free inside the database; 0 while enough is free on the disk anyway. */
  #reusableBytes = 0;
  /** Bytes that were written since the free space was looked at. */
  #unseenBytes = 0;
  #hasBallast: boolean;
  #isMaintaining = false;
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

  /** The disk at the last check. */
  get state(): DiskState {
    return { ...this.#space, refusing: this.#refusing };
  }

  /** Whether writes that add data are refused. */
  get refusing(): boolean {
    return this.#refusing;
  }

  /** Checks now, and from now on. */
  start(): void {
    this.#check();
  }

  /** Something is written, of about this size. */
  writing(bytes: number): void {
    this.#unseenBytes += bytes;
    const { ballastBytes, space } = this.#deps;
    if (ballastBytes === 0 || this.#unseenBytes < lookEvery * ballastBytes) return;
    this.#reusableBytes = Math.max(0, this.#reusableBytes - this.#unseenBytes);
    this.#unseenBytes = 0;
    this.#space = space();
    this.#judge();
  }

  /** A write has failed for lack of space, and the ballast has been deleted. */
  full(): void {
    this.#hasBallast = false;
    this.#refusing = this.#deps.ballastBytes > 0;
    if (this.#toldFull) return;
    this.#toldFull = true;
    this.#space = this.#deps.space();
    this.#deps.log.error(this.state, 'the disk is full: the writes under way were refused');
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #check(): void {
    this.#space = this.#deps.space();
    this.#toldFull = false;
    this.#warnIfLow();
    this.#judge();
    void this.#maintain();
    if (!this.#stopped) this.#timer = this.#deps.clock.after(intervalMs, () => this.#check());
  }

  #judge(): void {
    if (!this.#hasEnough) this.#refuse();
    else if (this.#hasBallast || this.#deps.ballastBytes === 0) this.#accept();
  }

  /** Reclaims space while it is scarce, and makes the ballast when there is enough. */
  async #maintain(): Promise<void> {
    if (this.#isMaintaining) return;
    this.#isMaintaining = true;
    const { ballastBytes, space, makeBallast } = this.#deps;
    try {
      if (this.#spareBytes < reclaimBelow * ballastBytes) await this.#reclaim();
      else this.#reusableBytes = 0;
      if (this.#hasEnough && !this.#hasBallast && ballastBytes > 0) this.#hasBallast = await makeBallast();
      this.#space = space();
      this.#judge();
    } catch {
      // The storage has closed, or the next check tries again.
    } finally {
      this.#isMaintaining = false;
    }
  }

  async #reclaim(): Promise<void> {
    const { reusableBytes, hasBallast } = await this.#deps.reclaimSpace();
    this.#reusableBytes = reusableBytes;
    this.#hasBallast = hasBallast;
    this.#space = this.#deps.space();
  }

  /** What is free on the disk beside the ballast, whether it exists or has yet to be made. */
  get #spareBytes(): number {
    return this.#space.freeBytes - (this.#hasBallast ? 0 : this.#deps.ballastBytes);
  }

  get #hasEnough(): boolean {
    const { ballastBytes } = this.#deps;
    const spare = this.#spareBytes;
    return spare >= leastForLog * ballastBytes && spare + this.#reusableBytes >= refuseBelow * ballastBytes;
  }

  #warnIfLow(): void {
    const { freeBytes, totalBytes } = this.#space;
    const share = freeBytes / totalBytes;
    if (!this.#low && share < lowShare) this.#deps.log.warn(this.#space, 'less than a tenth of the disk is free');
    this.#low = share < (this.#low ? fineShare : lowShare);
  }

  #refuse(): void {
    if (this.#refusing) return;
    this.#refusing = true;
    this.#deps.log.error(this.state, 'the disk is nearly full: nothing new is stored until space is free');
  }

  #accept(): void {
    if (!this.#refusing) return;
    this.#refusing = false;
    this.#deps.log.info(this.state, 'enough disk space is free again');
  }
}
