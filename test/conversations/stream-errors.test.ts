import { Stage } from '../support/conversation.ts';
import type { TestClient } from '../support/test-client.ts';

type Case = readonly [name: string, condition: string, bytes: string | Buffer];

const bytesOf = (before: string, middle: readonly number[], after: string) => {
  return Buffer.concat([Buffer.from(before), Buffer.from(middle), Buffer.from(after)]);
};

/** What no stream may hold, whatever its state. */
const badXml: readonly Case[] = [
  ['a tag that does not match (RFC 6120 §4.9.3.13)', 'not-well-formed', '<message><body></message>'],
  ['an attribute twice (RFC 6120 §4.9.3.13)', 'not-well-formed', '<message to="a" to="b"/>'],
  ['an attribute without quotes (RFC 6120 §4.9.3.13)', 'not-well-formed', '<message to=a/>'],
  ['a bare ampersand (RFC 6120 §4.9.3.13)', 'not-well-formed', '<message><body>a & b</body></message>'],
  ['a prefix nobody declared (RFC 6120 §4.9.3.13)', 'not-well-formed', '<message><x:y/></message>'],
  ['a control character (RFC 6120 §4.9.3.13)', 'not-well-formed', '<message><body>\u0001</body></message>'],
  [
    'a reference to a control character (RFC 6120 §4.9.3.13)',
    'not-well-formed',
    '<message><body>&#1;</body></message>',
  ],
  [
    'bytes that are not UTF-8 (RFC 6120 §11.6)',
    'not-well-formed',
    bytesOf('<message><body>', [0xc0, 0xbc], '</body></message>'),
  ],
  ['a comment (RFC 6120 §11.1)', 'restricted-xml', '<message><!-- hello --></message>'],
  ['a processing instruction (RFC 6120 §11.1)', 'restricted-xml', '<message><?php ?></message>'],
  ['an XML declaration between stanzas (RFC 6120 §11.3)', 'not-well-formed', '<?xml version="1.0"?>'],
  ['a document type (RFC 6120 §11.1)', 'restricted-xml', '<!DOCTYPE x [<!ENTITY y "z">]>'],
  ['an entity of its own (RFC 6120 §11.1)', 'restricted-xml', '<message><body>&lol;</body></message>'],
  ['text between stanzas (RFC 6120 §4.9.3.1)', 'bad-format', 'hello'],
  ['elements too deep (RFC 6120 §13.12)', 'policy-violation', '<a>'.repeat(100)],
  [
    'too many attributes (RFC 6120 §13.12)',
    'policy-violation',
    `<message ${Array.from({ length: 100 }, (_, n) => `a${n}=""`).join(' ')}/>`,
  ],
];

const phases: readonly (readonly [string, (stage: Stage) => Promise<TestClient>])[] = [
  [
    'before TLS',
    async (stage) => {
      const client = await stage.plainClient();
      await client.opens();
      return client;
    },
  ],
  [
    'before authentication',
    async (stage) => {
      const client = await stage.client();
      await client.opens();
      return client;
    },
  ],
  [
    'before resource binding',
    async (stage) => {
      const { local, password } = await stage.account('romeo');
      const client = await stage.client();
      await client.opens();
      await client.authenticates({ username: local, password });
      return client;
    },
  ],
  ['with a bound resource', async (stage) => (await stage.account('romeo')).connects()],
];

