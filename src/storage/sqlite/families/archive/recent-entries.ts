/** The messages of one archive, in the order of their ids; `peers` has the other end of each. */
interface Entries {
  readonly ids: number[];
  readonly peers: number[];
}

/** One message of one archive. */
interface Entry {
  readonly id: number;
  readonly peer: number;
}

const none: Entries = { ids: [], peers: [] };

/** The entries of archives that are not in the index yet. */
export class RecentEntries {
  readonly #byArchive = new Map<number, Entries>();

  /** The archives that have entries, by number. */
  get archives(): number[] {
    return [...this.#byArchive.keys()].sort((a, b) => a - b);
  }

  /** Adds an entry, whose id must be the largest so far. */
  add(archive: number, id: number, peer: number): void {
    let entries = this.#byArchive.get(archive);
    if (entries === undefined) {
      entries = { ids: [], peers: [] };
      this.#byArchive.set(archive, entries);
    }
    entries.ids.push(id);
    entries.peers.push(peer);
  }

  has(archive: number, id: number): boolean {
    const entries = this.#byArchive.get(archive);
    return entries !== undefined && entries.ids[placeOf(entries.ids, id)] === id;
  }

  remove(archive: number, id: number): void {
    const entries = this.#byArchive.get(archive);
    if (entries === undefined) return;
    const place = placeOf(entries.ids, id);
    if (entries.ids[place] !== id) return;
    entries.ids.splice(place, 1);
    entries.peers.splice(place, 1);
    if (entries.ids.length === 0) this.#byArchive.delete(archive);
  }

  /** Removes all entries up to an id. */
  removeUpTo(id: number): void {
    for (const [archive, { ids, peers }] of this.#byArchive) {
      const count = placeOf(ids, id + 1);
      if (count === ids.length) this.#byArchive.delete(archive);
      else if (count > 0) {
        ids.splice(0, count);
        peers.splice(0, count);
      }
    }
  }

  clear(): void {
    this.#byArchive.clear();
  }

  /** How many entries of an archive have ids between these two. */
  count(archive: number, afterId: number, beforeId: number): number {
    const { ids } = this.#byArchive.get(archive) ?? none;
    return Math.max(0, placeOf(ids, beforeId) - placeOf(ids, afterId + 1));
  }

  /** The entries of an archive with ids between these two, the first ones first. */
  *forwards(archive: number, afterId: number, beforeId: number): IterableIterator<Entry> {
    const { ids, peers } = this.#byArchive.get(archive) ?? none;
    for (let place = placeOf(ids, afterId + 1); place < ids.length; place++) {
      const id = ids[place]!;
      if (id >= beforeId) return;
      yield { id, peer: peers[place]! };
    }
  }

  /** The same, the last ones first. */
  *backwards(archive: number, afterId: number, beforeId: number): IterableIterator<Entry> {
    const { ids, peers } = this.#byArchive.get(archive) ?? none;
    for (let place = placeOf(ids, beforeId) - 1; place >= 0; place--) {
      const id = ids[place]!;
      if (id <= afterId) return;
      yield { id, peer: peers[place]! };
    }
  }
}

/** How many ids are smaller than `id`. */
function placeOf(ids: readonly number[], id: number): number {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ids[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
