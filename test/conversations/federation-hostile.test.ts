import { expect } from 'chai';
import { addUser } from '../../src/web/control/user-operations.ts';
import { FederatedServer } from '../support/federated-server.ts';
import { ScriptedServer, serverHeader, word } from '../support/scripted-server.ts';
import type { TestClient } from '../support/test-client.ts';

const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';

describe('A server among strangers', () => {
  let peer: ScriptedServer;
  let other: ScriptedServer;
  let server: FederatedServer;
  let romeo: TestClient;

  before(async () => {
    peer = await ScriptedServer.start('peer.example');
    other = await ScriptedServer.start('other.example');
    const others = new Map([peer, other].map(({ domain, port }) => [domain, port]));
    const settings = { tlsRequired: false };
    [server] = (await FederatedServer.startAll(['a.example'], 'dialback', { others, settings })) as [FederatedServer];
    romeo = await server.arrives('romeo');
  });

  beforeEach(() => {
    peer.verdict = 'valid';
    peer.script = undefined;
  });

  after(async () => {
    await server.stop();
    peer.stop();
    other.stop();
  });

  /** The message that shows whether a stanza got through. */
  const message = (from: string, to = 'romeo@a.example') =>
    `<message from="${from}" to="${to}" type="chat"><body>x</body></message>`;

  describe('refuses a stanza', () => {
    it('on a stream without a proven domain (RFC 6120 §4.9.3.12)', async () => {
      const stream = await peer.opens(server.port, 'a.example');
      stream.sends(message('x@peer.example'));
      await stream.receivesStreamError('not-authorized');
      await romeo.receivesNothing();
    });

    const refused: readonly [what: string, stanza: string, condition: string][] = [
      ['of a second domain without proof', message('x@other.example'), 'invalid-from'],
      ['of a domain below the proven one', message('x@sub.peer.example'), 'invalid-from'],
      ['of a domain that ends like the proven one', message('x@notpeer.example'), 'invalid-from'],
      ['in the name of our own users', message('juliet@a.example'), 'invalid-from'],
      ['for a domain that is not served here', message('x@peer.example', 'y@other.example'), 'host-unknown'],
      ['without a sender', '<message to="romeo@a.example"><body>x</body></message>', 'improper-addressing'],
      ['without an addressee', '<message from="x@peer.example"><body>x</body></message>', 'improper-addressing'],
      ['from what has no domain', message('@@peer.example'), 'improper-addressing'],
      ['to what has no domain', message('x@peer.example', '@@a.example'), 'improper-addressing'],
      ['from a bad name at another domain', message('\u2665@other.example'), 'invalid-from'],
      [
        'to a bad name at a domain that is not served here',
        message('x@peer.example', '\u2665@b.example'),
        'host-unknown',
      ],
      ['that is none', '<other from="x@peer.example" to="romeo@a.example"/>', 'unsupported-stanza-type'],
    ];
    for (const [what, stanza, condition] of refused) {
      it(`${what}: ${condition} (RFC 6120 §8.1.2.2)`, async () => {
        const stream = await peer.proves(server.port, 'a.example');
        stream.sends(message('x@peer.example'));
        await romeo.receives(message('x@peer.example'));
        stream.sends(stanza);
        await stream.receivesStreamError(condition);
        await romeo.receivesNothing();
      });
    }
  });

  describe('gets a dialback request, and', () => {
    const pair = 'from="peer.example" to="a.example"';
    const turned = 'from="a.example" to="peer.example"';

    it('refuses a wrong key (XEP-0220 §2.2.1)', async () => {
      peer.verdict = 'invalid';
      const stream = await peer.opens(server.port, 'a.example');
      stream.sends(`<db:result ${pair}>key</db:result>`);
      await stream.receives(word('result', `${turned} type="invalid"`));
      await stream.receivesEnd();
    });

    it('does not verify it on the stream that brought the key (XEP-0220 §2.1.2)', async () => {
      const asked: string[] = [];
      peer.script = (tree) => {
        asked.push(tree.name);
        return false;
      };
      await peer.proves(server.port, 'a.example');
      expect(asked).to.deep.equal(['verify']);
    });

    it('ignores answers without a request on that stream (XEP-0220 §3.1)', async () => {
      const stream = await peer.opens(server.port, 'a.example');
      const { features } = stream;
      expect(features).to.not.equal(undefined);
      for (const kind of ['result', 'verify']) {
        for (const addresses of [pair, turned, 'from="other.example" to="a.example"']) {
          stream.sends(`<db:${kind} ${addresses} id="x" type="valid"/>`);
        }
      }
      stream.sends(message('x@peer.example'));
      await stream.receivesStreamError('not-authorized');
      await romeo.receivesNothing();
    });

    it('accepts an answer only from the server it has asked, for the key it has asked about (XEP-0220 §3.1)', async () => {
      // The authority answers about another stream, another domain, and by the other word.
      peer.script = (tree, client) => {
        if (tree.name !== 'verify') return false;
        const id = tree.attributes.get('id') ?? '';
        client.sends(
          `<db:verify ${pair} id="${id}x" type="valid"/>`,
          `<db:verify from="other.example" to="a.example" id="${id}" type="valid"/>`,
          `<db:verify ${turned} id="${id}" type="valid"/>`,
          `<db:result ${pair} id="${id}" type="valid"/>`,
          `<db:verify ${pair} id="${id}" type="invalid"/>`,
        );
        return true;
      };
      const stream = await peer.opens(server.port, 'a.example');
      stream.sends(`<db:result ${pair}>key</db:result>`);
      await stream.receives(word('result', `${turned} type="invalid"`));
    });

    it('ignores an answer to a request sent before TLS (RFC 6120 §5.4.3.3)', async () => {
      const asked = Promise.withResolvers<() => void>();
      peer.script = (tree, client) => {
        if (tree.name !== 'verify') return false;
        const id = tree.attributes.get('id') ?? '';
        asked.resolve(() => client.sends(`<db:verify ${pair} id="${id}" type="valid"/>`));
        return true;
      };
      const stream = await peer.opens(server.port, 'a.example');
      stream.sends(`<db:result ${pair}>key</db:result>`);
      const answer = await asked.promise;
      stream.sends('<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
      await stream.receives('<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
      answer();
      await romeo.settles();
      await stream.connection.startTls({ servername: 'a.example', rejectUnauthorized: false });
      await stream.opens(serverHeader('from="peer.example" to="a.example"'));
      stream.sends(message('x@peer.example'));
      await stream.receivesStreamError('not-authorized');
    });

    it('does not answer for domains that it does not serve (XEP-0220 §2.5)', async () => {
      const stream = await peer.opens(server.port, 'a.example');
      const error = (condition: string) =>
        `<error xmlns="jabber:server" type="*"><${condition} xmlns="${stanzas}"/>...</error>`;
      stream.sends('<db:result from="peer.example" to="b.example">key</db:result>');
      await stream.receives(word('result', 'from="b.example" to="peer.example" type="error"', error('item-not-found')));
      stream.sends('<db:verify from="peer.example" to="b.example" id="1">key</db:verify>');
      await stream.receives(
        word('verify', 'from="b.example" to="peer.example" id="1" type="error"', error('item-not-found')),
      );
      stream.sends('<db:result from="a.example" to="a.example">key</db:result>');
      await stream.receives(word('result', 'from="a.example" to="a.example" type="error"', error('not-acceptable')));
    });

    it('distinguishes its own keys from others (XEP-0185)', async () => {
      const keys: string[] = [];
      other.script = (tree) => {
        if (tree.name === 'result') keys.push(tree.text.trim());
        return false;
      };
      romeo.sends('<message to="x@other.example" type="headline"><body>x</body></message>');
      await other.receives();
      expect(keys[0]).to.match(/^[0-9a-f]{64}$/);
      const stream = await other.opens(server.port, 'a.example');
      for (const key of ['', 'x', keys[0] ?? '', '0'.repeat(64)]) {
        stream.sends(`<db:verify from="other.example" to="a.example" id="otherstream">${key}</db:verify>`);
        await stream.receives(word('verify', 'from="a.example" to="other.example" id="otherstream" type="invalid"'));
      }
    });

    it('reports that the authoritative server cannot be reached (XEP-0220 §2.5)', async () => {
      const stream = await peer.opens(server.port, 'a.example', 'nowhere.example');
      stream.sends('<db:result from="nowhere.invalid" to="a.example">key</db:result>');
      await stream.receives(
        word(
          'result',
          'from="a.example" to="nowhere.invalid" type="error"',
          `<error xmlns="jabber:server" type="*"><any. xmlns="${stanzas}"/>...</error>`,
        ),
      );
    });

    it('accepts a second domain on the same stream when it is proved (XEP-0220 §2.6)', async () => {
      const stream = await peer.proves(server.port, 'a.example');
      stream.sends('<db:result from="other.example" to="a.example">key</db:result>');
      await stream.receives(word('result', 'from="a.example" to="other.example" type="valid"'));
      stream.sends(message('x@other.example'), message('x@peer.example'));
      await romeo.receives(message('x@other.example'));
      await romeo.receives(message('x@peer.example'));
    });
  });

  describe('opens no stream', () => {
    const headers: readonly [what: string, header: string, condition: string][] = [
      ['for a domain it does not serve', serverHeader('from="peer.example" to="b.example"'), 'host-unknown'],
      ['for nobody', serverHeader('from="peer.example"'), 'improper-addressing'],
      ['in its own name', serverHeader('from="a.example" to="a.example"'), 'invalid-from'],
      ['from what is no domain', serverHeader('from="@" to="a.example"'), 'improper-addressing'],
      [
        'of clients',
        serverHeader('from="peer.example" to="a.example"').replace('jabber:server"', 'jabber:client"'),
        'invalid-namespace',
      ],
    ];
    for (const [what, header, condition] of headers) {
      it(`${what}: ${condition}`, async () => {
        const stream = await peer.connects(server.port);
        stream.sends(header);
        await stream.receivesStreamError(condition, { header: true });
      });
    }
  });

  it('accepts only small elements before a domain is proved (RFC 6120 §13.12)', async () => {
    const stream = await peer.opens(server.port, 'a.example');
    stream.sends(`<db:result from="peer.example" to="a.example">${'x'.repeat(20_000)}</db:result>`);
    await stream.receivesStreamError('policy-violation');
  });

  it('refuses EXTERNAL without TLS (XEP-0178 §3)', async () => {
    const stream = await peer.opens(server.port, 'a.example');
    stream.sends('<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="EXTERNAL">=</auth>');
    await stream.receives('<failure xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><encryption-required/></failure>');
    stream.sends(message('x@peer.example'));
    await stream.receivesStreamError('not-authorized');
  });

  it('refuses a count higher than the stanzas sent (XEP-0198 §6)', async () => {
    const stream = await peer.proves(server.port, 'a.example');
    stream.sends('<enable xmlns="urn:xmpp:sm:3"/>');
    await stream.receives('<enabled xmlns="urn:xmpp:sm:3"/>');
    stream.sends('<a xmlns="urn:xmpp:sm:3" h="7"/>');
    await stream.receivesStreamError('undefined-condition');
  });

  it('counts final stanzas (XEP-0198 §4)', async () => {
    const stream = await peer.proves(server.port, 'a.example');
    stream.sends('<enable xmlns="urn:xmpp:sm:3"/>');
    await stream.receives('<enabled xmlns="urn:xmpp:sm:3"/>');
    stream.sends(message('x@peer.example'), message('x@peer.example'), '<r xmlns="urn:xmpp:sm:3"/>');
    let h = '';
    while (h !== '2') h = (await stream.receives('<a xmlns="urn:xmpp:sm:3" h="*"/>')).attributes.get('h') ?? '';
    await romeo.receives(message('x@peer.example'));
    await romeo.receives(message('x@peer.example'));
  });

  it('does not end a stream because of a name that only other servers allow (RFC 6120 §8.3.3.8)', async () => {
    const stream = await peer.proves(server.port, 'a.example');
    stream.sends(
      message('\u2665@peer.example'),
      message('x@peer.example', '\u2665@a.example'),
      message('x@peer.example'),
    );
    await romeo.receives(message('x@peer.example'));
    const { name, attributes } = await peer.receives();
    expect([name, attributes.get('type'), attributes.get('from'), attributes.get('to')]).to.deep.equal([
      'message',
      'error',
      'a.example',
      'x@peer.example',
    ]);
  });

  it('sets delay stamps itself (XEP-0203 §5)', async () => {
    const stream = await peer.proves(server.port, 'a.example');
    const delay = (from: string) => `<delay xmlns="urn:xmpp:delay" from="${from}" stamp="2020-01-01T00:00:00Z"/>`;
    const delayed = (...froms: string[]) =>
      message('x@peer.example').replace('<body>', `${froms.map(delay).join('')}<body>`);
    stream.sends(delayed('a.example', 'peer.example'));
    await romeo.receives(delayed('peer.example'));
  });

  it('ignores answers from other senders (RFC 6120 §8.2.3)', async () => {
    const stream = await peer.proves(server.port, 'a.example');
    stream.sends('<iq from="peer.example" to="a.example" type="result" id="guess"/>');
    stream.sends(message('x@peer.example'));
    await romeo.receives(message('x@peer.example'));
  });

  it('gives strangers the same answers for existing and missing users (RFC 6120 §13.11)', async () => {
    await server.administration.call(addUser, { jid: 'shy@a.example', password: 'pw' });
    const stream = await peer.proves(server.port, 'a.example');
    const questions = [
      '<iq type="get" id="1"><query xmlns="http://jabber.org/protocol/disco#info"/></iq>',
      '<iq type="get" id="2"><query xmlns="http://jabber.org/protocol/disco#items"/></iq>',
      '<iq type="get" id="3"><query xmlns="jabber:iq:last"/></iq>',
      '<iq type="get" id="4"><ping xmlns="urn:xmpp:ping"/></iq>',
      '<iq type="get" id="5"><query xmlns="jabber:iq:roster"/></iq>',
      '<presence type="probe" id="6"/>',
      '<presence type="unsubscribed" id="7"/>',
    ];
    const heard: string[][] = [];
    for (const user of ['romeo', 'shy', 'nobody']) {
      const answers: string[] = [];
      for (const question of questions) {
        const addressed = question.replace(' ', ` from="x@peer.example/r" to="${user}@a.example" `);
        stream.sends(
          addressed,
          '<iq from="x@peer.example/r" to="a.example" type="get" id="end"><ping xmlns="urn:xmpp:ping"/></iq>',
        );
        for (;;) {
          const answer = await peer.receives();
          if (answer.attributes.get('id') === 'end') break;
          answers.push(answer.raw.replaceAll(`${user}@`, 'user@'));
        }
      }
      heard.push(answers);
    }
    expect(heard[0]).to.have.length.greaterThan(5);
    expect(heard[1]).to.deep.equal(heard[0]);
    expect(heard[2]).to.deep.equal(heard[0]);
    await romeo.receivesNothing();
  });
});
