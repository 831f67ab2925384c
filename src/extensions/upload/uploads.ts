import type { BlobStore } from '../../storage/blobs.ts';
import type { DiskState } from '../../storage/storage.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { RecentUsage, UploadStore } from '../../storage/uploads.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import { Tally } from '../../support/metric.ts';
import { mediaType, unknownType } from './media-type.ts';
import { type Slot, Slots, type WantedUpload } from './slots.ts';

const dayMs = 86_400_000;
/** Slots of one account that are not used. */
const maxSlots = 50;
/** Contents deleted in one step. */
const deletedAtOnce = 50;

/** What the operator allows. */
export interface UploadLimits {
  /** Bytes of one file. */
  readonly fileBytes: number;
  /** Bytes that one account uploads in 24 hours. */
  readonly dayBytes: number;
  /** Files that one account uploads in 24 hours. Each costs work, however small it is. */
  readonly dayFiles: number;
  /** Bytes of all files of one account, beyond which its oldest ones are removed. */
  readonly accountBytes: number;
  /** Bytes of all files. */
  readonly totalBytes: number;
  /** Free bytes that uploads leave on the disk. */
  readonly reserveBytes: number;
}

/** Dependencies of {@link Uploads}. */
interface UploadsDeps {
  readonly store: UploadStore;
  readonly blobs: BlobStore;
  readonly disk: () => Pick<DiskState, 'refusing'>;
  readonly limits: UploadLimits;
  readonly clock: Clock;
  readonly log: Log;
}

/** Why there is no slot. `day`: the account has uploaded enough for now. `space`: the server has no room. `slots`: too many are open. */
export type SlotRefusal =
  | { readonly reason: 'day'; readonly retryAtMs: number }
  | { readonly reason: 'size' | 'slots' | 'space' };

/** What a client says of the content that it sends. */
interface Announced {
  /** The Content-Length; undefined without one. */
  readonly length: string | undefined;
  /** The Content-Type; undefined without one. */
  readonly type: string | undefined;
}

/** Files that users upload: who may upload what, and how it becomes durable. */
export class Uploads {
  readonly #deps: UploadsDeps;
  readonly slots: Slots;
  /** Requests without a slot, by the limit. */
  readonly refused = new Tally<'reason'>();
  /** Files that were received since the start. */
  received = 0;
  /** Bytes of all stored contents. */
  #storedBytes: Promise<number>;
  /** The ids that were written since the start, until {@link cleanUp} has searched for contents without a file. */
  #written: Set<string> | undefined = new Set();
  #isStopping = false;

  constructor(deps: UploadsDeps) {
    this.#deps = deps;
    this.slots = new Slots(deps.clock);
    // Before any file is added or deleted, so that each one counts once.
    this.#storedBytes = deps.store.total().then(({ bytes }) => bytes);
    this.#storedBytes.catch(() => undefined);
  }

