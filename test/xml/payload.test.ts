import { expect } from 'chai';
import { textOf, xml } from '../../src/xml/element.ts';
import type { Frame } from '../../src/xml/frame.ts';
import { parseFrame } from '../../src/xml/parse-frame.ts';
import { contentNs, Payload } from '../../src/xml/payload.ts';
import { StreamReader } from '../../src/xml/stream-reader.ts';
import { clientLimits } from './reading.ts';

const streamNs = 'http://etherx.jabber.org/streams';

/** A frame as it comes on a stream whose header has this default namespace. */
function frameOn(defaultNs: string, text: string, declarations = ''): Frame {
  const frames: Frame[] = [];
  const reader = new StreamReader({ header() {}, frame: (frame) => frames.push(frame), end() {} }, clientLimits);
  reader.push(Buffer.from(`<stream:stream xmlns='${defaultNs}' xmlns:stream='${streamNs}' ${declarations}>${text}`));
  return frames[0]!;
}

function indexOf(payload: Payload): string[] {
  return payload.children.map(({ ns, name, start, end }) => `{${ns}}${name} ${payload.bytes.subarray(start, end)}`);
}

describe('the payload of a frame', () => {
  it('indexes the direct children, by name, namespace and bytes', () => {
    const { payload } = frameOn('jabber:client', "<message>a<body>hi<b/></body> <x xmlns='urn:x' a='>'/>z</message>");
    expect(payload.bytes.toString()).to.equal("a<body>hi<b/></body> <x xmlns='urn:x' a='>'/>z");
    expect(indexOf(payload)).to.deep.equal([
      '{jabber:client}body <body>hi<b/></body>',
      "{urn:x}x <x xmlns='urn:x' a='>'/>",
    ]);
    expect(payload.has('body', contentNs)).to.equal(true);
    expect(payload.has('body', 'urn:x')).to.equal(false);
    expect(payload.find('x', 'urn:x')?.end).to.equal(payload.bytes.length - 1);
  });

  it('of an element without content is the empty one', () => {
    expect(frameOn('jabber:client', '<iq/>').payload).to.equal(Payload.empty);
    expect(frameOn('jabber:client', '<iq></iq>').payload).to.equal(Payload.empty);
  });

  it('gives a child as a tree that stands on its own', () => {
    const { payload } = frameOn('jabber:client', "<message><body>a&amp;b</body><x xmlns='urn:x'><y/></x></message>");
    const [body, x] = payload.elements();
    expect(body?.getNS()).to.equal(contentNs);
    expect(textOf(body!)).to.equal('a&b');
    expect(x?.getChild('y', 'urn:x')?.getNS()).to.equal('urn:x');
  });

  describe('means the same anywhere', () => {
    const cases: [what: string, ns: string, frame: string, payload: string, children: string[]][] = [
      ['as it came', 'jabber:client', '<message><body>x</body></message>', '<body>x</body>', ['{jabber:client}body']],
      [
        'from a server',
        'jabber:server',
        '<message><body>x</body></message>',
        '<body>x</body>',
        ['{jabber:client}body'],
      ],
      [
        'from a server that names the content namespace again',
        'jabber:server',
        "<message><body xmlns='jabber:server'>x</body></message>",
        '<body>x</body>',
        ['{jabber:client}body'],
      ],
      [
        'with a prefix for the content namespace',
        'jabber:client',
        "<c:message xmlns:c='jabber:client'><c:body>x</c:body><c:a><b/></c:a></c:message>",
        '<body>x</body><a><b/></a>',
        ['{jabber:client}body', '{jabber:client}a'],
      ],
      [
        'with a prefix that only the stanza has',
        'jabber:client',
        "<c:message xmlns:c='jabber:client'><body a='1' /></c:message>",
        "<body a='1' />",
        ['{jabber:client}body'],
      ],
      [
        'with a prefix that the stanza declares',
        'jabber:client',
        "<message xmlns:p='urn:p'><p:x p:a='1'><y/></p:x>text</message>",
        '<p:x xmlns:p="urn:p" p:a="1"><y/></p:x>text',
        ['{urn:p}x'],
      ],
      [
        'with a prefix that the child declares',
        'jabber:client',
        "<message><p:x xmlns:p='urn:p'/></message>",
        "<p:x xmlns:p='urn:p'/>",
        ['{urn:p}x'],
      ],
      [
        'with a prefix that the stream declares',
        'jabber:client',
        "<message><stream:stream to='a'/></message>",
        `<stream:stream xmlns:stream="${streamNs}" to="a"/>`,
        [`{${streamNs}}stream`],
      ],
      [
        'when the stanza changes the default namespace',
        'jabber:client',
        "<auth xmlns='urn:auth'><x/>=</auth>",
        '<x xmlns="urn:auth"/>=',
        ['{urn:auth}x'],
      ],
      [
        'with children in no namespace',
        'jabber:client',
        "<message><x xmlns=''><y/></x></message>",
        "<x xmlns=''><y/></x>",
        ['{}x'],
      ],
    ];
    for (const [what, ns, text, bytes, children] of cases) {
      it(what, () => {
        const { payload } = frameOn(ns, text);
        expect(
          payload.bytes.toString().replaceAll('<y xmlns="jabber:client"/>', '<y xmlns="jabber:client"/>'),
        ).to.equal(bytes);
        expect(payload.children.map((child) => `{${child.ns}}${child.name}`)).to.deep.equal(children);
        for (const child of payload.children) {
          const element = payload.element(child);
          expect([element.getNS() ?? '', element.getName()]).to.deep.equal([child.ns, child.name]);
        }
      });
    }
  });

  it('comes out of a store as it came over a stream', () => {
    const frame = parseFrame("<message from='a'><body>x</body></message>");
    expect([frame.name, frame.ns, frame.attribute('from')]).to.deep.equal(['message', contentNs, 'a']);
    expect(indexOf(frame.payload)).to.deep.equal(['{jabber:client}body <body>x</body>']);
  });
});

