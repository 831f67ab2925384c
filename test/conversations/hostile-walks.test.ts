import { expect } from 'chai';
import fc from 'fast-check';
import { type Account, Stage } from '../support/conversation.ts';
import { ScramClient } from '../support/scram-client.ts';
import { headerFor, saslElement, type TestClient } from '../support/test-client.ts';
import { childOf, findTree, type Tree } from '../support/xml-tree.ts';

/** The way a proper client goes. */
const properWay = ['header', 'starttls', 'header', 'plain', 'header', 'bind', 'message'] as const;

const steps = [
  ...['header', 'wrong host', 'starttls', 'plain', 'scram', 'scram answer', 'wrong password', 'another user'],
  ...['authzid', 'unknown mechanism', 'garbage answer', 'abort', 'success', 'bind', 'message', 'presence', 'roster'],
  ...['sasl2', 'sasl2 with bind', 'white space', 'bad xml', 'close'],
] as const;
type Step = (typeof steps)[number];

const sasl = 'urn:ietf:params:xml:ns:xmpp-sasl';
const plain = (name: string, password: string, authzid = '') => {
  return saslElement('auth', Buffer.from(`${authzid}\0${name}\0${password}`), ' mechanism="PLAIN"');
};
const sasl2 = (name: string, password: string, inline = '') => {
  const response = Buffer.from(`\0${name}\0${password}`).toString('base64');
  return `<authenticate xmlns="urn:xmpp:sasl:2" mechanism="PLAIN"><initial-response>${response}</initial-response>${inline}</authenticate>`;
};

/** One client that goes its own way, and what it could see of the server's mind. */
class Walker {
  readonly #client: TestClient;
  readonly #self: Account;
  readonly #other: Account;
  readonly #witness: TestClient;
  readonly #trust: object;
  #scram: ScramClient | undefined;
  #challenge: Tree | undefined;
  #failures = 0;
  /** Whether the right password was shown since the last success. */
  #proved = false;
  #authenticated = false;
  #bound = '';
  over = false;
  /** Messages that the witness must get, and no others. */
  sent = 0;

  constructor(client: TestClient, self: Account, other: Account, witness: TestClient, trust: object) {
    this.#client = client;
    this.#self = self;
    this.#other = other;
    this.#witness = witness;
    this.#trust = trust;
  }

  get from(): string {
    return this.#bound;
  }

