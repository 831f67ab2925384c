import { expect } from 'chai';
import { BoshClient, type BoshReply } from '../support/bosh-client.ts';
import { type Account, Stage } from '../support/conversation.ts';
import { contentOf, corpus, type HostileCase, harmless, verdictsFor } from '../support/hostile-corpus.ts';
import type { TestClient } from '../support/test-client.ts';
import type { TestServer } from '../support/test-server.ts';
import { WebSocketClient } from '../support/websocket-client.ts';
import { parseTree, type Tree } from '../support/xml-tree.ts';

const here = [{ host: '127.0.0.1', port: 0 }];
const ping = (id: number) => `<iq xmlns="jabber:client" id="ping${id}" type="get"><ping xmlns="urn:xmpp:ping"/></iq>`;

/** One client after another that sends content as it is, and tells what became of it. */
interface Attacker {
  /** The condition of the error that ended the stream, `closed` without one, or `accept`. */
  attack(content: Buffer): Promise<string>;
}

/** What does not come through a WebSocket: text that is no UTF-8, and messages that are too long (RFC 6455 §7.4.1). */
const closeCodes: Readonly<Record<number, string>> = {
  1007: 'not-well-formed',
  1008: 'policy-violation',
  1009: 'policy-violation',
};

/** Through WebSockets, with the content as one message. */
class WebSocketAttacker implements Attacker {
  readonly #stage: Stage;
  readonly #account: Account;
  #client: WebSocketClient | undefined;
  #pings = 0;

  constructor(stage: Stage, account: Account) {
    this.#stage = stage;
    this.#account = account;
  }