  /** Promises room for a file. */
  async request(wanted: WantedUpload): Promise<{ readonly slot: Slot; readonly token: string } | SlotRefusal> {
    const { store, clock } = this.#deps;
    const recentMs = clock.nowMs() - dayMs;
    const [usage, storedBytes] = await Promise.all([store.usage(wanted.owner, recentMs), this.#storedBytes]);
    // In one turn, so that two requests cannot both get the last room.
    const refusal = this.#refusal(wanted, usage, storedBytes);
    if (!refusal) return this.slots.open(wanted);
    this.refused.add({ reason: refusal.reason });
    return refusal;
  }

  /** Receives the content of a slot. Resolves with an HTTP status: 201 when it is durable. */
  async receive(token: string, announced: Announced, content: AsyncIterable<Buffer>): Promise<number> {
    const slot = this.slots.find(token);
    if (!slot) return 404;
    const fault = slot.state === 'open' ? faultIn(announced, slot.wanted) : 409;
    if (fault !== undefined) return fault;
    if (!this.#hasRoom(slot.wanted.size)) return 507;
    this.slots.begin(slot);
    try {
      await this.#store(slot, counted(content, slot), announced.type);
    } catch (error) {
      this.slots.end(slot, 'open');
      return statusOf(error);
    }
    this.slots.end(slot, 'used');
    this.received += 1;
    return 201;
  }

  /**
   * Removes what the last run has left: contents without a file, after a crash or a restored backup, and those of files that are gone.
   * Leaves alone what is written meanwhile.
   */
  async cleanUp(): Promise<void> {
    await this.#removeStrays();
    this.#written = undefined;
    while (!this.#isStopping && (await this.deleteSome()));
  }

  /** Deletes the contents of some files that are gone. Resolves with true if more may be left. */
  async deleteSome(): Promise<boolean> {
    const { blobs, store, clock } = this.#deps;
    const ids = (await store.due(deletedAtOnce)).map(({ id }) => id);
    if (ids.length === 0) return false;
    for (const id of ids) await blobs.remove(id);
    this.#count(-(await store.deleted(ids, clock.nowMs())));
    return ids.length === deletedAtOnce;
  }

  /** Ends all slots, and the cleaning up after its next step. */
  stop(): void {
    this.#isStopping = true;
    this.slots.clear();
  }

  async #removeStrays(): Promise<void> {
    const { blobs, store, log } = this.#deps;
    await blobs.removeUnfinished();
    for await (const ids of blobs.ids()) {
      if (this.#isStopping) return;
      const strays = (await store.unknown(ids)).filter((id) => !this.#written?.has(id));
      for (const id of strays) await blobs.remove(id);
      if (strays.length > 0) log.info({ files: strays.length }, 'contents without an upload were removed');
    }
  }

  #refusal({ owner, size }: WantedUpload, usage: RecentUsage, storedBytes: number): SlotRefusal | undefined {
    const { limits, clock } = this.#deps;
    if (size > limits.fileBytes) return { reason: 'size' };
    const { unused } = this.slots;
    const own = unused.filter((slot) => slot.wanted.owner === owner);
    if (own.length >= maxSlots) return { reason: 'slots' };
    const isTooMuch = usage.recentBytes + sizeOf(own) + size > limits.dayBytes;
    if (isTooMuch || usage.recentFiles + own.length >= limits.dayFiles)
      return { reason: 'day', retryAtMs: (usage.recentSinceMs ?? clock.nowMs()) + dayMs };
    const hasRoom = storedBytes + sizeOf(unused) + size <= limits.totalBytes && this.#hasRoom(size);
    return hasRoom ? undefined : { reason: 'space' };
  }

  /** Whether the disk has room for so many more bytes than are on their way. */
  #hasRoom(size: number): boolean {
    const { disk, blobs, limits } = this.#deps;
    if (disk().refusing) return false;
    const coming = this.slots.unused
      .filter(({ state }) => state === 'busy')
      .reduce((sum, { wanted, received }) => sum + wanted.size - received, 0);
    return blobs.freeBytes() - coming - size >= limits.reserveBytes;
  }

  async #store({ id, wanted }: Slot, content: AsyncIterable<Buffer>, announcedType: string | undefined): Promise<void> {
    const { blobs, store, limits, clock } = this.#deps;
    const { owner, name, size } = wanted;
    const type = wanted.type ?? mediaType(announcedType ?? '') ?? unknownType;
    this.#written?.add(id);
    await blobs.write(id, size, content);
    try {
      await store.add(owner, { id, name, type, size, uploadedAtMs: clock.nowMs() }, limits.accountBytes);
    } catch (error) {
      await blobs.remove(id);
      throw error;
    }
    this.#count(size);
  }

  #count(added: number): void {
    this.#storedBytes = this.#storedBytes.then((bytes) => bytes + added);
  }
}

/** What is wrong with a content before its first byte. */
function faultIn({ length, type }: Announced, wanted: WantedUpload): number | undefined {
  if (length === undefined) return 411;
  if (Number(length) !== wanted.size) return 413;
  const isAnother = type !== undefined && wanted.type !== undefined && mediaType(type) !== wanted.type;
  return isAnother ? 415 : undefined;
}

async function* counted(content: AsyncIterable<Buffer>, slot: Slot): AsyncGenerator<Buffer> {
  for await (const chunk of content) {
    slot.received += chunk.length;
    yield chunk;
  }
}

function sizeOf(slots: readonly Slot[]): number {
  return slots.reduce((sum, { wanted }) => sum + wanted.size, 0);
}

/** The status for an upload that failed. Rethrows what is no fault of the store. */
function statusOf(error: unknown): number {
  if (!(error instanceof StorageError)) throw error;
  if (error.code === 'full') return 507;
  // The account was removed meanwhile.
  if (error.code === 'not-found') return 404;
  throw error;
}
