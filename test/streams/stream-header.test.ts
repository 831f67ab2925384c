import { expect } from 'chai';
import { StreamError } from '../../src/protocol/stream-error.ts';
import { checkHeader, headerText, localDomain } from '../../src/streams/stream-header.ts';
import { type StreamHeader, StreamReader } from '../../src/xml/stream-reader.ts';
import { limits } from '../c2s/stream-bench.ts';

function read(text: string): StreamHeader {
  let header: StreamHeader | undefined;
  const take = (one: StreamHeader) => {
    header = one;
  };
  new StreamReader({ header: take, frame() {}, end() {} }, limits.xml).push(Buffer.from(text));
  if (!header) throw new Error('no header');
  return header;
}

const streams = 'http://etherx.jabber.org/streams';

describe("A client's stream header", () => {
  const good = [
    `<stream:stream xmlns='jabber:client' xmlns:stream='${streams}' to='a.example' version='1.0'>`,
    `<?xml version='1.0'?><stream:stream version='1.1' xmlns:stream='${streams}' xmlns='jabber:client' xmlns:x='urn:x' xml:lang='de'>`,
    `<stream:stream xmlns='jabber:client' xmlns:stream='${streams}' version='01.00'>`,
    `<stream:stream xmlns='jabber:client' xmlns:stream='${streams}' version='12.30'>`,
  ];
  for (const text of good) it(`may be ${text}`, () => expect(() => checkHeader(read(text))).to.not.throw());

  const bad: readonly [condition: string, text: string][] = [
    ['invalid-namespace', `<stream:stream xmlns='jabber:client' xmlns:stream='urn:x' version='1.0'>`],
    ['invalid-namespace', `<stream xmlns='jabber:client' version='1.0'>`],
    ['bad-namespace-prefix', `<stream xmlns='${streams}' version='1.0'>`],
    ['bad-namespace-prefix', `<s:stream xmlns='jabber:client' xmlns:s='${streams}' version='1.0'>`],
    [
      'bad-namespace-prefix',
      `<s:stream xmlns='jabber:client' xmlns:s='${streams}' xmlns:stream='urn:x' version='1.0'>`,
    ],
    ['bad-format', `<stream:features xmlns='jabber:client' xmlns:stream='${streams}' version='1.0'>`],
    ['invalid-namespace', `<stream:stream xmlns='jabber:server' xmlns:stream='${streams}' version='1.0'>`],
    ['invalid-namespace', `<stream:stream xmlns:stream='${streams}' version='1.0'>`],
    ['unsupported-version', `<stream:stream xmlns='jabber:client' xmlns:stream='${streams}'>`],
    ['unsupported-version', `<stream:stream xmlns='jabber:client' xmlns:stream='${streams}' version='0.9'>`],
    ['unsupported-version', `<stream:stream xmlns='jabber:client' xmlns:stream='${streams}' version='1'>`],
    ['unsupported-version', `<stream:stream xmlns='jabber:client' xmlns:stream='${streams}' version=' 1.0'>`],
    ['unsupported-version', `<stream:stream xmlns='jabber:client' xmlns:stream='${streams}' version='one'>`],
    [
      'unsupported-version',
      `<stream:stream xmlns='jabber:client' xmlns:stream='${streams}' xmlns:x='urn:x' x:version='1.0'>`,
    ],
  ];
  for (const [condition, text] of bad) {
    it(`is ${condition} (RFC 6120 §4.9.3) if it is ${text}`, () => {
      expect(() => checkHeader(read(text)))
        .to.throw(StreamError)
        .with.property('condition', condition);
    });
  }

  it('names one of our domains, however it is written (RFC 6120 §4.7.2)', () => {
    const isLocal = (domain: string) =>
      domain === 'a.example' || domain === 'xn--bcher-kva.example' || domain === 'bücher.example';
    for (const to of ['a.example', 'A.EXAMPLE', 'a.example.'])
      expect(localDomain(to, isLocal), to).to.equal('a.example');
    expect(localDomain('BÜCHER.example', isLocal)).to.be.a('string');
    for (const to of [
      'b.example',
      '',
      'juliet@a.example',
      'a.example/x',
      ' a.example',
      'a..example',
      '@',
      'a'.repeat(2000),
    ]) {
      expect(localDomain(to, isLocal), to).to.equal(undefined);
    }
  });
});

describe("The server's stream header (RFC 6120 §4.7)", () => {
  it('is one that clients can read', () => {
    const header = read(headerText({ id: 'i1', from: 'a.example', to: 'juliet@a.example' }));
    expect([header.name, header.ns, header.defaultNs, header.lang]).to.deep.equal([
      'stream',
      streams,
      'jabber:client',
      'en',
    ]);
    expect(['id', 'from', 'to', 'version'].map((name) => header.attribute(name))).to.deep.equal([
      'i1',
      'a.example',
      'juliet@a.example',
      '1.0',
    ]);
  });

  it('says nothing it does not know', () => {
    const header = read(headerText({ id: 'i1', from: undefined, to: undefined }));
    expect([header.attribute('from'), header.attribute('to')]).to.deep.equal([undefined, undefined]);
  });

  it("echoes the client's 'from' harmlessly", () => {
    const from = `"'<>&\n]]>`;
    expect(read(headerText({ id: 'i', from: 'a.example', to: from })).attribute('to')).to.equal(from);
  });
});
