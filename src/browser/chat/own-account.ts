import { ns } from '../../protocol/namespaces.ts';
import { domainOf, localOf } from './address.ts';
import { type Bytes, toBase64, toBase64Url, utf8 } from './base64.ts';
import { childOf, el, elementsOf, textOf, type XmlElement } from './element.ts';
import { RequestFailed } from './own-requests.ts';
import { hashOf } from './pictures.ts';
import type { Session } from './session.ts';

/** A device with access to the account (XEP-0494). */
export interface KnownDevice {
  readonly id: string;
  /** What it says of itself. */
  readonly name: string;
  readonly isConnected: boolean;
  /** Whether it can come back without the password. */
  readonly hasToken: boolean;
  readonly isThis: boolean;
  readonly lastSeenMs: number;
}

/** A picture in the format that all clients can show. */
export interface PngPicture {
  readonly bytes: Bytes;
  /** The pixels of each side. */
  readonly size: number;
}

/** What users change of their own accounts. Methods reject with `RequestFailed`. */
export class OwnAccount {
  readonly #session: Pick<Session, 'jid' | 'renew' | 'request'>;
  readonly #me: string;
  readonly #agent: string;

  constructor(session: Pick<Session, 'jid' | 'renew' | 'request'>, me: string, agent: string) {
    this.#session = session;
    this.#me = me;
    this.#agent = agent;
  }

  /** Changes the password (XEP-0077 §3.3). The server ends all other sessions, and revokes all tokens. */
  async changePassword(password: string): Promise<void> {
    const fields = [el(ns.register, 'username', {}, localOf(this.#me)), el(ns.register, 'password', {}, password)];
    await this.#session.request('set', domainOf(this.#me), el(ns.register, 'query', {}, ...fields));
    this.#session.renew(password);
  }

  /** The devices that are logged in, this one first, then those that were seen last. */
  async devices(): Promise<KnownDevice[]> {
    const own = await ownDeviceId(this.#me, this.#agent);
    const answer = await this.#session.request('get', undefined, el(ns.clientAccess, 'list'));
    const clients = elementsOf(childOf(answer, 'clients', ns.clientAccess)).map((client) => deviceIn(client, own));
    const rank = ({ isThis, lastSeenMs }: KnownDevice) => (isThis ? Number.POSITIVE_INFINITY : lastSeenMs);
    const loggedIn = clients.filter(({ isConnected, hasToken }) => isConnected || hasToken);
    return loggedIn.toSorted((one, other) => rank(other) - rank(one));
  }

  /** Ends the sessions of a device, and revokes its token. */
  async revoke(device: KnownDevice): Promise<void> {
    try {
      await this.#session.request('set', undefined, el(ns.clientAccess, 'revoke', { id: device.id }));
    } catch (error) {
      // It knows the password and can come back (XEP-0494 §3.2), or it is gone already.
      const isDone = ['service-unavailable', 'item-not-found'];
      if (!(error instanceof RequestFailed) || !isDone.includes(error.condition)) throw error;
    }
  }

  /** Logs all other devices out. */
  async revokeOthers(): Promise<void> {
    const others = (await this.devices()).filter(({ isThis }) => !isThis);
    await Promise.all(others.map((device) => this.revoke(device)));
  }

  /** Sets the name that others see (XEP-0172); '' removes it. */
  async setName(name: string): Promise<void> {
    await this.#publish(ns.nickname, 'current', el(ns.nickname, 'nick', {}, name));
  }

  /** Sets the picture that others see (XEP-0084); undefined removes it. */
  async setPicture(picture: PngPicture | undefined): Promise<void> {
    if (!picture) return this.#publish(ns.avatarMetadata, 'current', el(ns.avatarMetadata, 'metadata'));
    const { bytes, size } = picture;
    const id = await hashOf(bytes);
    await this.#publish(ns.avatarData, id, el(ns.avatarData, 'data', {}, toBase64(bytes)));
    const attributes = { id, bytes: bytes.length, type: 'image/png', width: size, height: size };
    await this.#publish(
      ns.avatarMetadata,
      id,
      el(ns.avatarMetadata, 'metadata', {}, el(ns.avatarMetadata, 'info', attributes)),
    );
  }

  async #publish(node: string, id: string, payload: XmlElement): Promise<void> {
    const publish = el(ns.pubsub, 'publish', { node }, el(ns.pubsub, 'item', { id }, payload));
    await this.#session.request('set', undefined, el(ns.pubsub, 'pubsub', {}, publish));
  }
}

/** The id that the server gives to the device of a user agent. */
async function ownDeviceId(me: string, agent: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', utf8(`${me}\0${agent}`));
  return toBase64Url(new Uint8Array(hash)).slice(0, 22);
}

function deviceIn(client: XmlElement, own: string): KnownDevice {
  const { id = '', connected } = client.attributes;
  const agent = childOf(client, 'user-agent', ns.clientAccess);
  const says = ['software', 'device'].map((name) => textOf(childOf(agent, name, ns.clientAccess)));
  return {
    id,
    name: says.filter((text) => text !== '').join(', ') || 'A device without a name',
    isConnected: connected === 'true',
    hasToken: childOf(childOf(client, 'auth', ns.clientAccess), 'fast', ns.clientAccess) !== undefined,
    isThis: id === own,
    lastSeenMs: Date.parse(textOf(childOf(client, 'last-seen', ns.clientAccess))) || 0,
  };
}
