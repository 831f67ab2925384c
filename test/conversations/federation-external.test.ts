import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { anchor, certificate, dns, type Identity, names } from '../federation/certificate-maker.ts';
import { FederatedServer } from '../support/federated-server.ts';
import { ScriptedServer, serverHeader } from '../support/scripted-server.ts';
import type { TestClient } from '../support/test-client.ts';
import { findTree } from '../support/xml-tree.ts';

const sasl = 'urn:ietf:params:xml:ns:xmpp-sasl';
const bidi = 'urn:xmpp:bidi';
const failure = (condition: string) => `<failure xmlns="${sasl}"><${condition}/>...</failure>`;
const auth = (text: string, mechanism = 'EXTERNAL') => `<auth xmlns="${sasl}" mechanism="${mechanism}">${text}</auth>`;
const base64 = (text: string) => Buffer.from(text).toString('base64');
const message = (from: string) => `<message from="${from}" to="romeo@a.example" type="chat"><body>x</body></message>`;

describe('A server that authenticates with its certificate (XEP-0178 §3)', () => {
  let directory: string;
  let shown: Identity;
  let stranger: Identity;
  let peer: ScriptedServer;
  let server: FederatedServer;
  let romeo: TestClient;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ampere-external-'));
    const root = await anchor('the authority of the peer');
    shown = await certificate({ san: names(dns('peer.example'), dns('second.example')) }, root);
    stranger = await certificate({ san: names(dns('peer.example')) }, await anchor('nobody'));
    const trustedAuthorities = join(directory, 'trusted.pem');
    await writeFile(trustedAuthorities, root.certificate);
    peer = await ScriptedServer.start('peer.example');
    [server] = (await FederatedServer.startAll(['a.example'], 'dialback', {
      others: new Map([[peer.domain, peer.port]]),
      settings: { trustedAuthorities },
    })) as [FederatedServer];
    romeo = await server.arrives('romeo');
  });

  after(async () => {
    await server.stop();
    peer.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** A stream under TLS with a certificate, or with none; the features have come. */
  async function secured(identity: Identity | undefined, from = 'peer.example'): Promise<TestClient> {
    const client = await peer.connects(server.port);
    const header = serverHeader(`from="${from}" to="a.example"`);
    await client.opens(header);
    const key = identity?.key.export({ type: 'pkcs8', format: 'pem' });
    const own = identity ? { cert: identity.chain.join(''), key } : {};
    await client.startsTls({ ...own, servername: 'a.example', rejectUnauthorized: false });
    await client.opens(header);
    return client;
  }

  async function authenticated(): Promise<TestClient> {
    const client = await secured(shown);
    client.sends(auth('='));
    await client.receives(`<success xmlns="${sasl}"/>`);
    await client.opens(serverHeader('from="peer.example" to="a.example"'));
    return client;
  }

  const offersExternal = ({ features }: TestClient) => features !== undefined && !!findTree(features, 'mechanism');

  it('is offered only TLS before TLS, if it is required (RFC 6120 §5.3.1)', async () => {
    const client = await peer.opens(server.port, 'a.example');
    expect(client.features?.children.map((child) => (typeof child === 'string' ? child : child.name))).to.deep.equal([
      'starttls',
    ]);
    client.sends('<db:result from="peer.example" to="a.example">key</db:result>');
    await client.receives(
      '<db:result xmlns:db="jabber:server:dialback" from="a.example" to="peer.example" type="error">' +
        '<error xmlns="jabber:server" type="*"><policy-violation xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></db:result>',
    );
  });

  it('is offered EXTERNAL only with a valid certificate', async () => {
    expect(offersExternal(await secured(shown))).to.equal(true);
    expect(offersExternal(await secured(shown, 'second.example'))).to.equal(true);
    expect(offersExternal(await secured(shown, 'other.example'))).to.equal(false);
    expect(offersExternal(await secured(stranger))).to.equal(false);
    expect(offersExternal(await secured(undefined))).to.equal(false);
  });

  it('proves its domain, with or without an authorization identity (RFC 4422 appendix A)', async () => {
    for (const text of ['=', '', base64('peer.example'), base64('PEER.example')]) {
      const client = await secured(shown);
      client.sends(auth(text));
      await client.receives(`<success xmlns="${sasl}"/>`);
      client.disconnects();
    }
  });

  it('may send line breaks after elements of the negotiation (RFC 6120 §5.3.3, §6.3.5)', async () => {
    const client = await peer.connects(server.port);
    const header = serverHeader('from="peer.example" to="a.example"');
    const { sends } = client;
    client.sends = (...pieces) => sends.call(client, ...pieces.map((piece) => `${piece}\n`));
    await client.opens(header);
    const key = shown.key.export({ type: 'pkcs8', format: 'pem' });
    await client.startsTls({ cert: shown.chain.join(''), key, servername: 'a.example', rejectUnauthorized: false });
    await client.opens(header);
    client.sends(auth('='));
    await client.receives(`<success xmlns="${sasl}"/>`);
    sends.call(client, ' ');
    await client.opens(header);
  });

  const refused: readonly [what: string, identity: () => Identity | undefined, word: string, condition: string][] = [
    ['a certificate of nobody', () => stranger, auth('='), 'not-authorized'],
    ['no certificate', () => undefined, auth('='), 'not-authorized'],
    ['another domain of its certificate than it gave', () => shown, auth(base64('second.example')), 'invalid-authzid'],
    ['a domain of others', () => shown, auth(base64('a.example')), 'invalid-authzid'],
    ['no domain', () => shown, auth(base64('\0')), 'invalid-authzid'],
    ['no base64', () => shown, auth('%%%'), 'incorrect-encoding'],
    ['another mechanism', () => shown, auth('=', 'PLAIN'), 'invalid-mechanism'],
    ['a response to nothing', () => shown, `<response xmlns="${sasl}"/>`, 'malformed-request'],
  ];
  for (const [what, identity, word, condition] of refused) {
    it(`is refused with ${what}: ${condition}`, async () => {
      const client = await secured(identity());
      client.sends(word);
      await client.receives(failure(condition));
      client.sends(message('x@peer.example'));
      await client.receivesStreamError('not-authorized');
      await romeo.receivesNothing();
    });
  }

  it('may fail only a few times (RFC 6120 §6.4.5)', async () => {
    const client = await secured(stranger);
    for (let attempt = 0; attempt < 5; attempt++) {
      client.sends(auth('='));
      await client.receives(failure('not-authorized'));
    }
    await client.receivesStreamError('policy-violation');
  });

  it('cannot change its domain when the stream restarts (RFC 6120 §6.4.6)', async () => {
    const client = await secured(shown);
    client.sends(auth('='));
    await client.receives(`<success xmlns="${sasl}"/>`);
    client.connection.restart();
    client.sends(serverHeader('from="second.example" to="a.example"'));
    await client.receivesStreamError('invalid-from', { header: true });
  });

  it('sends for its domain, but not for others in its certificate', async () => {
    const client = await authenticated();
    client.sends(message('x@peer.example'));
    await romeo.receives(message('x@peer.example'));
    client.sends(message('x@second.example'));
    await client.receivesStreamError('invalid-from');
    await romeo.receivesNothing();
  });

  it('can authenticate only once (RFC 6120 §6.3)', async () => {
    const client = await authenticated();
    client.sends(auth('='));
    await client.receivesStreamError('policy-violation');
  });

  it('gets stanzas only on a bidirectional stream (XEP-0288 §2.2)', async () => {
    const client = await secured(shown);
    client.sends(`<bidi xmlns="${bidi}"/>`, auth('='));
    await client.receives(`<success xmlns="${sasl}"/>`);
    await client.opens(serverHeader('from="peer.example" to="a.example"'));
    romeo.sends('<message to="x@peer.example" type="headline" id="1"><body>x</body></message>');
    await client.receives(
      '<message xmlns="jabber:server" from="romeo@a.example/r" to="x@peer.example" type="headline" id="1"><body>x</body></message>',
    );
    client.disconnects();
    // TLS is required, and the peer has none where it listens.
    const one = await authenticated();
    romeo.sends('<message to="x@peer.example" type="chat" id="2"><body>x</body></message>');
    await romeo.receives('<message from="x@peer.example" to="*" type="error" id="2">...</message>');
    one.disconnects();
  });

  it('must request a bidirectional stream before authentication (XEP-0288 §2.2)', async () => {
    const client = await authenticated();
    client.sends(`<bidi xmlns="${bidi}"/>`);
    await client.receivesStreamError('policy-violation');
  });
});

