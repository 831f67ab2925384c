import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { headerFor } from '../support/test-client.ts';

const streamNs = 'xmlns:stream="http://etherx.jabber.org/streams"';
const clientNs = 'xmlns="jabber:client"';

describe('Stream headers (RFC 6120 §4.7)', () => {
  const stage = new Stage({ domains: ['localhost', 'verona.example'] });

  it('are answered with id, from, version and language (RFC 6120 §4.7)', async () => {
    const client = await stage.plainClient();
    client.sends(headerFor('localhost'));
    const header = await client.receivesHeader();
    expect(Object.fromEntries(header.attributes)).to.deep.include({
      from: 'localhost',
      version: '1.0',
      'xml:lang': 'en',
    });
    expect(header.attributes.get('id')).to.match(/^\S{16,}$/);
    expect(header.attributes.has('to')).to.equal(false);
  });

  it('give their language to stanzas that give none (RFC 6120 §8.1.5)', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const { local, password } = await stage.account('romeo');
    const romeo = await stage.client();
    await romeo.opens();
    await romeo.tries({ username: local, password });
    await romeo.opens(headerFor('localhost', ' xml:lang="de"'));
    await romeo.binds();
    romeo.sends(`<message to="${juliet.jid}"><body>Hallo</body></message>`);
    romeo.sends(`<message to="${juliet.jid}" xml:lang="it"><body>Ciao</body></message>`);
    for (const [lang, body] of [
      ['de', 'Hallo'],
      ['it', 'Ciao'],
    ]) {
      await juliet.receives(
        `<message from="${romeo.jid}" to="${juliet.jid}" xml:lang="${lang}"><body>${body}</body></message>`,
      );
    }
  });

  it('name the client if it named itself (RFC 6120 §4.7.2)', async () => {
    const client = await stage.plainClient();
    client.sends(headerFor('localhost', ' from="juliet@localhost"'));
    expect((await client.receivesHeader()).attributes.get('to')).to.equal('juliet@localhost');
  });

  it('have an id that was never used before (RFC 6120 §4.7.3)', async () => {
    const account = await stage.account('juliet');
    const ids = new Set<string | undefined>();
    for (const _ of [1, 2]) {
      const client = await stage.plainClient();
      client.sends(headerFor('localhost'));
      ids.add((await client.receivesHeader()).attributes.get('id'));
      await client.receivesFeatures();
      await client.startsTls(stage.server.trust);
      client.sends(headerFor('localhost'));
      ids.add((await client.receivesHeader()).attributes.get('id'));
      await client.receivesFeatures();
      await client.tries({ username: account.local, password: account.password });
      client.connection.restart();
      client.sends(headerFor('localhost'));
      ids.add((await client.receivesHeader()).attributes.get('id'));
    }
    expect(ids).to.have.property('size', 6);
  });

  it('serve every domain of the configuration (RFC 6120 §4.7.1)', async () => {
    const client = await stage.plainClient('verona.example');
    client.sends(headerFor('verona.example'));
    expect((await client.receivesHeader()).attributes.get('from')).to.equal('verona.example');
  });

  it('may name the domain in any case and form (RFC 7622 §3.2)', async () => {
    const client = await stage.plainClient();
    client.sends(headerFor('VERONA.Example'));
    expect((await client.receivesHeader()).attributes.get('from')).to.equal('verona.example');
    await client.receivesFeatures();
  });

  it('may come in pieces of one byte (RFC 6120 §4.2)', async () => {
    const client = await stage.plainClient();
    for (const byte of Buffer.from(headerFor('localhost'))) client.sends(Buffer.of(byte));
    await client.receivesHeader();
    await client.receivesFeatures();
  });

  it('may use any quotes, and white space before the end (RFC 6120 §4.7)', async () => {
    const client = await stage.plainClient();
    client.sends(
      `<?xml version='1.0' encoding='utf-8' ?>\n<stream:stream to='localhost'\n ${clientNs} ${streamNs} version='1.0' >`,
    );
    await client.receivesHeader();
    await client.receivesFeatures();
  });

  for (const version of ['1.0', '1.1', '2.0', '10.3']) {
    it(`version ${version} is answered with 1.0 (RFC 6120 §4.7.5)`, async () => {
      const client = await stage.plainClient();
      client.sends(headerFor('localhost').replace('version="1.0">', `version="${version}">`));
      expect((await client.receivesHeader()).attributes.get('version')).to.equal('1.0');
      await client.receivesFeatures();
    });
  }

  it('white space between stanzas keeps the stream alive (RFC 6120 §4.6.1)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    romeo.sends(' ', '\n', '\t\r\n  ');
    await romeo.receivesNothing();
  });

  describe('that begin no stream of a client', () => {
    const bad: readonly (readonly [name: string, condition: string, header: string | Buffer])[] = [
      ['an unknown domain (RFC 6120 §4.9.3.6)', 'host-unknown', headerFor('mantua.example')],
      ['an address as domain (RFC 6120 §4.9.3.6)', 'host-unknown', headerFor('juliet@localhost')],
      ['a domain that is none (RFC 6120 §4.9.3.6)', 'host-unknown', headerFor('local host')],
      ['an empty domain (RFC 6120 §4.9.3.6)', 'host-unknown', headerFor('')],
      ['no domain (RFC 6120 §4.9.3.7)', 'improper-addressing', headerFor('x').replace('to="x"', '')],
      [
        'no version (RFC 6120 §4.9.3.25)',
        'unsupported-version',
        headerFor('localhost').replace(' version="1.0">', '>'),
      ],
      ['version 0.9 (RFC 6120 §4.9.3.25)', 'unsupported-version', headerFor('localhost').replace('"1.0">', '"0.9">')],
      [
        'a version that is none (RFC 6120 §4.9.3.25)',
        'unsupported-version',
        headerFor('localhost').replace('"1.0">', '"x">'),
      ],
      [
        'another stream namespace (RFC 6120 §4.9.3.10)',
        'invalid-namespace',
        headerFor('localhost').replace('etherx.jabber.org', 'example.org'),
      ],
      [
        'the content namespace of servers (RFC 6120 §4.9.3.10)',
        'invalid-namespace',
        headerFor('localhost').replace('jabber:client', 'jabber:server'),
      ],
      ['no content namespace (RFC 6120 §4.9.3.10)', 'invalid-namespace', headerFor('localhost').replace(clientNs, '')],
      [
        'another prefix (RFC 6120 §4.9.3.2)',
        'bad-namespace-prefix',
        headerFor('localhost').replaceAll('stream:', 's:').replace(':stream=', ':s='),
      ],
      [
        'a prefix that is not bound (RFC 6120 §4.9.3.13)',
        'not-well-formed',
        headerFor('localhost').replace(streamNs, ''),
      ],
      [
        'another element (RFC 6120 §4.9.3.1)',
        'bad-format',
        headerFor('localhost').replace('<stream:stream', '<stream:flood'),
      ],
      ['no XML (RFC 6120 §4.9.3.13)', 'not-well-formed', 'GET / HTTP/1.1\r\n\r\n'],
      ['a TLS handshake (RFC 6120 §4.9.3.13)', 'not-well-formed', Buffer.from('16030100c8010000c40303', 'hex')],
      ['an attribute twice (RFC 6120 §4.9.3.13)', 'not-well-formed', headerFor('localhost', ' to="localhost"')],
      [
        'another encoding (RFC 6120 §4.9.3.22)',
        'unsupported-encoding',
        headerFor('localhost').replace('?>', ' encoding="ISO-8859-1"?>'),
      ],
      [
        'UTF-16 (RFC 6120 §4.9.3.22)',
        'unsupported-encoding',
        Buffer.from(`\uFEFF${headerFor('localhost')}`, 'utf16le'),
      ],
      [
        'a document type (RFC 6120 §4.9.3.18)',
        'restricted-xml',
        '<?xml version="1.0"?><!DOCTYPE stream [<!ENTITY x "y">]>',
      ],
      ['a comment (RFC 6120 §4.9.3.18)', 'restricted-xml', '<?xml version="1.0"?><!-- hello -->'],
      ['a processing instruction (RFC 6120 §4.9.3.18)', 'restricted-xml', '<?xml version="1.0"?><?php echo 1 ?>'],
      ['more bytes than are taken (RFC 6120 §4.9.3.14)', 'policy-violation', headerFor('x'.repeat(20_000))],
      [
        'more attributes than are taken (RFC 6120 §4.9.3.14)',
        'policy-violation',
        headerFor('localhost', Array.from({ length: 200 }, (_, n) => ` a${n}=""`).join('')),
      ],
    ];

    for (const [name, condition, header] of bad) {
      it(`${name} are answered with a header and ${condition} (RFC 6120 §4.9.1.2)`, async () => {
        const client = await stage.plainClient();
        client.sends(header);
        await client.receivesStreamError(condition, { header: true });
      });
    }
  });

  it('a second header where none is due ends the stream (RFC 6120 §4.3.3)', async () => {
    const client = await stage.plainClient();
    await client.opens();
    client.sends(headerFor('localhost').replace('<?xml version="1.0"?>', ''));
    await client.receivesStreamError('bad-format');
  });

  it('cannot change the domain after TLS (RFC 6120 §4.9.3.6)', async () => {
    const client = await stage.plainClient();
    await client.opens();
    await client.startsTls(stage.server.trust);
    client.sends(headerFor('verona.example'));
    await client.receivesStreamError('host-unknown', { header: true });
  });

  it('cannot change the domain after authentication (RFC 6120 §6.4.6)', async () => {
    const account = await stage.account('juliet');
    const client = await stage.client();
    await client.opens();
    await client.tries({ username: account.local, password: account.password });
    client.connection.restart();
    client.sends(headerFor('verona.example'));
    await client.receivesStreamError('host-unknown', { header: true });
  });

  describe('closing (RFC 6120 §4.4)', () => {
    it('is answered, and the connection ends', async () => {
      const client = await stage.plainClient();
      await client.opens();
      await client.closes();
    });

    it('is answered after everything that was sent before', async () => {
      const { romeo } = await stage.enter(['romeo']);
      romeo.sends('<iq type="get" id="last"><query xmlns="jabber:iq:roster"/></iq></stream:stream>');
      await romeo.receives('<iq type="result" id="last">...</iq>');
      await romeo.receivesEnd();
    });

    it('before any header is answered with a header (RFC 6120 §4.9.1.2)', async () => {
      const client = await stage.plainClient();
      client.sends('</stream:stream>');
      await client.receivesStreamError('not-well-formed', { header: true });
    });

    it('ends what follows unread', async () => {
      const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
      romeo.sends(`</stream:stream><message to="${juliet.jid}"><body>late</body></message>`);
      await romeo.receivesEnd();
      await juliet.receivesNothing();
    });

    it('a stream error of the client is answered by closing (RFC 6120 §4.9.1.1)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      romeo.sends('<stream:error><undefined-condition xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></stream:error>');
      await romeo.receivesEnd();
    });
  });
});
