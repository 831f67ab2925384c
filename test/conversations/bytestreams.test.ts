import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { expectTree, type TestClient } from '../support/test-client.ts';

const proxy = 'proxy.localhost';
const bytestreams = 'http://jabber.org/protocol/bytestreams';
const limits = { transfersPerAccount: 1, negotiationSeconds: 30 };

/** One side of a transfer. */
class Side {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);
  #wake = () => {};
  #ended = false;

  private constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    this.socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    this.socket.on('end', end);
    this.socket.on('error', end);
  }

  /** Connects and asks for a key. `extra` is sent with the request. */
  static async asksFor(port: number, key: string, extra = ''): Promise<Side> {
    const side = new Side(port);
    side.socket.write(Buffer.concat([Buffer.of(5, 1, 0, 5, 1, 0, 3, key.length), Buffer.from(`${key}\0\0${extra}`)]));
    expect(await side.reads(2)).to.equal('\x05\x00');
    return side;
  }

  /** Reads the reply to the request; 0 for success. */
  async replied(): Promise<number> {
    const reply = await this.reads(47);
    return reply.charCodeAt(1);
  }

  /** Reads so many bytes. */
  async reads(count: number): Promise<string> {
    while (this.#bytes.length < count) {
      if (this.#ended) throw new Error(`the connection ended after ${this.#bytes.length} of ${count} bytes`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const read = this.#bytes.subarray(0, count).toString('latin1');
    this.#bytes = this.#bytes.subarray(count);
    return read;
  }

  /** Reads until the end. */
  async readsAll(): Promise<string> {
    while (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#bytes.toString('latin1');
  }
}

describe('SOCKS5 Bytestreams (XEP-0065)', () => {
  const here = [{ host: '127.0.0.1', port: 0 }];
  const listen = { c2s: here, c2sTls: here, proxy: here };
  const stage = new Stage({ settings: { listen, limits: { disabled: true, proxy: limits } } });
  const sides: Side[] = [];
  afterEach(() => {
    for (const { socket } of sides.splice(0)) socket.destroy();
  });

  async function portFor(client: TestClient): Promise<number> {
    const answer = await client.asks(`<iq type="get" to="${proxy}"><query xmlns="${bytestreams}"/></iq>`);
    const [, host, port] = /<streamhost [^>]*host="([^"]*)"[^>]* port="([^"]*)"/.exec(answer.raw) ?? [];
    expect(host).to.equal(proxy);
    return Number(port);
  }

  const keyOf = (sid: string, requester: TestClient, target: TestClient) =>
    createHash('sha1').update(`${sid}${requester.jid}${target.jid}`).digest('hex');

  async function asks(port: number, key: string, extra?: string): Promise<Side> {
    const side = await Side.asksFor(port, key, extra);
    sides.push(side);
    return side;
  }

  const activate = (sid: string, target: TestClient) =>
    `<iq type="set" to="${proxy}"><query xmlns="${bytestreams}" sid="${sid}"><activate>${target.jid}</activate></query></iq>`;
  const refused = (type: string, condition: string) =>
    `<iq type="error" from="${proxy}">...<error type="${type}"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></iq>`;

  /** Juliet has started a transfer to Romeo. */
  async function transfer(sid: string) {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const port = await portFor(juliet);
    const key = keyOf(sid, juliet, romeo);
    const [target, requester] = [await asks(port, key), await asks(port, key)];
    expect([await target.replied(), await requester.replied()]).to.deep.equal([0, 0]);
    await juliet.gets(activate(sid, romeo), `<iq type="result" from="${proxy}"/>`);
    return { romeo, juliet, target, requester, port };
  }

  it('shows the proxy in service discovery (XEP-0065 §4)', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const items = '<iq type="get" to="localhost"><query xmlns="http://jabber.org/protocol/disco#items"/></iq>';
    expect((await juliet.asks(items)).raw).to.contain(`<item jid="${proxy}" name="SOCKS5 bytestreams"/>`);
    const info = await juliet.asks(
      `<iq type="get" to="${proxy}"><query xmlns="http://jabber.org/protocol/disco#info"/></iq>`,
    );
    expect(info.raw).to.contain('<identity category="proxy" type="bytestreams" ').and.contain(`var="${bytestreams}"`);
  });

  it('moves bytes in both directions, whole, after activation (XEP-0065 §6.3.5)', async () => {
    const { target, requester } = await transfer('s1');
    const file = Buffer.alloc(3_000_000, 'abcdefg');
    requester.socket.end(file);
    target.socket.write('thanks');
    expect(await requester.reads(6)).to.equal('thanks');
    expect(await target.readsAll()).to.equal(file.toString('latin1'));
    target.socket.end('bye');
    expect(await requester.readsAll()).to.equal('bye');
  });

  it('moves nothing before activation', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const port = await portFor(juliet);
    const key = keyOf('s2', juliet, romeo);
    const requester = await asks(port, key, 'early');
    const target = await asks(port, key);
    expect([await target.replied(), await requester.replied()]).to.deep.equal([0, 0]);
    // A round trip later, the target still has only the replies of the handshake.
    await juliet.settles();
    expect(target.socket.bytesRead).to.equal(2 + 47);
    await juliet.gets(activate('s2', romeo), `<iq type="result" from="${proxy}"/>`);
    requester.socket.end(' and late');
    expect(await target.readsAll()).to.equal('early and late');
  });

  it('is activated by the requester only', async () => {
    const { romeo, juliet, nurse } = await stage.enter(['romeo', 'juliet', 'nurse']);
    const port = await portFor(juliet);
    const key = keyOf('s3', juliet, romeo);
    for (const side of [await asks(port, key), await asks(port, key)]) expect(await side.replied()).to.equal(0);
    for (const [client, to] of [
      [nurse, romeo],
      [romeo, juliet],
      [romeo, romeo],
    ] as const) {
      await client.gets(activate('s3', to), refused('cancel', 'item-not-found'));
    }
    await juliet.gets(activate('s3', romeo), `<iq type="result" from="${proxy}"/>`);
    await juliet.gets(activate('s3', romeo), refused('cancel', 'item-not-found'));
  });

  it('needs both sides, and takes no third', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const port = await portFor(juliet);
    const key = keyOf('s4', juliet, romeo);
    await juliet.gets(activate('s4', romeo), refused('cancel', 'item-not-found'));
    expect(await (await asks(port, key)).replied()).to.equal(0);
    await juliet.gets(activate('s4', romeo), refused('cancel', 'not-allowed'));
    expect(await (await asks(port, key)).replied()).to.equal(0);
    const third = await asks(port, key);
    expect(await third.replied()).to.equal(2);
    expect(await third.readsAll()).to.equal('');
    await juliet.gets(activate('s4', romeo), `<iq type="result" from="${proxy}"/>`);
  });

  it('ends for both sides when one breaks off', async () => {
    const { target, requester } = await transfer('s5');
    requester.socket.resetAndDestroy();
    expect(await target.readsAll()).to.equal('');
  });

  it('bounds the transfers of one account', async () => {
    const { romeo, juliet, port, target, requester } = await transfer('s6');
    const key = keyOf('s7', juliet, romeo);
    const two = [await asks(port, key), await asks(port, key)];
    for (const side of two) expect(await side.replied()).to.equal(0);
    await juliet.gets(activate('s7', romeo), refused('wait', 'resource-constraint'));
    target.socket.end();
    requester.socket.end();
    // The end of the first transfer frees its place.
    let answer = await juliet.asks(activate('s7', romeo));
    while (answer.raw.includes('resource-constraint')) answer = await juliet.asks(activate('s7', romeo));
    expectTree(answer, `<iq type="result" from="${proxy}"/>`);
  });

  for (const [name, payload] of [
    ['without a sid', `<query xmlns="${bytestreams}"><activate>a@b/c</activate></query>`],
    ['without a target', `<query xmlns="${bytestreams}" sid="s"/>`],
    ['with a malformed target', `<query xmlns="${bytestreams}" sid="s"><activate>a@b@c</activate></query>`],
  ] as const) {
    it(`refuses an activation ${name}`, async () => {
      const { juliet } = await stage.enter(['juliet']);
      await juliet.gets(`<iq type="set" to="${proxy}">${payload}</iq>`, refused('modify', 'bad-request'));
    });
  }
});
