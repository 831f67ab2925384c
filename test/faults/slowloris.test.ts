import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { headerFor, type TestClient } from '../support/test-client.ts';

const { AMPERE_SLOWLORIS = '1000' } = process.env;
/** The number of connections, each sending one byte a second. */
const crowd = Number(AMPERE_SLOWLORIS);
const perAddress = 100;
const slowStanzas = 20;

const startTls = '<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>';
/** What a slow client sends at once, and the end of the answer. After that it sends single bytes. */
const states: Readonly<Record<string, readonly [said: string, heard: string]>> = {
  'before a header': ['', ''],
  'in a header': ['<?xml version="1.0"?><stream:stream ', ''],
  'in an element': [`${headerFor('localhost')}<auth xmlns="`, '</stream:features>'],
  'between elements': [headerFor('localhost'), '</stream:features>'],
  'in the TLS handshake': [headerFor('localhost') + startTls, '<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>'],
};

/** A connection that sends a beginning, and then single bytes. */
class SlowClient {
  readonly #socket: Socket;
  readonly #inTls: boolean;
  readonly ready: Promise<void>;
  readonly #gone = Promise.withResolvers<void>();
  closed = false;
  #heard = '';

  constructor(port: number, localAddress: string, state: string) {
    const [said, heard] = states[state] ?? ['', ''];
    this.#inTls = state.includes('TLS');
    this.#socket = connect({ host: '127.0.0.1', port, localAddress });
    this.ready = new Promise((resolve) => {
      this.#socket.on('connect', () => {
        this.#socket.write(said);
        if (heard === '') resolve();
      });
      this.#socket.on('data', (chunk) => {
        this.#heard += chunk;
        if (this.#heard.endsWith(heard)) resolve();
      });
      this.#socket.on('close', () => {
        this.closed = true;
        resolve();
        this.#gone.resolve();
      });
    });
    this.#socket.on('error', () => this.#socket.destroy());
  }

  /** Sends one byte: of a TLS record that announces a long handshake, or a space. */
  drips(count: number): void {
    if (this.closed) return;
    const hello = Buffer.from('1603010fff01000ffb0303', 'hex');
    this.#socket.write(this.#inTls ? Buffer.from([hello[count] ?? 0]) : ' ');
  }

  /** Resolves when the server has closed the connection. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  leaves(): void {
    this.#socket.destroy();
  }
}

describe('connections that send single bytes (RFC 6120 §13.12)', () => {
  const clock = new ManualClock();
  const connections = { perIpConcurrent: perAddress, perIpBurst: 10 * crowd, unauthenticated: 2 * crowd };
  const stage = new Stage({ clock, settings: { tls: { required: false }, limits: { connections } } });
  let slow: SlowClient[] = [];
  afterEach(() => {
    for (const client of slow.splice(0)) client.leaves();
  });

  /** Advances the clock. In each second every slow client sends a byte, and another client is served after it. */
  async function pass(seconds: number, watcher: TestClient, drip: (second: number) => void): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      drip(second);
      await watcher.settles();
      clock.advance(1000);
      await turn();
    }
  }

  /** Connects the slow clients, and waits until the server has accepted all of them. */
  async function begin(state: string): Promise<void> {
    const { port } = stage.server.c2s;
    slow = Array.from({ length: crowd }, (_, index) => {
      return new SlowClient(port, `127.0.0.${2 + Math.floor(index / perAddress)}`, state);
    });
    await Promise.all(slow.map(({ ready }) => ready));
    // The last connection is accepted last.
    await (await stage.plainClient()).opens();
  }

  for (const state of Object.keys(states)) {
    it(`are closed at the deadline, and others can log in meanwhile: ${state}`, async () => {
      const watcher = await (await stage.account('romeo')).arrives();
      await begin(state);
      const deadline = state.includes('TLS') ? 10 : 30;
      await pass(deadline, watcher, (second) => {
        for (const client of slow) client.drips(second);
      });
      expect(slow.filter(({ closed }) => closed).length).to.equal(0);
      await (await stage.account('juliet')).arrives();
      await pass(1, watcher, () => undefined);
      await Promise.all(slow.map(({ gone }) => gone));
      await (await stage.account('juliet')).arrives();
      console.log(`      ${crowd} connections ${state}: all there after ${deadline} s, none after ${deadline + 1} s`);
    });
  }

  it('are closed at the deadline: in a stanza', async () => {
    const watcher = await (await stage.account('romeo')).arrives();
    const tybalt = await stage.account('tybalt');
    const dripping: TestClient[] = [];
    while (dripping.length < slowStanzas) dripping.push(await tybalt.arrives({ presence: false }));
    for (const client of dripping) client.sends(`<message to="${watcher.jid}"><body>`);
    await pass(31, watcher, () => {
      for (const client of dripping) client.sends('x');
    });
    for (const client of dripping) await client.receivesStreamError('policy-violation');
    await watcher.receivesNothing();
  });
});
