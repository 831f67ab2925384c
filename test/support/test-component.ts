import { createHash } from 'node:crypto';
import { TestClient } from './test-client.ts';
import { type ConnectionTarget, TestConnection } from './test-connection.ts';
import type { Tree } from './xml-tree.ts';

/** A component that does exactly what the test says, over a real socket (XEP-0114). */
export class TestComponent extends TestClient {
  readonly address: string;

  private constructor(connection: TestConnection, address: string, server: string) {
    super(connection, server);
    this.address = address;
    this.stamp = ` from="${address}"`;
  }

  /** Connects as the component at `address` of `server`, and says nothing yet. */
  static async to(target: ConnectionTarget, address: string, server: string): Promise<TestComponent> {
    return new TestComponent(await TestConnection.open(target), address, server);
  }

  /** Opens the stream; returns the stream's id. */
  async greets(to = this.address): Promise<string> {
    const namespaces = 'xmlns="jabber:component:accept" xmlns:stream="http://etherx.jabber.org/streams"';
    this.sends(`<stream:stream ${namespaces} to="${to}">`);
    const header = await this.receivesHeader();
    return header.attributes.get('id') ?? '';
  }

  /** The next element must fit the pattern, which speaks of stanzas as components do. */
  override receives(pattern: string): Promise<Tree> {
    const stanza = /^<(?:message|presence|iq)\b(?! xmlns)/;
    return super.receives(pattern.replace(stanza, (tag) => `${tag} xmlns="jabber:component:accept"`));
  }

  /** Answers the ping by which the server asks whether everything has come. */
  async provesReceipt(): Promise<void> {
    const ping = await this.receives(`<iq type="get" to="${this.address}"><ping xmlns="urn:xmpp:ping"/></iq>`);
    const { attributes } = ping;
    this.sends(`<iq${this.stamp} type="result" id="${attributes.get('id')}" to="${attributes.get('from')}"/>`);
    await this.drains();
  }

  /** Opens the stream and proves itself. */
  async joins(secret: string): Promise<this> {
    this.sends(handshake(await this.greets(), secret));
    await this.receives('<handshake xmlns="jabber:component:accept"/>');
    return this;
  }
}

/** The proof of XEP-0114 §3. */
export function handshake(streamId: string, secret: string): string {
  return `<handshake>${createHash('sha1')
    .update(streamId + secret)
    .digest('hex')}</handshake>`;
}
