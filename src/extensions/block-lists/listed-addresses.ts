import { createHash } from 'node:crypto';
import type { Jid } from '../../protocol/jid.ts';

/** Answers that are remembered, so that a message does not cost two hashes. */
const maxRemembered = 10_000;

/**
 * The entries of all followed block lists. An entry is a bare address, a domain, or the SHA-256 of one in hexadecimal digits, as in
 * `muc_bans_sha256` and `spam_source_domains` of xmppbl.org.
 */
export class ListedAddresses {
  readonly #lists = new Map<string, Set<string>>();
  /** By bare address; dropped when a list changes. */
  readonly #remembered = new Map<string, boolean>();

  add(list: string, entries: Iterable<string>): void {
    const known = this.of(list);
    for (const entry of entries) known.add(entry);
    this.#lists.set(list, known);
    this.#remembered.clear();
  }

  remove(list: string, entries: Iterable<string>): void {
    const known = this.of(list);
    for (const entry of entries) known.delete(entry);
    if (known.size === 0) this.#lists.delete(list);
    this.#remembered.clear();
  }

  /** The entries of a list. */
  of(list: string): Set<string> {
    return this.#lists.get(list) ?? new Set();
  }

  /** The lists with entries. */
  get lists(): readonly string[] {
    return [...this.#lists.keys()];
  }

  /** Whether a list has the address, without its resource, or its domain. Cheap while no list has entries. */
  has(address: Jid): boolean {
    if (this.#lists.size === 0) return false;
    const bare = address.bare().toString();
    const remembered = this.#remembered.get(bare);
    if (remembered !== undefined) return remembered;
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
    const found = this.listsWith(address).length > 0;
    this.#remembered.set(bare, found);
    return found;
  }

  /** The lists that have the address or its domain. */
  listsWith(address: Jid): string[] {
    const names = [address.bare().toString(), address.domain];
    const entries = [...names, ...names.map(sha256)];
    return this.lists.filter((list) => entries.some((entry) => this.of(list).has(entry)));
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
