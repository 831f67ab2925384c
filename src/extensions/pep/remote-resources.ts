import { type Caps, isSameCaps } from '../../protocol/caps.ts';
import type { Jid } from '../../protocol/jid.ts';
import { nothingWanted, type WantedSet } from './wanted-nodes.ts';

/** An available resource of a contact on another server. */
interface RemoteResource {
  readonly jid: Jid;
  readonly caps: Caps;
  /** What it wanted when it was last sent the last items. */
  served: WantedSet;
}

/** Resources that one account remembers. */
const maxOfAccount = 2000;
/** Resources that all accounts remember; beyond them the account that was first remembered is forgotten. */
const maxOfAll = 200_000;

/**
 * The available resources of contacts on other servers, as their presence to each account told. The presence of contacts of this server
 * is in their sessions.
 */
export class RemoteResources {
  readonly #byAccount = new Map<string, Map<string, RemoteResource>>();
  #size = 0;

  of(account: string): Iterable<RemoteResource> {
    return this.#byAccount.get(account)?.values() ?? [];
  }

  /** Remembers what a presence tells. Returns nothing if the account cannot remember more. */
  see(account: string, jid: Jid, caps: Caps): RemoteResource | undefined {
    const known = this.#byAccount.get(account);
    const before = known?.get(jid.toString());
    if (before && isSameCaps(before.caps, caps)) return before;
    if (!before && known && known.size >= maxOfAccount) return undefined;
    const resource = { jid, caps, served: before?.served ?? nothingWanted };
    const resources = known ?? new Map<string, RemoteResource>();
    if (!known) this.#byAccount.set(account, resources);
    if (!before) this.#size += 1;
    resources.set(jid.toString(), resource);
    if (this.#size > maxOfAll) this.#forgetOldest();
    return resource;
  }

  /** The resource has gone. */
  forget(account: string, jid: Jid): void {
    const resources = this.#byAccount.get(account);
    if (!resources?.delete(jid.toString())) return;
    this.#size -= 1;
    if (resources.size === 0) this.#byAccount.delete(account);
  }

  /** All resources of a contact are out of sight. */
  forgetContact(account: string, contact: Jid): void {
    for (const { jid } of [...this.of(account)]) if (jid.bare().equals(contact)) this.forget(account, jid);
  }

  forgetAccount(account: string): void {
    this.#size -= this.#byAccount.get(account)?.size ?? 0;
    this.#byAccount.delete(account);
  }

  #forgetOldest(): void {
    const [oldest] = this.#byAccount.keys();
    if (oldest !== undefined) this.forgetAccount(oldest);
  }
}
