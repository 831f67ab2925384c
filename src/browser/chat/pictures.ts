import { ns } from '../../protocol/namespaces.ts';
import { type Bytes, fromBase64, hexOf } from './base64.ts';
import { childOf, el, textOf } from './element.ts';
import { RequestFailed } from './own-requests.ts';
import type { Session } from './session.ts';
import type { ChatState } from './state.ts';

/** Dependencies of the pictures. */
interface PicturesDeps {
  readonly session: Pick<Session, 'request'>;
  readonly state: Pick<ChatState, 'me' | 'pictures'>;
  /** A picture has come. */
  readonly changed: () => void;
}

/** The pictures of contacts and of the user (XEP-0084). Each is read once while the page is open. */
export class Pictures {
  readonly #deps: PicturesDeps;
  /** Addresses that the page can show, by the hashes of the pictures. Empty while a picture is being read, and if it cannot be. */
  readonly #urls = new Map<string, string>();

  constructor(deps: PicturesDeps) {
    this.#deps = deps;
  }

  /** The picture of a user, if it is here. Otherwise it is read. */
  of(jid: string): string | undefined {
    const hash = this.#deps.state.pictures.get(jid);
    if (hash === undefined) return undefined;
    if (!this.#urls.has(hash)) void this.#read(jid, hash);
    return this.#urls.get(hash) || undefined;
  }

  async #read(jid: string, hash: string): Promise<void> {
    const { session, state, changed } = this.#deps;
    this.#urls.set(hash, '');
    const items = el(ns.pubsub, 'items', { node: ns.avatarData }, el(ns.pubsub, 'item', { id: hash }));
    try {
      const answer = await session.request(
        'get',
        jid === state.me ? undefined : jid,
        el(ns.pubsub, 'pubsub', {}, items),
      );
      const item = childOf(childOf(childOf(answer, 'pubsub', ns.pubsub), 'items', ns.pubsub), 'item', ns.pubsub);
      const bytes = fromBase64(textOf(childOf(item, 'data', ns.avatarData)).replaceAll(/\s/g, ''));
      if ((await hashOf(bytes)) !== hash) return;
      // As an image it runs no scripts, whatever it is.
      this.#urls.set(hash, URL.createObjectURL(new Blob([bytes])));
      changed();
    } catch (error) {
      if (!(error instanceof RequestFailed) && !(error instanceof DOMException)) throw error;
    }
  }
}

/** The id of a picture (XEP-0084 §4.1). */
export async function hashOf(bytes: Bytes): Promise<string> {
  return hexOf(new Uint8Array(await crypto.subtle.digest('SHA-1', bytes)));
}
