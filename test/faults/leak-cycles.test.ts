import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { headerFor, saslElement, TestClient } from '../support/test-client.ts';
import { type Figures, mebibytes, ServerFixture, type ServerUnderTest } from './server-under-test.ts';

const { AMPERE_CYCLES = '200' } = process.env;
/** The number of connections dropped at each stage. */
const cycles = Number(AMPERE_CYCLES);
const atOnce = 10;
const accounts = Array.from({ length: atOnce }, (_, index) => `guest${index}`);
const sm = 'urn:xmpp:sm:3';

describe('connections dropped at every stage (CVE-2026-43506)', function () {
  this.timeout(60_000 + cycles * 1000);
  const fixture = new ServerFixture();
  let server: ServerUnderTest;
  let ca: Buffer;
  beforeEach(async () => {
    server = await fixture.start(accounts);
    ca = await readFile(fixture.authority);
  });

  const connected = () => TestClient.connect({ host: '127.0.0.1', port: server.port }, 'localhost');

  async function said(...pieces: (string | Buffer)[]): Promise<TestClient> {
    const client = await connected();
    client.sends(...pieces);
    return client;
  }

  async function opened(): Promise<TestClient> {
    const client = await connected();
    await client.opens();
    return client;
  }

  async function secured(): Promise<TestClient> {
    const client = await opened();
    await client.startsTls({ ca });
    return client;
  }

  async function handshaking(): Promise<TestClient> {
    const client = await opened();
    client.sends('<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
    await client.receives('<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
    client.sends(Buffer.from('16030100c8010000c40303', 'hex'));
    return client;
  }

  async function challenged(username: string): Promise<TestClient> {
    const client = await opened();
    client.sends(saslElement('auth', Buffer.from(`n,,n=${username},r=nonce`), ' mechanism="SCRAM-SHA-1"'));
    await client.receives('<challenge xmlns="urn:ietf:params:xml:ns:xmpp-sasl">*</challenge>');
    return client;
  }

  async function refused(username: string): Promise<TestClient> {
    const client = await challenged(username);
    client.sends(saslElement('response', Buffer.from('c=biws,r=nonce,p=AAAA')));
    await client.receives('<failure xmlns="urn:ietf:params:xml:ns:xmpp-sasl">...</failure>');
    return client;
  }

  async function authenticated(username: string): Promise<TestClient> {
    const client = await secured();
    await client.opens();
    await client.authenticates({ username, password: `${username}-password` });
    return client;
  }

  async function bound(username: string): Promise<TestClient> {
    const client = await authenticated(username);
    await client.binds('home');
    await client.appears();
    return client;
  }

  async function managed(username: string, attributes = ''): Promise<{ client: TestClient; token: string }> {
    const client = await bound(username);
    client.sends(`<enable xmlns="${sm}"${attributes}/>`);
    const answer = await client.receives(`<enabled xmlns="${sm}">...</enabled>`);
    return { client, token: answer.attributes.get('id') ?? '' };
  }

  async function resumed(username: string): Promise<TestClient> {
    const { client: lost, token } = await managed(username, ' resume="true"');
    lost.disconnects();
    const client = await authenticated(username);
    client.sends(`<resume xmlns="${sm}" previd="${token}" h="0"/>`);
    await client.receives(`<resumed xmlns="${sm}">...</resumed>`);
    return client;
  }

  async function inStanza(username: string): Promise<TestClient> {
    const { client } = await managed(username, ' resume="true"');
    client.sends(`<message to="${username}@localhost"><body>half of`);
    return client;
  }

  async function owing(username: string): Promise<TestClient> {
    const { client } = await managed(username, ' resume="true"');
    client.sends(`<message to="${client.jid}" type="headline"><body>news</body></message>`);
    await client.receives('<message>...</message>');
    return client;
  }

  async function goodbye(username: string): Promise<TestClient> {
    const client = await bound(username);
    await client.closes();
    return client;
  }

  const stages: Record<string, (username: string) => Promise<TestClient>> = {
    connected,
    'in the header': () => said('<?xml version="1.0"?><stream:str'),
    'after the header': opened,
    'with bad XML': () => said(headerFor('localhost'), '<<<'),
    'in the TLS handshake': handshaking,
    'after TLS': secured,
    'in authentication': challenged,
    'after a failed authentication': refused,
    'after authentication': authenticated,
    bound,
    'with stream management': async (username) => (await managed(username)).client,
    'with a session to resume': async (username) => (await managed(username, ' resume="true"')).client,
    'in a stanza': inStanza,
    'owing an acknowledgment': owing,
    resumed,
    'after goodbye': goodbye,
  };

  /** Drops connections at a stage: half of them with FIN, half with RST. */
  async function drops(reach: (username: string) => Promise<TestClient>, times: number): Promise<void> {
    for (let done = 0; done < times; done += atOnce) {
      const clients = await Promise.all(accounts.map(reach));
      for (const [index, client] of clients.entries()) {
        if (index % 2 === 0) client.disconnects();
        else client.connection.reset();
      }
    }
  }

  /** The server's figures once all sessions that wait for their clients have been replaced and closed. */
  async function rested(had: Pick<Figures, 'descriptors' | 'handles'>): Promise<Figures> {
    for (const account of accounts) await goodbye(account);
    return server.figuresAtRest(had);
  }

  it('leave no memory, descriptor or handle in use', async () => {
    for (const reach of Object.values(stages)) await drops(reach, 2 * atOnce);
    const base = await rested({ descriptors: 0, handles: 0 });
    for (const reach of Object.values(stages)) await drops(reach, cycles);
    const after = await rested(base);
    await server.stop();
    const total = Object.keys(stages).length * cycles;
    const grown = after.heapBytes - base.heapBytes;
    const open = `${base.descriptors} descriptors before, ${after.descriptors} after; ${base.handles} handles before, ${after.handles} after`;
    console.log(
      `      ${total} connections dropped at ${Object.keys(stages).length} stages: memory ${mebibytes(grown)} more; ${open}`,
    );
    expect(after.descriptors).to.be.at.most(base.descriptors);
    expect(after.handles).to.be.at.most(base.handles);
    expect(grown).to.be.below(2 * 2 ** 20);
  });
});
