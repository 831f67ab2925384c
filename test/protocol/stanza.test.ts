import { expect } from 'chai';
import fc from 'fast-check';
import { Jid } from '../../src/protocol/jid.ts';
import { ns } from '../../src/protocol/namespaces.ts';
import { MalformedAddress, Stanza } from '../../src/protocol/stanza.ts';
import { StreamError } from '../../src/protocol/stream-error.ts';
import { textOf, xml } from '../../src/xml/element.ts';
import { isXmlText } from '../../src/xml/escape.ts';
import { Payload } from '../../src/xml/payload.ts';
import { serialize } from '../../src/xml/serialize.ts';
import { readFrame, readStanza } from './read-stanza.ts';

const romeo = Jid.parse('romeo@montague.example/orchard');
const juliet = Jid.parse('juliet@capulet.example');

describe('Stanza.fromFrame', () => {
  it('reads the attributes of RFC 6120 §8.1', () => {
    const stanza = readStanza(
      "<message from='romeo@montague.example/orchard' to='juliet@capulet.example' id='a&amp;b' type='chat' xml:lang='cy'><body>hi</body></message>",
    );
    expect(stanza.kind).to.equal('message');
    expect(stanza.from?.toString()).to.equal('romeo@montague.example/orchard');
    expect(stanza.to?.toString()).to.equal('juliet@capulet.example');
    expect([stanza.id, stanza.type, stanza.lang, stanza.extra]).to.deep.equal(['a&b', 'chat', 'cy', undefined]);
    expect(stanza.payload.has('body', ns.client)).to.equal(true);
  });

  it('leaves absent what is absent', () => {
    const { from, to, id, type, lang, extra } = readStanza('<presence/>');
    expect([from, to, id, type, lang, extra]).to.deep.equal(Array.from({ length: 6 }));
  });

  it('never takes a prefixed attribute for an address, id or type', () => {
    const stanza = readStanza("<iq x:from='a@b.example' x:to='@@' x:id='i' x:type='get' x:lang='en' type='set'/>");
    const { from, to, id, type, lang, extra } = stanza;
    expect([from, to, id, type, lang, extra]).to.deep.equal([
      undefined,
      undefined,
      undefined,
      'set',
      undefined,
      undefined,
    ]);
    expect(stanza.toString()).to.equal('<iq type="set"/>');
  });

  it('keeps unknown attributes without a namespace', () => {
    const stanza = readStanza("<message one='1' to='a.example' two='&lt;2&gt;'><body/></message>");
    expect(stanza.extra).to.deep.equal([
      ['one', '1'],
      ['two', '<2>'],
    ]);
    expect(readStanza(stanza.toBytes()).extra).to.deep.equal(stanza.extra);
  });

  for (const attribute of ['to', 'from'] as const) {
    for (const value of [
      '',
      '@example',
      'a@',
      'a@b@c',
      'a.example/',
      'a b@c.example',
      `${'a'.repeat(1024)}@b.example`,
    ]) {
      it(`refuses the ${attribute} '${value.slice(0, 20)}'`, () => {
        expect(() => readStanza(`<iq ${attribute}='${value}' type='get' id='1'/>`))
          .to.throw(MalformedAddress)
          .that.includes({ condition: 'jid-malformed', type: 'modify', attribute });
      });
    }
  }

  for (const text of ['<stream:features/>', '<other/>', "<message xmlns='urn:other'/>", '<Message/>', '<stream:iq/>']) {
    it(`refuses ${text} as no stanza`, () => {
      expect(() => readStanza(text))
        .to.throw(StreamError)
        .with.property('condition', 'unsupported-stanza-type');
    });
  }

  for (const contentNs of [ns.client, ns.server, ns.componentAccept]) {
    it(`reads stanzas of ${contentNs}`, () => {
      const stanza = readStanza('<message><body>hi</body></message>', contentNs);
      expect(stanza.payload.has('body', ns.client)).to.equal(true);
      expect(stanza.toString()).to.equal('<message><body>hi</body></message>');
    });
  }
});