  async attack(content: Buffer): Promise<string> {
    const { jid, password } = this.#account;
    this.#client ??= await WebSocketClient.online(this.#stage.server, jid, password, 'web');
    const client = this.#client;
    client.socket.send(content, { binary: false });
    client.says(ping(++this.#pings));
    for (;;) {
      const message = await client.hears(/./).catch(() => undefined);
      if (message?.includes(`id="ping${this.#pings}"`)) return 'accept';
      if (message !== undefined && !/^<(?:stream:error|close) /.test(message)) continue;
      this.#client = undefined;
      if (message === undefined) return closeCodes[client.closed ?? 0] ?? 'closed';
      return message.startsWith('<close') ? 'closed' : (parseTree(message).children[0]?.name ?? 'error');
    }
  }
}

/** Through BOSH, with the content in one request. */
class BoshAttacker implements Attacker {
  readonly #stage: Stage;
  readonly #account: Account;
  #client: BoshClient | undefined;
  #held: Promise<BoshReply | undefined> | undefined;
  #pings = 0;

  constructor(stage: Stage, account: Account) {
    this.#stage = stage;
    this.#account = account;
  }

  async attack(content: Buffer): Promise<string> {
    const client = await this.#visitor();
    const [start, end] = client.bodyOf(client.rid++, '|').split('|');
    const attacked = client.posts(Buffer.concat([Buffer.from(start ?? ''), content, Buffer.from(end ?? '')]));
    // A client has two requests open at most.
    await this.#held;
    // The server holds the first request until the second one comes.
    const pinged = client.says(ping(++this.#pings)).catch(() => undefined);
    this.#held = pinged;
    const first = await attacked;
    // Too long for any session to see it.
    if (first.status === 413) return this.#over('policy-violation');
    for (const answer of [first, pinged]) {
      const reply = await answer;
      if (reply?.text.includes(`id="ping${this.#pings}"`)) return 'accept';
      if (reply?.body.attributes.get('type') === 'terminate') return this.#over(conditionOf(reply));
    }
    return 'nothing';
  }

  #over(verdict: string): string {
    this.#client = undefined;
    this.#held = undefined;
    return verdict;
  }

  async #visitor(): Promise<BoshClient> {
    if (this.#client) return this.#client;
    this.#client = new BoshClient(this.#stage.server, { plain: true, headers: { 'x-forwarded-proto': 'https' } });
    await this.#client.online(this.#account.jid, this.#account.password);
    return this.#client;
  }
}

function conditionOf({ body }: BoshReply): string {
  const error: Tree | undefined = body.children.find(({ name }) => name === 'error');
  return error?.children[0]?.name ?? body.attributes.get('condition') ?? 'closed';
}

/** Verdicts that differ because each message is a document, without a declaration and without the prefix of a stream header. */
const ofDocuments: Readonly<Record<string, readonly string[]>> = {
  'xmldecl-twice': ['restricted-xml'],
  'ns-stream-inside': ['not-well-formed'],
  'ns-streamerror-injected': ['not-well-formed'],
  'ws-flood': ['policy-violation'],
};

function verdicts(one: HostileCase): readonly string[] {
  return [...verdictsFor(one), ...(ofDocuments[one.id] ?? [])];
}

/** How far a client has come without authentication. */
type Phase = 'instead of a header' | 'before authentication';

/** What ends a WebSocket with this content, as one message. */
async function fateInWebSocket(options: Proxied, phase: Phase, content: Buffer): Promise<string> {
  const client = await WebSocketClient.connect(options.server, { plain: true, headers: options.headers });
  if (phase === 'before authentication') await client.opens('localhost');
  client.socket.send(content, { binary: false });
  const { code = 0, messages } = await client.ends();
  const error = messages.find((message) => message.startsWith('<stream:error '));
  if (error === undefined) return closeCodes[code] ?? 'closed';
  return parseTree(error).children[0]?.name ?? 'error';
}

/** What ends a BOSH session with this content, which is a whole request or is in the one behind the first. */
async function fateInBosh(options: Proxied, phase: Phase, content: Buffer): Promise<string> {
  const client = new BoshClient(options.server, { plain: true, headers: options.headers });
  if (phase === 'instead of a header') {
    const { status, body } = await client.posts(content);
    return status === 413 ? 'policy-violation' : (body.attributes.get('condition') ?? 'nothing');
  }
  await client.opens();
  const [start = '', end = ''] = client.bodyOf(client.rid++, '|').split('|');
  const reply = await client.posts(Buffer.concat([Buffer.from(start), content, Buffer.from(end)]));
  if (reply.status === 413) return 'policy-violation';
  return reply.body.attributes.get('type') === 'terminate' ? conditionOf(reply) : 'nothing';
}

/** A server, and the headers of a proxy in front of it. */
interface Proxied {
  readonly server: TestServer;
  readonly headers: Readonly<Record<string, string>>;
}

describe('Hostile XML through HTTP', () => {
  const stage = new Stage({
    settings: {
      listen: { c2s: here, c2sTls: here, components: [], http: here, https: here },
      web: { trustedProxies: ['127.0.0.1'] },
      s2s: { enabled: false },
      authentication: { scramIterations: 4096 },
      storage: { quickCheck: false, ballastBytes: 0 },
      limits: { disabled: true },
      shutdown: { drainSeconds: 1 },
    },
  });

  before(async () => {
    for (const name of ['a', 'victim']) {
      const password = 'has a password';
      await stage.server.addUser(`${name}@localhost`, password);
    }
  });

  async function witness(username: string): Promise<TestClient> {
    const client = await stage.client();
    await client.opens();
    await client.authenticates({ username, password: 'has a password' });
    await client.binds();
    await client.appears();
    return client;
  }

  for (const [what, Attack] of [
    ['a WebSocket', WebSocketAttacker],
    ['BOSH', BoshAttacker],
  ] as const) {
    it(`has the same fate as over TCP, through ${what}`, async () => {
      const [addressee, victim] = [await witness('a'), await witness('victim')];
      const mallory = await stage.account('mallory');
      const attacker = new Attack(stage, mallory);
      const wrong: string[] = [];
      for (const one of corpus) {
        const content = contentOf(one);
        if (!content) continue;
        const verdict = await attacker.attack(content).catch(String);
        if (!verdicts(one).includes(verdict)) wrong.push(`${one.id}: ${verdict}, not ${verdictsFor(one).join()}`);
      }
      expect(wrong).to.deep.equal([]);
      const received = await addressee.drains();
      expect(received).to.not.have.length(0);
      for (const { raw, attributes } of received)
        expect(attributes.get('from'), raw).to.match(new RegExp(`^${mallory.jid}/`));
      await victim.receivesNothing();
    });
  }
});

describe('Hostile XML of strangers through HTTP', () => {
  const stage = new Stage({
    settings: {
      listen: { c2s: here, c2sTls: here, components: [], http: here, https: here },
      web: { trustedProxies: ['127.0.0.1'] },
      s2s: { enabled: false },
      authentication: { scramIterations: 4096 },
      storage: { quickCheck: false, ballastBytes: 0 },
    },
  });

  /** A wrong header, and a stanza before authentication, is refused for coming at all, and limits are lower. */
  const early = ['policy-violation', 'not-authorized', 'invalid-namespace', 'bad-request'];

  for (const [what, fateIn] of [
    ['a WebSocket', fateInWebSocket],
    ['BOSH', fateInBosh],
  ] as const)
    for (const phase of ['instead of a header', 'before authentication'] as const)
      it(`ends every stream ${phase}, through ${what}, and the next client is served`, async () => {
        const wrong: string[] = [];
        for (const [index, one] of corpus.entries()) {
          const content = contentOf(one);
          if (!content || harmless.has(one.id)) continue;
          // Each comes from an address of its own, so that no limit by address hides a fate.
          const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-for': `203.0.113.${index}` };
          const fate = await fateIn({ server: stage.server, headers }, phase, content).catch(String);
          if (![...verdicts(one), ...early].includes(fate)) wrong.push(`${one.id}: ${fate}, not ${one.expect}`);
        }
        expect(wrong).to.deep.equal([]);
        const client = await WebSocketClient.connect(stage.server);
        expect(await client.opens('localhost')).to.include('SCRAM-SHA-256');
      });
});
