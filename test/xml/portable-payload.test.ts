import { expect } from 'chai';
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { Stanza } from '../../src/protocol/stanza.ts';
import type { Frame } from '../../src/xml/frame.ts';
import { parseFrame } from '../../src/xml/parse-frame.ts';
import { StreamReader } from '../../src/xml/stream-reader.ts';
import { askSaxes, type Tree } from './oracles.ts';
import { clientLimits } from './reading.ts';

const contentNamespaces = ['jabber:client', 'jabber:server', 'jabber:component:accept'] as const;
type ContentNs = (typeof contentNamespaces)[number];

const header = (ns: ContentNs, declarations = '') =>
  `<s:stream xmlns='${ns}' xmlns:s='http://etherx.jabber.org/streams' ${declarations}>`;

/** The stanza that a stream with this content namespace brings. */
function arriving(ns: ContentNs, text: string, declarations = ''): Stanza {
  const frames: Frame[] = [];
  const reader = new StreamReader({ header() {}, frame: (frame) => frames.push(frame), end() {} }, clientLimits);
  reader.push(Buffer.from(header(ns, declarations) + text));
  return Stanza.fromFrame(frames[0]!);
}

/** What saxes sees of a stanza on the stream where it leaves. */
function leaving(stanza: Stanza, ns: ContentNs): Tree[3] {
  const stream = askSaxes(Buffer.from(`${header(ns)}${stanza}</s:stream>`));
  return (stream!.tree[3][0] as Tree)[3];
}

/**
 * What saxes sees of a stanza on the stream where it arrives, with the content namespace mapped to that of another
 * stream: for what is in no other element than content, and for what only inherits it from the stream.
 */
function mapped(document: string, from: ContentNs, to: ContentNs): Tree[3] {
  const parser = new SaxesParser({ xmlns: true });
  const names = (uri: string) => uri === from || uri === 'jabber:client';
  const root = { children: [] as Tree[3], content: true, inherits: true };
  const open = [root];
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('text', (text) => {
    const { children } = open.at(-1)!;
    if (typeof children.at(-1) === 'string') children.push(`${children.pop()}${text}`);
    else children.push(text);
  });
  parser.on('closetag', () => open.pop());
  parser.on('opentag', ({ uri, prefix, local, attributes }) => {
    const around = open.at(-1)!;
    const depth = open.length;
    const declared = attributes['xmlns']?.value;
    const content = around.content && (depth <= 2 || names(uri));
    const unsaid = declared === undefined ? around.inherits : content && names(declared);
    const inherits = depth <= 2 ? names(declared ?? from) : unsaid && (content || prefix === '' || !names(uri));
    const plain = Object.values(attributes).filter((one) => one.name !== 'xmlns' && one.prefix !== 'xmlns');
    const isContent = content || (inherits && prefix === '');
    const expanded = plain.map((one): [string, string, string] => [one.uri, one.local, one.value]).sort();
    const element: Tree = [isContent ? to : uri, local, expanded, []];
    around.children.push(element);
    open.push({ children: element[3], content, inherits });
  });
  parser.write(document).close();
  const [stream] = root.children as Tree[];
  return (stream![3][0] as Tree)[3];
}

describe('Content that names the content namespace itself (RFC 6120 §4.8.5)', () => {
  const cases: [what: string, stanza: string, payload: string, declarations?: string][] = [
    ['a child with a prefix', "<message><j:body xmlns:j='jabber:client'>hi</j:body></message>", '<body>hi</body>'],
    ['a child that declares it again', "<message><body xmlns='jabber:client'>hi</body></message>", '<body>hi</body>'],
    [
      'an error with a prefix, and one of its children',
      "<message><p:error xmlns:p='jabber:client' type='cancel'><p:text/><gone xmlns='urn:g'/></p:error></message>",
      '<error type="cancel"><text/><gone xmlns="urn:g"/></error>',
    ],
    [
      'a prefix of the stanza',
      "<message xmlns:j='jabber:client'><j:body>hi</j:body><x xmlns='urn:x'/></message>",
      '<body>hi</body><x xmlns="urn:x"/>',
    ],
    [
      'a prefix of the stream',
      '<j:message><j:body>hi</j:body></j:message>',
      '<body>hi</body>',
      "xmlns:j='jabber:client'",
    ],
    [
      'a prefix beside another default namespace',
      "<message><j:a xmlns:j='jabber:client' xmlns='urn:x'><b/></j:a></message>",
      '<a><b xmlns="urn:x"/></a>',
    ],
    [
      'a prefix that an attribute needs too',
      "<message><j:a xmlns:j='jabber:client' j:b='1'/></message>",
      '<a xmlns:j="jabber:client" j:b="1"/>',
    ],
    [
      'a forwarded stanza that declares its namespace (XEP-0297 §3)',
      "<message><f xmlns='urn:f'><message xmlns='jabber:client'><body>hi</body></message></f></message>",
      "<f xmlns='urn:f'><message xmlns='jabber:client'><body>hi</body></message></f>",
    ],
    [
      'a forwarded stanza that declares a prefix',
      "<message><f xmlns='urn:f'><j:message xmlns:j='jabber:client'><j:body>hi</j:body></j:message></f></message>",
      '<f xmlns="urn:f"><message xmlns="jabber:client"><body>hi</body></message></f>',
    ],
    [
      'a forwarded stanza in an element with a prefix',
      "<message><f:f xmlns:f='urn:f'><message xmlns='jabber:client'/></f:f></message>",
      '<f:f xmlns:f="urn:f"><message xmlns="jabber:client"/></f:f>',
    ],
    ['a declaration without a use', "<message><body xmlns:j='jabber:client'>hi</body></message>", '<body>hi</body>'],
  ];
  for (const [what, text, bytes, declarations] of cases) {
    it(`goes on without it: ${what}`, () => {
      const stanza = arriving('jabber:client', text, declarations);
      expect(stanza.payload.bytes.toString()).to.equal(bytes);
      for (const { name, ns } of stanza.payload.children)
        expect(`<${name} ${ns}`).to.match(/^<(body|error|a) jabber:client|urn:/);
    });
  }

  it('goes on without it from a server and from a component, also if they call it that of clients', () => {
    for (const ns of ['jabber:server', 'jabber:component:accept'] as const) {
      for (const written of [ns, 'jabber:client']) {
        const prefixed = arriving(ns, `<message><j:body xmlns:j='${written}'>hi</j:body></message>`);
        expect(prefixed.payload.bytes.toString()).to.equal('<body>hi</body>');
        const again = arriving(ns, `<message><body xmlns='${written}'>hi</body></message>`);
        expect(again.payload.bytes.toString()).to.equal('<body>hi</body>');
      }
    }
  });

  it('comes so out of a store that has kept it as it was written', () => {
    const { payload } = parseFrame("<message><j:body xmlns:j='jabber:client'>hi</j:body></message>");
    expect(payload.bytes.toString()).to.equal('<body>hi</body>');
    expect(payload.has('body', 'jabber:client')).to.equal(true);
  });

  it('costs nothing where it does not occur: the bytes are those that came', () => {
    for (const text of [
      '<body >hi</body >',
      "<f xmlns='urn:f' ><message xmlns='jabber:client'/></f>",
      "<p:x xmlns:p='urn:p' ><y/></p:x>",
    ]) {
      expect(arriving('jabber:client', `<message>${text}</message>`).payload.bytes.toString()).to.equal(text);
    }
  });
});