describe('Stanza on the wire', () => {
  const attributes = { from: romeo, to: juliet, id: '1', type: 'chat', lang: 'en' };
  const table: readonly [stanza: Stanza, bytes: string][] = [
    [Stanza.presence({}), '<presence/>'],
    [
      Stanza.iq({ type: 'result', id: '1', to: romeo }),
      '<iq to="romeo@montague.example/orchard" id="1" type="result"/>',
    ],
    [
      Stanza.message(attributes, xml('body', {}, 'wherefore <art> thou'), xml('active', { xmlns: ns.chatStates })),
      '<message from="romeo@montague.example/orchard" to="juliet@capulet.example" id="1" type="chat" xml:lang="en">' +
        `<body>wherefore &lt;art&gt; thou</body><active xmlns="${ns.chatStates}"/></message>`,
    ],
    [Stanza.message({ id: 'é' }, xml('body', {}, '\u{1F600}')), '<message id="é"><body>\u{1F600}</body></message>'],
    [Stanza.message({ id: '' }), '<message id=""/>'],
  ];
  for (const [stanza, bytes] of table) {
    it(`writes ${bytes.slice(0, 60)}`, () => {
      expect(stanza.toBytes().toString()).to.equal(bytes);
      expect(stanza.toString()).to.equal(bytes);
      expect(stanza.head() + stanza.payload.bytes.toString() + stanza.tail()).to.equal(bytes);
    });
  }

  it('declares the content namespace where asked to', () => {
    expect(Stanza.presence({ to: juliet }).toBytes(ns.client).toString()).to.equal(
      '<presence xmlns="jabber:client" to="juliet@capulet.example"/>',
    );
  });

  for (const value of ['"', "'", '<', '>', '&', '\t', '\n', '\r', '&lt;', 'é', '\u{1F600}', '\u2028', '\x7f']) {
    it(`keeps ${JSON.stringify(value)} in an id and in a resource`, () => {
      const read = readStanza(Stanza.presence({ id: `${value}x` }).toBytes());
      expect(read.id).to.equal(`${value}x`);
    });
  }

  it('keeps a resource full of markup', () => {
    const to = Jid.parse(`a@b.example/<'&">`);
    expect(readStanza(Stanza.message({ to }).toBytes()).to?.equals(to)).to.equal(true);
  });

  for (const value of ['\0', '\x1b', '\uFFFE', '\uD800']) {
    it(`does not write the character ${JSON.stringify(value)}, which XML has not`, () => {
      expect(() => Stanza.message({ id: value }).toBytes()).to.throw();
    });
  }

  const text = fc.string({ unit: 'binary' }).filter(isXmlText);
  const value = fc.option(text, { nil: undefined });

  it('comes back as it was', () => {
    const made = fc.record({ id: value, type: value, body: value, extra: fc.option(text) });
    fc.assert(
      fc.property(made, ({ id, type, body, extra }) => {
        const children = body === undefined ? [] : [xml('body', {}, body)];
        const more = extra === null ? undefined : [['more', extra] as const];
        const stanza = new Stanza('message', { from: romeo, to: juliet, id, type }, Payload.of(...children), more);
        const read = readStanza(stanza.toBytes());
        expect([read.id, read.type, read.extra]).to.deep.equal([id, type, more]);
        expect([read.from?.toString(), read.to?.toString()]).to.deep.equal([romeo.toString(), juliet.toString()]);
        expect(read.payload.elements().map(textOf)).to.deep.equal(body === undefined ? [] : [body]);
        expect(read.toBytes().equals(stanza.toBytes())).to.equal(true);
      }),
    );
  });

  it('passes the content on byte by byte', () => {
    const content = "<body xml:lang='en'>a &#x41; <![CDATA[<b>]]></body><a  b = 'c'\n xmlns='urn:a' ></a >";
    const stanza = readStanza(`<message id='1'>${content}</message>`);
    expect(stanza.with({ to: juliet }).toString()).to.equal(
      `<message to="juliet@capulet.example" id="1">${content}</message>`,
    );
  });
});

describe('Stanza.with', () => {
  const stanza = readStanza(
    "<message from='a.example' to='b.example' id='1' type='chat' xml:lang='en' more='x'><body/></message>",
  );

  it('replaces what is given and keeps the rest', () => {
    expect(stanza.with({ from: romeo }).toString()).to.equal(
      '<message from="romeo@montague.example/orchard" to="b.example" id="1" type="chat" xml:lang="en" more="x"><body/></message>',
    );
    expect(stanza.with({ payload: Payload.empty, type: 'headline' }).toString()).to.equal(
      '<message from="a.example" to="b.example" id="1" type="headline" xml:lang="en" more="x"/>',
    );
  });

  it('removes what is given as undefined', () => {
    const bare = stanza.with({ from: undefined, to: undefined, id: undefined, type: undefined, lang: undefined });
    expect(bare.toString()).to.equal('<message more="x"><body/></message>');
  });

  it('leaves the original alone', () => {
    const before = stanza.toString();
    stanza.with({ to: undefined, payload: Payload.empty });
    expect(stanza.toString()).to.equal(before);
  });
});

describe('Stanza.element', () => {
  it('is the whole stanza in jabber:client', () => {
    const stanza = readStanza(
      "<message to='b.example' id='1' xml:lang='en' more='x'><body>&lt;</body><a xmlns='urn:a'/></message>",
      ns.server,
    );
    expect(serialize(stanza.element())).to.equal(
      '<message xmlns="jabber:client" to="b.example" id="1" xml:lang="en" more="x"><body>&lt;</body><a xmlns="urn:a"/></message>',
    );
  });

  it('has nothing but its namespace where there is nothing', () => {
    expect(serialize(Stanza.fromFrame(readFrame('<presence/>')).element())).to.equal(
      '<presence xmlns="jabber:client"/>',
    );
  });
});
