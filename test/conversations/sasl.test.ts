import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { type Login, saslElement, type TestClient } from '../support/test-client.ts';
import { childOf, findTree, type Tree } from '../support/xml-tree.ts';

const sasl = 'urn:ietf:params:xml:ns:xmpp-sasl';
const scrams = ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];
const mechanisms = [...scrams.map((name) => `${name}-PLUS`), ...scrams, 'PLAIN'];
const bindingTypes = ['tls-exporter', 'tls-server-end-point'] as const;
const failure = (condition: string) => `<failure xmlns="${sasl}"><${condition}/>...</failure>`;
const plain = (text: string) => saslElement('auth', Buffer.from(text), ' mechanism="PLAIN"');

describe('SASL (RFC 6120 §6)', () => {
  const stage = new Stage({ domains: ['localhost', 'verona.example'] });

  /** A secured stream on which to authenticate, and somebody who may. */
  async function ready(domain = 'localhost'): Promise<{ client: TestClient; login: Login }> {
    const { local: username, password } = await stage.account('juliet', domain);
    const client = await stage.client(domain);
    await client.opens();
    return { client, login: { username, password } };
  }

  it('offers the mechanisms of the configuration, the strongest first (RFC 6120 §6.4.1)', async () => {
    const { client } = await ready();
    expect(offered(client.features).toSorted()).to.deep.equal(mechanisms.toSorted());
    expect(offered(client.features).at(-1)).to.equal('PLAIN');
  });

  it('tells which channel bindings it knows (XEP-0440 §3)', async () => {
    const { client } = await ready();
    const types = childOf(client.features ?? fail(), 'sasl-channel-binding')?.children.map((tree) =>
      tree.attributes.get('type'),
    );
    expect(types).to.have.members([...bindingTypes]);
  });

  for (const mechanism of [...scrams, 'PLAIN']) {
    it(`${mechanism} leads to a new stream and a resource (RFC 6120 §6.4.6)`, async () => {
      const { client, login } = await ready();
      await client.authenticates({ ...login, mechanism });
      await client.binds();
      expect(client.bare).to.equal(`${login.username}@localhost`);
    });
  }

  for (const mechanism of [...scrams, 'PLAIN']) {
    it(`${mechanism} ignores line ends after its elements and before the header (RFC 6120 §6.3.5)`, async () => {
      const { client, login } = await ready();
      const { sends } = client;
      client.sends = (...pieces) => sends.call(client, ...pieces.map((piece) => `${piece}\n`));
      expect((await client.tries({ ...login, mechanism })).name).to.equal('success');
      sends.call(client, ' ', '\r\n');
      await client.opens();
      await client.binds();
    });
  }

  it('allows only white space between the success and the header (RFC 6120 §6.4.6)', async () => {
    const { client, login } = await ready();
    await client.tries({ ...login, mechanism: 'PLAIN' });
    client.connection.restart();
    client.sends("\nx<?xml version='1.0'?>");
    await client.receivesStreamError('not-well-formed', { header: true });
  });

  for (const mechanism of scrams.map((name) => `${name}-PLUS`)) {
    for (const bindingType of bindingTypes) {
      it(`${mechanism} binds to ${bindingType} (RFC 5802 §6)`, async () => {
        const { client, login } = await ready();
        await client.authenticates({ ...login, mechanism, bindingType });
        await client.binds();
      });
    }
  }

  it('checks an account in the domain of the stream (RFC 6120 §6.3.8)', async () => {
    const { login } = await ready('verona.example');
    const client = await stage.client('localhost');
    await client.opens();
    expect((await client.tries(login)).name).to.equal('failure');
    const right = await stage.client('verona.example');
    await right.opens();
    await right.authenticates(login);
    await right.binds();
    expect(right.bare).to.equal(`${login.username}@verona.example`);
  });

  it('asks for the initial response if the client sends none (RFC 6120 §6.4.2)', async () => {
    const { client, login } = await ready();
    client.sends(`<auth xmlns="${sasl}" mechanism="PLAIN"/>`);
    const challenge = await client.receives(`<challenge xmlns="${sasl}">*</challenge>`);
    expect(['', '=']).to.include(challenge.text);
    client.sends(saslElement('response', Buffer.from(`\0${login.username}\0${login.password}`)));
    await client.receives(`<success xmlns="${sasl}">*</success>`);
  });

  it('ignores the case of user names (RFC 7622 §3.3)', async () => {
    const { client, login } = await ready();
    await client.authenticates({ ...login, username: login.username.toUpperCase(), mechanism: 'PLAIN' });
    await client.binds();
    expect(client.bare).to.equal(`${login.username}@localhost`);
  });

  describe('failures (RFC 6120 §6.5)', () => {
    const wrong: readonly (readonly [name: string, condition: string, xml: string])[] = [
      [
        'bytes that are no base64 (RFC 6120 §6.5.5)',
        'incorrect-encoding',
        `<auth xmlns="${sasl}" mechanism="PLAIN">%%%</auth>`,
      ],
      [
        'base64 without its end (RFC 6120 §6.5.5)',
        'incorrect-encoding',
        `<auth xmlns="${sasl}" mechanism="PLAIN">AGEAY</auth>`,
      ],
      [
        'base64 behind its end (RFC 6120 §6.5.5)',
        'incorrect-encoding',
        `<auth xmlns="${sasl}" mechanism="PLAIN">AGE=AGE=</auth>`,
      ],
      [
        'base64 in lines (RFC 6120 §6.5.5)',
        'incorrect-encoding',
        `<auth xmlns="${sasl}" mechanism="PLAIN">AGEA\nYg==</auth>`,
      ],
      [
        'a mechanism nobody knows (RFC 6120 §6.5.7)',
        'invalid-mechanism',
        `<auth xmlns="${sasl}" mechanism="X-KEY">AA==</auth>`,
      ],
      ['no mechanism (RFC 6120 §6.5.7)', 'invalid-mechanism', `<auth xmlns="${sasl}">AA==</auth>`],
      ['a mechanism in lower case (RFC 6120 §6.5.7)', 'invalid-mechanism', plain('\0a\0b').replace('PLAIN', 'plain')],
      [
        'ANONYMOUS, which is not offered (RFC 6120 §6.5.7)',
        'invalid-mechanism',
        plain('').replace('PLAIN', 'ANONYMOUS'),
      ],
      ['EXTERNAL, which is not offered (RFC 6120 §6.5.7)', 'invalid-mechanism', plain('').replace('PLAIN', 'EXTERNAL')],
      [
        'a mechanism named like a property (RFC 6120 §6.5.7)',
        'invalid-mechanism',
        plain('').replace('PLAIN', '__proto__'),
      ],
      ['PLAIN without its parts (RFC 6120 §6.5.8)', 'malformed-request', plain('juliet')],
      ['PLAIN with too many parts (RFC 6120 §6.5.8)', 'malformed-request', plain('\0a\0b\0c')],
      ['PLAIN without a name (RFC 6120 §6.5.8)', 'malformed-request', plain('\0\0b')],
      ['PLAIN without a password (RFC 6120 §6.5.8)', 'malformed-request', plain('\0a\0')],
      [
        'PLAIN that is not UTF-8 (RFC 6120 §6.5.8)',
        'malformed-request',
        saslElement('auth', Buffer.from([0, 97, 0, 0xff]), ' mechanism="PLAIN"'),
      ],
      ['an empty PLAIN (RFC 6120 §6.5.8)', 'malformed-request', plain('')],
      [
        'a SCRAM message that is none (RFC 6120 §6.5.8)',
        'malformed-request',
        plain('hello').replace('PLAIN', 'SCRAM-SHA-1'),
      ],
      [
        'a SCRAM extension that must be understood (RFC 5802 §5.1)',
        'malformed-request',
        plain('n,,m=x,n=a,r=b').replace('PLAIN', 'SCRAM-SHA-1'),
      ],
      [
        'SCRAM with binding where the mechanism has none (RFC 5802 §6)',
        'malformed-request',
        plain('p=tls-exporter,,n=a,r=b').replace('PLAIN', 'SCRAM-SHA-1'),
      ],
      [
        'SCRAM by a client that was not shown -PLUS (RFC 5802 §6)',
        'not-authorized',
        plain('y,,n=a,r=b').replace('PLAIN', 'SCRAM-SHA-1'),
      ],
    ];

    for (const [name, condition, xml] of wrong) {
      it(`${name}: ${condition}, and the client may try again (RFC 6120 §6.4.5)`, async () => {
        const { client, login } = await ready();
        client.sends(xml);
        await client.receives(failure(condition));
        await client.authenticates(login);
      });
    }

    for (const mechanism of ['PLAIN', ...scrams]) {
      it(`${mechanism}: a wrong password and an unknown name look the same (RFC 6120 §6.5.10)`, async () => {
        const { client, login } = await ready();
        const wrongPassword = await client.tries({ ...login, mechanism, password: 'wrong' });
        const unknownName = await client.tries({ ...login, mechanism, username: `${login.username}x` });
        expect(childOf(wrongPassword, 'not-authorized'), wrongPassword.raw).to.not.equal(undefined);
        expect(unknownName.raw).to.equal(wrongPassword.raw);
      });
    }

    it('an unknown name gets the same salt every time, and the usual iterations (RFC 5802 §5.1)', async () => {
      const challenges: string[] = [];
      for (const name of ['ghost', 'ghost', 'phantom', (await ready()).login.username]) {
        const { client } = await ready();
        client.sends(saslElement('auth', Buffer.from(`n,,n=${name},r=abc`), ' mechanism="SCRAM-SHA-256"'));
        const challenge = await client.receives(`<challenge xmlns="${sasl}">*</challenge>`);
        challenges.push(
          Buffer.from(challenge.text, 'base64')
            .toString()
            .replace(/^r=[^,]*,/, ''),
        );
      }
      const [first, again, other, known] = challenges;
      expect(first).to.equal(again);
      expect(other).to.not.equal(first);
      const shape = (challenge = '') => challenge.replace(/s=[^,]*/, (salt) => `s=${salt.length}`);
      expect(shape(first)).to.equal(shape(known));
    });

    it('a client can abort (RFC 6120 §6.4.4, §6.5.1)', async () => {
      const { client, login } = await ready();
      client.sends(saslElement('auth', Buffer.from('n,,n=a,r=b'), ' mechanism="SCRAM-SHA-1"'));
      await client.receives(`<challenge xmlns="${sasl}">*</challenge>`);
      client.sends(`<abort xmlns="${sasl}"/>`);
      await client.receives(failure('aborted'));
      await client.authenticates(login);
    });

    it('a proof for another channel fails (RFC 5802 §6)', async () => {
      const { client, login } = await ready();
      const { client: other } = await ready();
      client.bindingData = (type) => other.bindingData(type);
      const answer = await client.tries({ ...login, mechanism: 'SCRAM-SHA-1-PLUS', bindingType: 'tls-exporter' });
      expect(childOf(answer, 'not-authorized'), answer.raw).to.not.equal(undefined);
    });

    it('too many failures on one stream end it (RFC 6120 §6.4.5)', async () => {
      const { client, login } = await ready();
      for (let attempt = 0; attempt < 5; attempt++) {
        expect((await client.tries({ ...login, password: 'wrong', mechanism: 'PLAIN' })).name).to.equal('failure');
      }
      await client.receivesStreamError('policy-violation');
    });
  });

  describe('authorization identities (RFC 6120 §6.3.8)', () => {
    for (const mechanism of ['PLAIN', 'SCRAM-SHA-1']) {
      for (const [name, authzid, right] of [
        ['none', undefined, true],
        ['the own', 'SELF@localhost', true],
        ['the own, in another case', 'SELF@LOCALHOST', true],
        ['another account', 'romeo@localhost', false],
        ['the own name in another domain', 'SELF@verona.example', false],
        ['the own, with a resource', 'SELF@localhost/balcony', false],
        ['the name alone', 'SELF', false],
        ['the domain', 'localhost', false],
        ['no address', '@@', false],
      ] as const) {
        it(`${mechanism}: ${name} as authorization identity is ${right ? 'accepted' : 'refused'} (RFC 6120 §6.5.6)`, async () => {
          const { client, login } = await ready();
          const claimed = authzid && { authzid: authzid.replace('SELF', login.username) };
          const answer = await client.tries({ ...login, mechanism, ...claimed });
          if (right) return void expect(answer.name).to.equal('success');
          expect(childOf(answer, 'invalid-authzid'), answer.raw).to.not.equal(undefined);
        });
      }
    }
  });

  describe('elements out of turn (RFC 6120 §6.4)', () => {
    for (const name of ['response', 'abort', 'success']) {
      it(`<${name}/> without an exchange ends the stream`, async () => {
        const { client } = await ready();
        client.sends(saslElement(name, Buffer.from('x')));
        const error = await client.receives('<stream:error>...</stream:error>');
        expect(error.children[0]?.name).to.be.oneOf(['not-authorized', 'unsupported-stanza-type']);
        await client.receivesEnd();
      });
    }

    for (const [name, xml] of [
      ['a second <auth/>', plain('\0a\0b')],
      ['a stanza', '<presence/>'],
      ['a request for TLS', '<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>'],
      ['a SASL2 element', '<authenticate xmlns="urn:xmpp:sasl:2" mechanism="PLAIN"/>'],
    ] as const) {
      it(`${name} within an exchange ends the stream`, async () => {
        const { client } = await ready();
        client.sends(saslElement('auth', Buffer.from('n,,n=a,r=b'), ' mechanism="SCRAM-SHA-1"'));
        await client.receives(`<challenge xmlns="${sasl}">*</challenge>`);
        client.sends(xml);
        await client.receivesStreamError('not-authorized');
      });
    }

    it('a second authentication ends the stream (RFC 6120 §6.4.6)', async () => {
      const { client, login } = await ready();
      const nurse = await stage.account('nurse');
      await client.authenticates(login);
      client.sends(plain(`\0${nurse.local}\0${nurse.password}`));
      await client.receivesStreamError('policy-violation');
    });

    it('a stanza instead of the new header ends the stream (RFC 6120 §6.4.6)', async () => {
      const { client, login } = await ready();
      await client.tries(login);
      client.connection.restart();
      client.sends('<presence/>');
      await client.receivesStreamError('invalid-namespace', { header: true });
    });
  });
});

describe('SASL from an address that guesses passwords (RFC 6120 §13.12)', () => {
  const limits = { authentication: { failuresPerIp: 3, failuresPerStream: 100 } };
  const stage = new Stage({ settings: { limits } });

  it('is refused for a while, and no account is locked (XEP-0205 §3)', async () => {
    const { local: username, password } = await stage.account('juliet');
    const client = await stage.client();
    await client.opens();
    for (let attempt = 0; attempt < 3; attempt++) {
      await client.tries({ username, password: 'wrong', mechanism: 'PLAIN' });
    }
    const answer = await client.tries({ username, password, mechanism: 'PLAIN' });
    expect(childOf(answer, 'temporary-auth-failure'), answer.raw).to.not.equal(undefined);
  });
});

function offered(features: Tree | undefined): string[] {
  return findTree(features ?? fail(), 'mechanisms')?.children.map(({ text }) => text) ?? [];
}

function fail(): never {
  throw new Error('no features were offered');
}