describe('A server that checks our certificate (XEP-0178 §3)', () => {
  const external = `<mechanisms xmlns="${sasl}"><mechanism>EXTERNAL</mechanism></mechanisms>`;
  let peer: ScriptedServer;
  let server: FederatedServer;
  let romeo: TestClient;
  let words: string[];

  beforeEach(async () => {
    words = [];
    peer = await ScriptedServer.start('peer.example');
    const identity = await certificate({ san: names(dns('peer.example')) }, await anchor('nobody'));
    peer.tls = {
      cert: identity.certificate,
      key: identity.key.export({ type: 'pkcs8', format: 'pem' }),
      requestCert: true,
      rejectUnauthorized: false,
    };
    peer.features = external;
    const others = new Map([[peer.domain, peer.port]]);
    const settings = { tlsRequired: false };
    [server] = (await FederatedServer.startAll(['a.example'], 'dialback', { others, settings })) as [FederatedServer];
    romeo = await server.arrives('romeo');
  });

  afterEach(async () => {
    romeo.disconnects();
    await server.stop();
    peer.stop();
  });

  const script = (answer: string) => {
    peer.script = ({ name, text }, client) => {
      words.push(name === 'auth' ? `${name} ${text}` : name);
      if (name === 'auth' && answer.includes('success')) client.connection.restart();
      if (name === 'auth') client.sends(answer);
      return name === 'auth';
    };
  };

  it('gets it, and then stanzas', async () => {
    script(`<success xmlns="${sasl}"/>`);
    romeo.sends('<message to="x@peer.example" type="headline" id="1"><body>x</body></message>');
    expect((await peer.receives()).attributes.get('id')).to.equal('1');
    expect(words).to.deep.equal(['starttls', `auth ${base64('a.example')}`, 'message']);
    expect(peer.connections).to.equal(1);
  });

  it('may send line breaks after elements of the negotiation (RFC 6120 §5.3.3, §6.3.5)', async () => {
    script(`<success xmlns="${sasl}"/>\n`);
    const usual = peer.script;
    peer.script = (tree, client) => {
      if (tree.name !== 'starttls' || !peer.tls) return usual?.(tree, client) ?? false;
      client.sends('<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>\n');
      void client.connection.answerTls(peer.tls);
      return true;
    };
    romeo.sends('<message to="x@peer.example" type="headline" id="1"><body>x</body></message>');
    expect((await peer.receives()).attributes.get('id')).to.equal('1');
    expect(peer.connections).to.equal(1);
  });

  it('may refuse it: dialback follows on another stream', async () => {
    script(failure('not-authorized').replace('...', ''));
    romeo.sends('<message to="x@peer.example" type="headline" id="1"><body>x</body></message>');
    expect((await peer.receives()).attributes.get('id')).to.equal('1');
    expect(words).to.deep.equal(['starttls', `auth ${base64('a.example')}`, 'starttls', 'result', 'message']);
    expect(peer.connections).to.equal(2);
  });

  it('does not get it without TLS', async () => {
    peer.tls = undefined;
    script(`<success xmlns="${sasl}"/>`);
    romeo.sends('<message to="x@peer.example" type="headline" id="1"><body>x</body></message>');
    expect((await peer.receives()).attributes.get('id')).to.equal('1');
    expect(words).to.deep.equal(['result', 'message']);
  });
});