describe('Frame.element', () => {
  it('stands on its own, whatever was declared around it', () => {
    const frame = frameOn('jabber:server', "<stream:error a='1'><x/><p:y/></stream:error>", "xmlns:p='urn:p'");
    expect(frame.element().toString()).to.equal(
      `<stream:error a="1" xmlns="jabber:server" xmlns:stream="${streamNs}" xmlns:p="urn:p"><x/><p:y/></stream:error>`,
    );
  });
});

describe('Payload', () => {
  const payload = Payload.of(xml('a', {}, 'é'), xml('b', { xmlns: 'urn:b' }), xml('c', { xmlns: contentNs }));

  it('is made of elements, the content namespace unsaid', () => {
    expect(indexOf(payload)).to.deep.equal([
      '{jabber:client}a <a>é</a>',
      '{urn:b}b <b xmlns="urn:b"/>',
      '{jabber:client}c <c/>',
    ]);
    expect(Payload.of()).to.equal(Payload.empty);
  });

  it('loses children', () => {
    expect(indexOf(payload.without(({ name }) => name === 'b'))).to.deep.equal([
      '{jabber:client}a <a>é</a>',
      '{jabber:client}c <c/>',
    ]);
    expect(payload.without(() => false)).to.equal(payload);
    expect(payload.without(() => true)).to.equal(Payload.empty);
  });

  it('keeps the text between the children it loses', () => {
    const { payload: mixed } = parseFrame('<message>a<x/>b<y/>c</message>');
    expect(mixed.without(() => true).bytes.toString()).to.equal('abc');
    expect(mixed.without(({ name }) => name === 'x').bytes.toString()).to.equal('ab<y/>c');
  });

  it('gains children', () => {
    expect(indexOf(payload.with(xml('d', {}), xml('e', {}))).slice(3)).to.deep.equal([
      '{jabber:client}d <d/>',
      '{jabber:client}e <e/>',
    ]);
    expect(payload.with()).to.equal(payload);
    expect(indexOf(Payload.empty.with(xml('d', {})))).to.deep.equal(['{jabber:client}d <d/>']);
  });

  it('says a child in other words', () => {
    const { start, end } = payload.children[1]!;
    expect(indexOf(payload.spliced(start, end, '<b xmlns="urn:b">é, longer</b>'))).to.deep.equal([
      '{jabber:client}a <a>é</a>',
      '{urn:b}b <b xmlns="urn:b">é, longer</b>',
      '{jabber:client}c <c/>',
    ]);
  });

  it('puts something into a child', () => {
    const at = payload.children[1]!.start + '<b'.length;
    expect(indexOf(payload.spliced(at, at, ' é=""'))).to.deep.equal([
      '{jabber:client}a <a>é</a>',
      '{urn:b}b <b é="" xmlns="urn:b"/>',
      '{jabber:client}c <c/>',
    ]);
  });

  it('is never changed by any of this', () => {
    expect(payload.bytes.toString()).to.equal('<a>é</a><b xmlns="urn:b"/><c/>');
  });
});