const prefixes = ['', 'j:', 'k:', 'p:'];
const namespace = fc.constantFrom(...contentNamespaces, 'jabber:client', 'urn:a', 'urn:b');
const tag = fc.record({
  prefix: fc.constantFrom(...prefixes),
  name: fc.constantFrom('body', 'error', 'message'),
  xmlns: fc.option(fc.oneof({ weight: 4, arbitrary: namespace }, fc.constant('')), { nil: undefined, freq: 2 }),
  j: fc.option(namespace, { nil: undefined, freq: 2 }),
  k: fc.option(namespace, { nil: undefined, freq: 1 }),
  attribute: fc.constantFrom('', " a='1'", " j:a='1'", " p:a='1'"),
});
type Tag = typeof tag extends fc.Arbitrary<infer T> ? T : never;

function written({ prefix, name, xmlns, j, k, attribute }: Tag, content: string): string {
  const declarations = Object.entries({ xmlns, 'xmlns:j': j, 'xmlns:k': k }).filter(([, ns]) => ns !== undefined);
  const text = declarations.map(([declared, ns]) => ` ${declared}='${ns}'`).join('');
  return `<${prefix}${name}${text}${attribute}>${content}</${prefix}${name}>`;
}

const { element } = fc.letrec<{ element: string; content: string }>((tie) => ({
  content: fc.oneof({ depthSize: 'small' }, fc.constantFrom('hi', '&lt;', ''), tie('element')),
  element: fc
    .tuple(tag, fc.array(tie('content'), { maxLength: 3 }))
    .map(([one, content]) => written(one, content.join(''))),
}));

describe('A payload on every stream it leaves on, as saxes sees it (RFC 6120 §4.8.3)', () => {
  const streams = fc.tuple(fc.constantFrom(...contentNamespaces), fc.constantFrom(...contentNamespaces));
  const stanzas = fc.record({
    around: fc.constantFrom('', " xmlns:j='jabber:client'", " xmlns:j='urn:a'"),
    children: fc.array(element, { minLength: 1, maxLength: 3 }),
  });
  const bound = (from: string) => `xmlns:j='${from}' xmlns:k='urn:b' xmlns:p='urn:p'`;

  it('is the tree that came, with the content namespace mapped', () => {
    fc.assert(
      fc.property(streams, stanzas, ([from, to], { around, children }) => {
        const text = `<message${around}>${children.join('')}</message>`;
        const stanza = arriving(from, text, bound(from));
        const expected = mapped(`${header(from, bound(from))}${text}</s:stream>`, from, to);
        expect(leaving(stanza, to)).to.deep.equal(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('has the names in its index, and is the same after a store', () => {
    fc.assert(
      fc.property(streams, stanzas, ([from], { around, children }) => {
        const stanza = arriving(from, `<message${around}>${children.join('')}</message>`, bound(from));
        const seen = leaving(stanza, 'jabber:client').filter((node) => typeof node !== 'string');
        expect(stanza.payload.children.map(({ ns, name }) => [ns, name])).to.deep.equal(
          seen.map(([ns, name]) => [ns, name]),
        );
        const again = Stanza.fromFrame(parseFrame(stanza.toBytes()));
        for (const ns of contentNamespaces) expect(leaving(again, ns)).to.deep.equal(leaving(stanza, ns));
      }),
      { numRuns: 1000 },
    );
  });
});
