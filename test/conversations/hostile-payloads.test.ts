import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { parseTree, type Tree } from '../support/xml-tree.ts';

/** Every payload the server reads, as a proper client would send it. */
const payloads: readonly (readonly [type: 'get' | 'set', to: 'server' | 'self' | 'other' | 'none', payload: string])[] =
  [
    ['get', 'none', '<query xmlns="jabber:iq:roster" ver="1"/>'],
    [
      'set',
      'none',
      '<query xmlns="jabber:iq:roster"><item jid="a@localhost" name="A" subscription="none"><group>G</group></item></query>',
    ],
    ['set', 'none', '<query xmlns="jabber:iq:roster"><item jid="a@localhost" subscription="remove"/></query>'],
    ['get', 'server', '<query xmlns="http://jabber.org/protocol/disco#info" node="n"/>'],
    ['get', 'self', '<query xmlns="http://jabber.org/protocol/disco#items" node="n"/>'],
    ['get', 'server', '<ping xmlns="urn:xmpp:ping"/>'],
    ['get', 'other', '<query xmlns="jabber:iq:last"/>'],
    ['get', 'server', '<query xmlns="jabber:iq:version"/>'],
    ['get', 'server', '<time xmlns="urn:xmpp:time"/>'],
    ['set', 'none', '<vCard xmlns="vcard-temp" version="3.0"><FN>A</FN><N><FAMILY>B</FAMILY></N></vCard>'],
    ['get', 'other', '<vCard xmlns="vcard-temp"/>'],
    [
      'set',
      'none',
      '<query xmlns="jabber:iq:private"><storage xmlns="storage:bookmarks"><conference jid="r@s" autojoin="1"/></storage></query>',
    ],
    ['get', 'none', '<query xmlns="jabber:iq:private"><storage xmlns="storage:bookmarks"/></query>'],
    ['set', 'none', '<block xmlns="urn:xmpp:blocking"><item jid="b@localhost"/><item jid="c@localhost"/></block>'],
    ['set', 'none', '<unblock xmlns="urn:xmpp:blocking"><item jid="b@localhost"/></unblock>'],
    ['get', 'none', '<blocklist xmlns="urn:xmpp:blocking"/>'],
    ['get', 'server', '<query xmlns="jabber:iq:register"/>'],
    ['set', 'server', '<query xmlns="jabber:iq:register"><username>nobody</username><password>x</password></query>'],
    ['set', 'none', '<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><resource>x</resource></bind>'],
    ['set', 'none', '<session xmlns="urn:ietf:params:xml:ns:xmpp-session"/>'],
    ['set', 'none', '<enable xmlns="urn:xmpp:carbons:2"/>'],
  ];

/** Values that no reader should take for granted not to come. */
const oddValues = [
  '',
  ' ',
  '@',
  '/',
  '-1',
  '1e999',
  '9'.repeat(40),
  '__proto__',
  '\u{10FFFF}',
  "'; DROP TABLE accounts; --",
  'x'.repeat(3000),
];

/** Payloads that differ from a proper one in a single place. */
function* mutationsOf(tree: Tree): Generator<Tree> {
  for (const name of tree.attributes.keys()) {
    yield { ...tree, attributes: new Map([...tree.attributes].filter(([other]) => other !== name)) };
    for (const value of oddValues) yield { ...tree, attributes: new Map([...tree.attributes, [name, value]]) };
  }
  if (tree.children.length === 0) for (const text of oddValues) yield { ...tree, text };
  yield { ...tree, text: `${tree.text}stray` };
  yield { ...tree, children: [...tree.children, parseTree('<remove xmlns="urn:example:odd" odd="1"/>')] };
  for (const [index, child] of tree.children.entries()) {
    yield { ...tree, children: tree.children.toSpliced(index, 1) };
    yield { ...tree, children: tree.children.toSpliced(index, 0, child) };
    yield { ...tree, children: tree.children.with(index, { ...child, ns: 'urn:example:other' }) };
    yield { ...tree, children: tree.children.with(index, { ...child, name: 'other' }) };
    for (const mutated of mutationsOf(child)) yield { ...tree, children: tree.children.with(index, mutated) };
  }
}

function print({ name, ns, attributes, children, text }: Tree): string {
  const written = [['xmlns', ns], ...attributes].map(([key, value]) => ` ${key}="${escaped(value ?? '')}"`).join('');
  return `<${name}${written}>${escaped(text)}${children.map(print).join('')}</${name}>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

describe('Payloads with something wrong (RFC 6120 §8.2.3, §8.3)', () => {
  const stage = new Stage();

  for (const [type, to, payload] of payloads) {
    it(`${type} ${payload.slice(0, 60)}…: every one is answered once, and nothing breaks (RFC 6120 §8.2.3)`, async () => {
      const { mallory, other } = await stage.enter(['mallory', 'other']);
      const address = { server: stage.domain, self: mallory.bare, other: other.bare, none: undefined }[to];
      const attributes = `type="${type}"${address ? ` to="${address}"` : ''}`;
      let count = 0;
      for (const mutated of mutationsOf(parseTree(payload))) {
        const id = `x${++count}`;
        const iq = `<iq id="${id}" ${attributes}>${print(mutated)}</iq>`;
        mallory.sends(iq);
        const own = (await mallory.drains()).filter((tree) => tree.attributes.get('id') === id);
        expect(own, iq.slice(0, 300)).to.have.length(1);
        expect(own[0]?.raw, iq.slice(0, 300)).to.not.include('internal-server-error');
      }
      expect(count).to.be.greaterThan(1);
      await other.receivesNothing();
    });
  }
});
