import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { headerFor, TestClient } from '../support/test-client.ts';

const starttls = '<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>';
const proceed = '<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>';
const plainAuth = '<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">AGEAYg==</auth>';

describe('TLS (RFC 6120 §5)', () => {
  const stage = new Stage({ domains: ['localhost', 'verona.example'] });

  it('is the only feature of a stream without TLS (RFC 6120 §5.3.1)', async () => {
    const client = await stage.plainClient();
    client.sends(headerFor('localhost'));
    await client.receivesHeader();
    await client.receives(
      '<stream:features><starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"><required/></starttls></stream:features>',
    );
  });

  it('is not offered twice (RFC 6120 §5.4.3.3)', async () => {
    const client = await stage.plainClient();
    await client.opens();
    await client.startsTls(stage.server.trust);
    const features = await client.opens();
    expect(features.children.map(({ name }) => name)).to.not.include('starttls');
    client.sends(starttls);
    await client.receives('<failure xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
    await client.receivesStreamError('policy-violation');
  });

  it('starts a new stream: the client must name the host again (RFC 6120 §5.4.3.3)', async () => {
    const client = await stage.plainClient();
    await client.opens();
    await client.startsTls(stage.server.trust);
    client.connection.restart();
    client.sends('<message/>');
    await client.receivesStreamError('invalid-namespace', { header: true });
  });

  it('is required before authentication (RFC 6120 §6.3.4, §6.5.4)', async () => {
    const client = await stage.plainClient();
    await client.opens();
    client.sends(plainAuth);
    await client.receives('<failure xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><encryption-required/>...</failure>');
    client.sends(
      '<authenticate xmlns="urn:xmpp:sasl:2" mechanism="PLAIN"><initial-response>AGEAYg==</initial-response></authenticate>',
    );
    await client.receives(
      '<failure xmlns="urn:xmpp:sasl:2"><encryption-required xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>...</failure>',
    );
    await client.startsTls(stage.server.trust);
    await client.opens();
  });

  it('is required before resource binding (RFC 6120 §7.1)', async () => {
    const client = await stage.plainClient();
    await client.opens();
    client.sends('<iq type="set" id="b"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>');
    await client.receivesStreamError('not-authorized');
  });

  describe('with data after <starttls/> (RFC 6120 §5.4.3.3)', () => {
    const header = headerFor('localhost');
    const injected: readonly (readonly [string, readonly string[]])[] = [
      ['a stanza', [`${starttls}<iq type="get" id="x"><query xmlns="jabber:iq:roster"/></iq>`]],
      ['an authentication', [`${starttls}${plainAuth}`]],
      ['a new stream', [`${starttls}${header}`]],
      ['half a stanza', [`${starttls}<iq type="get" id="x">`]],
      ['the start of a tag', [`${starttls}<`]],
    ];
    for (const [name, pieces] of injected) {
      it(`${name}: the stream ends, and the server ignores the data`, async () => {
        const client = await stage.plainClient();
        await client.opens();
        client.sends(...pieces);
        await client.receivesStreamError('policy-violation');
      });
    }

    for (const space of ['\n', ' ', ' \t\r\n\n']) {
      it(`white space, ${JSON.stringify(space)}, is ignored (RFC 6120 §5.3.3)`, async () => {
        const client = await stage.plainClient();
        await client.opens();
        client.sends(`${starttls}${space}`);
        await client.receives(proceed);
        await client.connection.startTls({ ...stage.server.trust, servername: 'localhost' });
        await client.opens();
      });

      it(`later white space, ${JSON.stringify(space)}, is ignored before the handshake`, async () => {
        const client = await stage.plainClient();
        await client.opens();
        client.sends(starttls);
        await client.receives(proceed);
        for (const byte of space) client.sends(byte);
        await client.connection.startTls({ ...stage.server.trust, servername: 'localhost' });
        await client.opens();
      });
    }

    it('plaintext after later white space ends the connection', async () => {
      const client = await stage.plainClient();
      await client.opens();
      client.sends(starttls);
      await client.receives(proceed);
      client.sends('\n', plainAuth);
      await client.receivesClosed();
    });

    it('a later stanza in plaintext ends the connection', async () => {
      const client = await stage.plainClient();
      await client.opens();
      client.sends(starttls);
      await client.receives(proceed);
      client.sends(plainAuth);
      await client.receivesClosed();
    });

    it('a <starttls/> in pieces is accepted', async () => {
      const client = await stage.plainClient();
      await client.opens();
      for (const character of starttls) client.sends(character);
      await client.receives(proceed);
      await client.connection.startTls({ ...stage.server.trust, servername: 'localhost' });
      await client.opens();
    });
  });

  describe('from the first byte (XEP-0368 §2)', () => {
    const connect = async (tls: object): Promise<TestClient> => {
      const { c2sTls, trust } = stage.server;

      return stage.keep(
        await TestClient.connect({ ...c2sTls, tls: { ...trust, servername: 'localhost', ...tls } }, 'localhost'),
      );
    };

    it('the client may ask for xmpp-client', async () => {
      const client = await connect({ ALPNProtocols: ['xmpp-client'] });
      expect(client.connection.tls?.alpnProtocol).to.equal('xmpp-client');
      await client.opens();
    });

    it('the client need not ask for a protocol', async () => {
      const client = await connect({});
      expect(client.connection.tls?.alpnProtocol).to.equal(false);
      await client.opens();
    });

    it('a client that asks for another protocol is refused', async () => {
      let error: unknown;
      await connect({ ALPNProtocols: ['h2', 'http/1.1'] }).catch((reason: unknown) => {
        error = reason;
      });
      expect(String(error)).to.match(/no application protocol/i);
    });

    it('a client that sends plaintext is disconnected', async () => {
      const { host, port } = stage.server.c2sTls;
      const client = stage.keep(await TestClient.connect({ host, port }, 'localhost'));
      client.sends(headerFor('localhost'));
      await client.receivesClosed();
    });
  });

  describe('certificates (RFC 6120 §13.7.1.2)', () => {
    for (const domain of ['localhost', 'verona.example']) {
      it(`${domain} has its own, selected by server name (RFC 6066 §3)`, async () => {
        const client = await stage.client(domain);
        expect(client.connection.tls?.getPeerCertificate().subjectaltname).to.include(`DNS:${domain}`);
        await client.opens();
      });

      it(`${domain} has its own, also if the client names it only in the stream header (RFC 6120 §13.7.2.1)`, async () => {
        const client = await stage.plainClient(domain);
        await client.opens();
        await client.startsTls({ ...stage.server.trust, servername: '', checkServerIdentity: () => undefined });
        expect(client.connection.tls?.getPeerCertificate().subjectaltname).to.include(`DNS:${domain}`);
      });
    }

    it('an unknown server name gets the first domain', async () => {
      const tls = { ...stage.server.trust, servername: 'mantua.example', checkServerIdentity: () => undefined };
      const client = stage.keep(await TestClient.connect({ ...stage.server.c2sTls, tls }, 'localhost'));
      expect(client.connection.tls?.getPeerCertificate().subjectaltname).to.include('DNS:localhost');
    });
  });

  it('is at least 1.2 (RFC 9325 §3.1.1)', async () => {
    const tls = { ...stage.server.trust, servername: 'localhost', maxVersion: 'TLSv1.1', minVersion: 'TLSv1' } as const;

    let failed = false;
    await TestClient.connect(
      { ...stage.server.c2sTls, tls: { ...tls, ciphers: 'DEFAULT@SECLEVEL=0' } },
      'localhost',
    ).catch(() => {
      failed = true;
    });
    expect(failed).to.equal(true);
  });
});
