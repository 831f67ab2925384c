const capacity = 64;

/** Remembers the latest ids of the messages that an account has sent, as hashes: two ids can be mistaken for each other, which is rare. */
export class RecentIds {
  readonly #hashes = new Uint32Array(capacity);
  #next = 0;

  add(id: string): void {
    this.#hashes[this.#next] = hashOf(id);
    this.#next = (this.#next + 1) % capacity;
  }

  has(id: string): boolean {
    return this.#hashes.includes(hashOf(id));
  }
}

/** FNV-1a over the code units; never 0, the value of an unused place. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0 || 1;
}