  /** Takes one step and sees what comes of it. */
  async take(step: Step): Promise<void> {
    if (this.over) return;
    this.#proved ||=
      ['plain', 'sasl2', 'sasl2 with bind'].includes(step) || (step === 'scram answer' && !!this.#challenge);
    this.#client.sends(this.#words(step));
    if (step === 'message' && this.#bound) this.sent += 1;
    await this.#listen(step);
  }

  #words(step: Step): string {
    const { local, password } = this.#self;
    switch (step) {
      case 'header':
        return headerFor('localhost');
      case 'wrong host':
        return headerFor('mantua.example');
      case 'starttls':
        return '<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>';
      case 'plain':
        return plain(local, password);
      case 'scram':
        this.#scram = new ScramClient({ mechanism: 'SCRAM-SHA-1', username: local, password });
        return saslElement('auth', this.#scram.first(), ' mechanism="SCRAM-SHA-1"');
      case 'scram answer':
        return saslElement('response', this.#scramFinal());
      case 'wrong password':
        return plain(local, 'wrong');
      case 'another user':
        return plain(this.#other.local, 'wrong');
      case 'authzid':
        return plain(local, password, this.#other.jid);
      case 'unknown mechanism':
        return plain(local, password).replace('PLAIN', 'ANONYMOUS');
      case 'garbage answer':
        return saslElement('response', Buffer.from('c=biws,r=x,p=eA=='));
      case 'abort':
        return `<abort xmlns="${sasl}"/>`;
      case 'success':
        return `<success xmlns="${sasl}"/>`;
      case 'bind':
        return '<iq type="set" id="b"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>';
      case 'message':
        return `<message to="${this.#witness.jid}" type="chat"><body>from ${local}</body></message>`;
      case 'presence':
        return '<presence/>';
      case 'roster':
        return '<iq type="get" id="r"><query xmlns="jabber:iq:roster"/></iq>';
      case 'sasl2':
        return sasl2(local, password);
      case 'sasl2 with bind':
        return sasl2(local, password, '<bind xmlns="urn:xmpp:bind:0"/>');
      case 'white space':
        return ' ';
      case 'bad xml':
        return '<x:y/>';
      case 'close':
        return '</stream:stream>';
    }
  }

  #scramFinal(): Buffer {
    if (!this.#scram || !this.#challenge) return Buffer.from('c=biws,r=x,p=eA==');
    const challenge = Buffer.from(this.#challenge.text, 'base64');
    this.#challenge = undefined;
    return this.#scram.final(challenge);
  }

  /** Reads until the server has said all it has to say to this step. */
  async #listen(step: Step): Promise<void> {
    if (this.#bound) return this.#listenBound(step);
    if (step === 'white space') return;
    const arrival = await this.#client.connection.next(`an answer to '${step}'`);
    switch (arrival.kind) {
      case 'header':
        return this.#listen(step);
      case 'end':
        return this.#listen(step);
      case 'closed':
        this.over = true;
        return;
      case 'element':
        return this.#hear(arrival.tree, step);
    }
  }

  async #hear(tree: Tree, step: Step): Promise<void> {
    switch (tree.name) {
      case 'error':
        return this.#listen(step);
      case 'proceed':
        return this.#secure();
      case 'challenge':
        this.#challenge = tree;
        return;
      case 'failure':
        this.#failures += 1;
        expect(this.#failures, 'failures on one stream').to.be.at.most(5);
        if (this.#failures === 5 || tree.ns.endsWith('xmpp-tls')) await this.#listen(step);
        return;
      case 'success':
        return this.#succeed(tree, step);
      case 'iq':
        return this.#hearIq(tree, step);
    }
  }

  async #secure(): Promise<void> {
    await this.#client.connection.startTls({ ...this.#trust, servername: 'localhost' });
  }

  async #succeed(tree: Tree, step: Step): Promise<void> {
    expect(this.#proved, `a success after '${step}'`).to.equal(true);
    expect(this.#authenticated, 'authenticated twice').to.equal(false);
    this.#authenticated = true;
    const identity = childOf(tree, 'authorization-identifier')?.text;
    // Without SASL2 the stream begins anew (RFC 6120 §6.4.6).
    if (identity === undefined) return this.#client.connection.restart();
    expect(identity.split('/')[0]).to.equal(this.#self.jid);
    await this.#client.receivesFeatures();
    if (identity.includes('/')) this.#bound = identity;
  }

  #hearIq(tree: Tree, step: Step): void {
    if (tree.attributes.get('type') === 'error') return;
    expect(step, 'an answer to what comes before binding').to.equal('bind');
    expect(this.#authenticated, 'bound before authentication').to.equal(true);
    this.#bound = findTree(tree, 'jid')?.text ?? '';
    expect(this.#bound.split('/')[0]).to.equal(this.#self.jid);
  }

  /** On a bound stream everything is answered before a ping is, or the stream is ended. */
  async #listenBound(step: Step): Promise<void> {
    if (!this.#endsBound(step)) return void (await this.#client.drains());
    for (;;) {
      const { kind } = await this.#client.connection.next(`the end after '${step}'`);
      if (kind === 'closed') break;
    }
    this.over = true;
  }

  #endsBound(step: Step): boolean {
    return !['bind', 'message', 'presence', 'roster', 'white space'].includes(step);
  }
}

describe('Clients that go their own way (RFC 6120 §4.3, §6.4, §7.3)', () => {
  const stage = new Stage();

  it('gain nothing that they have not proved a right to', async () => {
    const [self, other] = [await stage.account('mallory'), await stage.account('juliet')];
    const witness = await (await stage.account('witness')).arrives();
    const walk = fc
      .tuple(fc.nat(properWay.length), fc.array(fc.constantFrom(...steps), { maxLength: 8 }))
      .map(([length, rest]): Step[] => [...properWay.slice(0, length), ...rest]);
    await fc.assert(
      fc.asyncProperty(walk, async (path) => {
        const client = await stage.plainClient();
        const walker = new Walker(client, self, other, witness, stage.server.trust);
        for (const step of path) await walker.take(step);
        client.disconnects();
        for (const { raw, attributes } of await witness.drains()) {
          walker.sent -= 1;
          expect(attributes.get('from'), raw).to.equal(walker.from);
        }
        expect(walker.sent, 'messages that came').to.equal(0);
      }),
      { numRuns: Number(process.env['AMPERE_TEST_WALKS'] ?? 300) },
    );
    await other.arrives();
  });
});
