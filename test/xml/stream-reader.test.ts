import { expect } from 'chai';
import type { Frame } from '../../src/xml/frame.ts';
import { type StreamHeader, StreamReader } from '../../src/xml/stream-reader.ts';
import { XmlError } from '../../src/xml/xml-error.ts';
import { bytewise, clientHeader, clientLimits, read } from './reading.ts';

function record(limits = clientLimits) {
  const headers: StreamHeader[] = [];
  const frames: Frame[] = [];
  const seen: string[] = [];
  const reader: StreamReader = new StreamReader(
    {
      header: (header) => {
        headers.push(header);
        seen.push('header');
      },
      frame: (frame) => {
        frames.push(frame);
        seen.push(frame.name);
        if (frame.attribute('id') === 'pause') reader.pause();
        if (frame.name === 'restart') reader.restart();
      },
      end: () => seen.push('end'),
      whitespace: () => seen.push('whitespace'),
    },
    limits,
  );
  const push = (text: string): void => reader.push(Buffer.from(text));
  return { reader, headers, frames, seen, push };
}

function refusal(act: () => void): XmlError {
  try {
    act();
  } catch (error) {
    if (error instanceof XmlError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('StreamReader', () => {
  describe('the stream header', () => {
    it('is handed out as it was sent', () => {
      const { headers, push } = record();
      push(
        `<?xml version='1.0'?>\n<s:stream xmlns="jabber:client" xmlns:s='urn:s' xmlns:x="u" to='a&amp;b' x:y='1' xml:lang='de'>`,
      );
      const [header] = headers;
      expect(header).to.include({ name: 'stream', ns: 'urn:s', defaultNs: 'jabber:client', lang: 'de' });
      expect(header?.prefixes).to.deep.equal(new Map([['s', 'urn:s'], ['x', 'u']])); // biome-ignore format: pairs
      expect(header?.attribute('to')).to.equal('a&b');
      expect(header?.attribute('y')).to.equal(undefined);
      expect(header?.attributes[1]).to.deep.equal({ name: 'y', prefix: 'x', ns: 'u', value: '1' });
    });

    it('needs no XML declaration, and may stand behind white space then', () => {
      expect(read([Buffer.from(' \r\n<stream/>')])).to.include({ verdict: 'accept', ended: true });
    });

    it('that is an empty element is also the end of the stream', () => {
      const { seen, push } = record();
      push('<stream/><ignored/>');
      expect(seen).to.deep.equal(['header', 'end']);
    });
  });

  describe('frames', () => {
    it('come in order, with white space and the end between and behind them', () => {
      const { seen, push } = record();
      push(`${clientHeader}<iq/> \n<message>text</message>`);
      push(' ');
      push('<presence/></stream:stream>\n<iq/>');
      expect(seen).to.deep.equal(['header', 'iq', 'whitespace', 'message', 'whitespace', 'presence', 'end']);
    });

    it('know their attributes by namespace', () => {
      const { frames, push } = record();
      push(`${clientHeader}<message from='a' xmlns:x='urn:x' x:from='b' xml:lang='en' id='&#x41;&lt;'/>`);
      expect(frames[0]?.attribute('from')).to.equal('a');
      expect(frames[0]?.attribute('id')).to.equal('A<');
      expect(frames[0]?.lang).to.equal('en');
      expect(frames[0]?.attributes.map(({ prefix, name }) => `${prefix}:${name}`)).to.deep.equal([
        ':from',
        'x:from',
        'xml:lang',
        ':id',
      ]);
    });

    it('have the language of the stream unless they give one, or it is that of every stream of ours (RFC 6120 §8.1.5)', () => {
      for (const [lang, known] of [
        [' xml:lang="de"', 'de'],
        [' xml:lang="en"', undefined],
        ['', undefined],
      ]) {
        const { frames, push } = record();
        push(`${clientHeader.slice(0, -1)}${lang}><message/><message xml:lang='fr'/>`);
        expect(frames.map((frame) => frame.lang)).to.deep.equal([known, 'fr']);
      }
    });

    it('may have any name that is dangerous in an object', () => {
      const { frames, push } = record();
      push(`${clientHeader}<message __proto__='x' constructor='y'><__proto__ xmlns='u' hasOwnProperty='z'/></message>`);
      const [frame] = frames;
      expect(frame?.attribute('__proto__')).to.equal('x');
      expect(frame?.attribute('toString')).to.equal(undefined);
      expect(frame?.element().attrs).to.have.property('constructor', 'y');
      expect(frame?.payload.has('__proto__', 'u')).to.equal(true);
    });

    it('in one chunk are handed out without copying', () => {
      const { frames, reader } = record();
      const chunk = Buffer.from(`${clientHeader}<message><body>hi</body></message>`);
      reader.push(chunk);
      expect(frames[0]?.payload.bytes.buffer).to.equal(chunk.buffer);
      expect(frames[0]?.byteLength).to.equal('<message><body>hi</body></message>'.length);
    });

    it('in several chunks keep their bytes for themselves', () => {
      const { frames, reader } = record();
      const stream = Buffer.from(`${clientHeader}${'<message><body>hi</body></message>'.repeat(50)}`);
      for (const byte of bytewise(stream)) reader.push(byte);
      for (const frame of frames) expect(frame.payload.bytes.toString()).to.equal('<body>hi</body>');
      expect(frames).to.have.length(50);
      expect(reader.pendingBytes).to.equal(0);
    });

    it('that are not finished are counted as pending', () => {
      const { reader, push } = record();
      push(`${clientHeader}<message>`);
      expect(reader.pendingBytes).to.equal('<message>'.length);
      push('</message>');
      expect(reader.pendingBytes).to.equal(0);
    });
  });

  describe('pausing', () => {
    it('keeps what is unread, and goes on with it', () => {
      const { reader, seen, push } = record();
      push(`${clientHeader}<iq id='pause'/><message/>`);
      push('<presence/>');
      expect(reader.paused).to.equal(true);
      expect(seen).to.deep.equal(['header', 'iq']);
      expect(reader.pendingBytes).to.equal('<message/><presence/>'.length);
      reader.resume();
      expect(seen).to.deep.equal(['header', 'iq', 'message', 'presence']);
      expect(reader.pendingBytes).to.equal(0);
    });

    it('works in the middle of a frame and in the middle of what was kept', () => {
      const { reader, seen, push } = record();
      push(`${clientHeader}<iq id='pause'/><iq id='pause'/><mess`);
      push('age/>');
      reader.resume();
      expect(seen).to.deep.equal(['header', 'iq', 'iq']);
      reader.resume();
      expect(seen).to.deep.equal(['header', 'iq', 'iq', 'message']);
    });

    it('puts off a refusal', () => {
      const { reader, push } = record();
      push(`${clientHeader}<iq id='pause'/><<`);
      expect(refusal(() => reader.resume()).condition).to.equal('not-well-formed');
    });
  });

  it('overlooks white space between a restart and the new header, and only there', () => {
    const { seen, push } = record();
    push(`${clientHeader}<restart/>\r\n\t <?xml version='1.0'?><other xmlns='urn:o'><iq/>`);
    expect(seen).to.deep.equal(['header', 'restart', 'whitespace', 'header', 'iq']);
    expect(() =>
      new StreamReader({ header() {}, frame() {}, end() {} }, clientLimits).push(Buffer.from(`\n${clientHeader}`)),
    ).to.throw('XML declaration');
  });

  it('takes a new header after a restart, also in the same chunk', () => {
    const { headers, seen, push } = record();
    push(`${clientHeader}<restart/><?xml version='1.0'?><other xmlns='urn:o'><iq/>`);
    expect(seen).to.deep.equal(['header', 'restart', 'header', 'iq']);
    expect(headers[1]?.defaultNs).to.equal('urn:o');
    expect(headers[1]?.prefixes.size).to.equal(0);
  });

  it('is not disturbed by what others are in the middle of', () => {
    const [one, other, broken, last] = [record(), record(), record(), record()];
    last.push(clientHeader);
    one.push(`${clientHeader}<message id='1'><bo`);
    other.push(`${clientHeader}<iq xmlns:p='urn:p'><p:quer`);
    broken.push(clientHeader);
    refusal(() => broken.push(`<x xmlns='urn:x' xmlns:p='urn:other'><y></z>`));
    last.push('</stream:stream>');
    one.push('dy/></message>');
    other.push(`y/></iq></stream:stream>`);
    expect(one.seen).to.deep.equal(['header', 'message']);
    expect(other.seen).to.deep.equal(['header', 'iq', 'end']);
    expect(other.frames[0]?.payload.has('query', 'urn:p')).to.equal(true);
    expect(last.seen).to.deep.equal(['header', 'end']);
  });

  it('knows the prefixes of its own header, however alike another one is', () => {
    const [one, other] = [record(), record()];
    one.push(`<stream xmlns='jabber:client' xmlns:p='urn:one'>`);
    other.push(`<stream xmlns='jabber:client' xmlns:p='urn:other'>`);
    for (const { push } of [one, other]) push('<iq><p:query/></iq>');
    expect(one.frames[0]?.payload.has('query', 'urn:one')).to.equal(true);
    expect(other.frames[0]?.payload.has('query', 'urn:other')).to.equal(true);
  });

  it('is dead after a refusal', () => {
    const { reader, seen, push } = record();
    const first = refusal(() => push(`${clientHeader}<a>&nbsp;`));
    expect(first.condition).to.equal('restricted-xml');
    expect(refusal(() => push('</a>'))).to.equal(first);
    expect(refusal(() => reader.resume())).to.equal(first);
    expect(reader.pendingBytes).to.equal(0);
    expect(seen).to.deep.equal(['header']);
  });

  it('hands a frame that comes before a refusal in the same chunk', () => {
    const { seen, push } = record();
    refusal(() => push(`${clientHeader}<iq/><!`.concat('x')));
    expect(seen).to.deep.equal(['header', 'iq']);
  });

  describe('what is forbidden is refused as soon as it can be recognized', () => {
    for (const start of ['<!-', '<!D', '<?p', '<a><!-', '<a><!D', '<a><?x-', '<a><?xmlx']) {
      it(JSON.stringify(start), () => {
        expect(read(bytewise(Buffer.from(clientHeader + start))).verdict).to.equal('restricted-xml');
        expect(read(bytewise(Buffer.from(clientHeader + start.slice(0, -1)))).verdict).to.equal('accept');
      });
    }

    it('text between stanzas', () => {
      for (const text of ['x', '&amp;', 'é', '<![CDATA[x]]>']) {
        expect(read([Buffer.from(`${clientHeader} ${text}`)]).verdict, text).to.equal('bad-format');
      }
    });
  });

  describe('encodings', () => {
    const declared = (encoding: string) => read([Buffer.from(`<?xml version="1.0" encoding="${encoding}"?><stream>`)]);
    it('UTF-8 goes by its name in any case', () => {
      for (const encoding of ['UTF-8', 'utf-8', 'Utf-8']) expect(declared(encoding).verdict).to.equal('accept');
    });

    it('others are refused, by name or by the first byte', () => {
      for (const encoding of ['UTF-16', 'utf8', 'ISO-8859-1', 'US-ASCII']) {
        expect(declared(encoding).verdict, encoding).to.equal('unsupported-encoding');
      }
      for (const byte of [0xff, 0xfe, 0x00]) {
        expect(read([Buffer.of(byte)]).verdict, `${byte}`).to.equal('unsupported-encoding');
      }
    });
  });
});

describe('the limits of a frame', () => {
  const limits = { maxBytes: 200, maxElements: 4, maxAttributes: 3, maxDepth: 3, maxNamespaces: 2 };
  const header = Buffer.from("<s xmlns='u'>");

  function verdict(text: string): string {
    const whole = read([header, Buffer.from(text)], limits);
    expect(read([header, ...bytewise(Buffer.from(text))], limits)).to.deep.equal(whole);
    return whole.verdict;
  }

  const cases: [what: string, within: string, beyond: string][] = [
    ['bytes', `<a>${'x'.repeat(193)}</a>`, `<a>${'x'.repeat(194)}</a>`],
    ['bytes of an unfinished frame', `<a>${'x'.repeat(196)}`, `<a>${'x'.repeat(197)}`],
    ['elements', '<a><b/><b/><b/></a>', '<a><b/><b/><b/><'.concat('b')],
    ['depth', '<a><b><c/></b></a>', '<a><b><c><d'],
    ['attributes of one element', "<a b='' c='' d=''/>", "<a b='' c='' d='' e"],
    ['namespace declarations', "<a xmlns:b='x'><c xmlns='y'/></a>", "<a xmlns:b='x'><c xmlns='y' xmlns:d="],
  ];
  for (const [what, within, beyond] of cases) {
    it(`${what}: up to the limit, and not beyond it, wherever it is cut`, () => {
      expect(verdict(within)).to.equal('accept');
      expect(verdict(beyond)).to.equal('policy-violation');
    });
  }

  it('begin again with each frame', () => {
    expect(verdict("<a b='' c='' d=''><b/><b/><b/></a>".repeat(20))).to.equal('accept');
  });

  it('hold for the stream header, from the first byte of the stream', () => {
    expect(read([Buffer.from(`${' '.repeat(190)}<stream/>`)], limits).verdict).to.equal('accept');
    expect(read([Buffer.from(`${' '.repeat(200)}<stream/>`)], limits).verdict).to.equal('policy-violation');
    expect(read([Buffer.from("<s a='' b='' c='' d=''>")], limits).verdict).to.equal('policy-violation');
  });

  it('do not count white space between frames', () => {
    expect(verdict(`${' '.repeat(1000)}<a/>`)).to.equal('accept');
  });

  it('can be changed between frames', () => {
    const reader = new StreamReader({ header() {}, frame() {}, end() {} }, limits);
    reader.push(header);
    reader.limits = { ...limits, maxBytes: 1000 };
    reader.push(Buffer.from(`<a>${'x'.repeat(900)}</a>`));
    expect(() => reader.push(Buffer.from(`<a>${'x'.repeat(1000)}</a>`))).to.throw(XmlError);
  });
});