describe('Stream errors (RFC 6120 §4.9.3)', () => {
  const stage = new Stage({ settings: { limits: { disabled: true, c2s: { stanzaBytes: 20_000, elements: 100 } } } });

  for (const [phase, reach] of phases) {
    describe(phase, () => {
      for (const [name, condition, bytes] of badXml) {
        it(`${name} is answered with ${condition}`, async () => {
          const client = await reach(stage);
          client.sends(bytes);
          await client.receivesStreamError(condition);
        });
      }

      it('a stanza with too many bytes is answered with policy-violation before it is complete (RFC 6120 §13.12)', async () => {
        const client = await reach(stage);
        client.sends(`<message><body>${'x'.repeat(30_000)}`);
        await client.receivesStreamError('policy-violation');
      });

      it('a stanza with too many elements is answered with policy-violation (RFC 6120 §13.12)', async () => {
        const client = await reach(stage);
        client.sends(`<message>${'<x/>'.repeat(200)}`);
        await client.receivesStreamError('policy-violation');
      });

      it('an element of no known namespace is answered with unsupported-stanza-type (RFC 6120 §4.9.3.24)', async () => {
        const client = await reach(stage);
        client.sends('<hello xmlns="urn:example:hello"/>');
        await client.receivesStreamError('unsupported-stanza-type');
      });
    });
  }

  for (const [phase, reach] of phases.slice(0, 3)) {
    for (const stanza of [
      '<message to="juliet@localhost"/>',
      '<presence/>',
      '<iq type="get" id="x"><query xmlns="q"/></iq>',
    ]) {
      it(`${stanza.slice(0, 9)}… ${phase} is answered with not-authorized (RFC 6120 §4.9.3.12)`, async () => {
        const client = await reach(stage);
        client.sends(stanza);
        await client.receivesStreamError('not-authorized');
      });
    }
  }

  describe('with a bound resource', () => {
    it('an unknown stanza is answered with unsupported-stanza-type (RFC 6120 §4.9.3.24)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      romeo.sends('<pubsub/>');
      await romeo.receivesStreamError('unsupported-stanza-type');
    });

    for (const [name, from] of [
      ['another account', 'juliet@localhost'],
      ['another resource', 'SELF/other'],
      ['the server', 'localhost'],
      ['another domain', 'romeo@example.org'],
      ['an address that is none', '@@'],
    ] as const) {
      it(`a stanza from ${name} is answered with invalid-from (RFC 6120 §4.9.3.9)`, async () => {
        const { romeo } = await stage.enter(['romeo']);
        romeo.sends(`<message from="${from.replace('SELF', romeo.bare)}" to="juliet@localhost"/>`);
        await romeo.receivesStreamError('invalid-from');
      });
    }

    it('one may name oneself, bare or full, in any case (RFC 6120 §8.1.2.1)', async () => {
      const { romeo } = await stage.enter(['romeo']);
      for (const from of [romeo.bare, romeo.jid, romeo.bare.toUpperCase()]) {
        romeo.sends(`<message from="${from}" to="${romeo.jid}" id="x"/>`);
        await romeo.receives(`<message from="${romeo.jid}" to="${romeo.jid}" id="x"/>`);
      }
    });

    it("a 'from' in another namespace is no address (RFC 6120 §8.1.2)", async () => {
      const { romeo } = await stage.enter(['romeo']);
      romeo.sends(`<message xmlns:x="urn:example:x" x:from="juliet@localhost" to="${romeo.jid}"/>`);
      await romeo.receives(`<message from="${romeo.jid}"/>`);
    });

    it('an id or a language that is too long is answered with policy-violation (RFC 6120 §13.12)', async () => {
      for (const attributes of [`id="${'x'.repeat(1024)}"`, `xml:lang="${'x'.repeat(65)}"`]) {
        const { romeo } = await stage.enter(['romeo']);
        romeo.sends(`<message ${attributes}/>`);
        await romeo.receivesStreamError('policy-violation');
      }
    });

    it('what comes behind an error is not read (RFC 6120 §4.9.1.1)', async () => {
      const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
      romeo.sends(`<x:y/><message to="${juliet.jid}"><body>late</body></message>`);
      await romeo.receivesStreamError('not-well-formed');
      await juliet.receivesNothing();
    });

    it('what came before an error is done (RFC 6120 §4.9.1.1)', async () => {
      const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
      romeo.sends(`<message to="${juliet.jid}"><body>in time</body></message><x:y/>`);
      await juliet.receives('<message><body>in time</body></message>');
      await romeo.receivesStreamError('not-well-formed');
    });
  });
});
