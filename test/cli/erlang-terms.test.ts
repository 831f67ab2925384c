import { Readable } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  Atom,
  ErlangSyntaxError,
  type ErlangTerm,
  readRecordKey,
  readTerm,
  Tuple,
  writtenTerms,
} from '../../src/cli/import/erlang-terms.ts';

/** The term in a text, with tuples as `{ tuple: [...] }`, maps as `{ map: [...] }` and atoms as `{ atom: name }`. */
function read(text: string): unknown {
  return plain(readTerm(Buffer.from(text)));
}

function plain(term: ErlangTerm): unknown {
  if (term instanceof Tuple) return { tuple: term.items.map(plain) };
  if (term instanceof Atom) return { atom: term.name };
  if (term instanceof Map) return { map: Array.from(term, ([key, value]) => [plain(key), plain(value)]) };
  return Array.isArray(term) ? term.map(plain) : term;
}

async function cut(...chunks: string[]): Promise<string[]> {
  const terms: string[] = [];
  for await (const { at, line, bytes } of writtenTerms(Readable.from(chunks.map((chunk) => Buffer.from(chunk)))))
    terms.push(`${at}, line ${line}: ${bytes.toString().trim()}`);
  return terms;
}

describe('The reader of Erlang terms', () => {
  for (const [title, text, term] of [
    ['numbers', '[1,-25,2.5,1.0e-3]', [1, -25, 2.5, 0.001]],
    [
      'atoms',
      "[none,'a b',x@y,true,false,undefined]",
      [{ atom: 'none' }, { atom: 'a b' }, { atom: 'x@y' }, true, false, undefined],
    ],
    [
      'tuples and lists in each other',
      '{a,[{1,2},{}]}',
      { tuple: [{ atom: 'a' }, [{ tuple: [1, 2] }, { tuple: [] }]] },
    ],
    [
      'maps',
      '#{a => 1, <<"b">> => #{}}',
      {
        map: [
          [{ atom: 'a' }, 1],
          ['b', { map: [] }],
        ],
      },
    ],
    ['binaries', '[<<"hé">>,<<104,195,169>>,<<>>,<<"a\\"b",10>>]', ['hé', 'hé', '', 'a"b\n']],
    ['long binaries, which are written in pieces', '<<"one"\n  " two">>', 'one two'],
    ['binaries with an encoding', '<<"h\\x{e9}\\x{20ac}"/utf8>>', 'h\ufffd€'],
    ['strings', '["abc","a" "b",""]', ['abc', 'ab', '']],
    ['escapes', '"\\n\\t\\e\\s\\\\\\"\\101\\x41\\x{42}\\^A"', '\n\t\x1b \\"AAB\x01'],
    [
      'what has no meaning elsewhere',
      '[<0.1.2>,#Ref<0.1.2.3>,#Fun<lists.1.2>,#Port<0.1>]',
      ['<0.1.2>', '#Ref<0.1.2.3>', '#Fun<lists.1.2>', '#Port<0.1>'].map((atom) => ({ atom })),
    ],
    ['comments and spaces', '{ % one }\n 1 , 2 }', { tuple: [1, 2] }],
    ['improper lists, without their tail', '[1|2]', [1]],
  ] as const)
    it(`reads ${title}`, () => {
      expect(read(text)).to.deep.equal(term);
    });

  for (const [title, text, fault] of [
    ['code', 'os:cmd("x")', 'expected ,'],
    ['an expression', '{1+1}', 'expected }'],
    ['a variable', '{X}', 'expected a term'],
    ['a string without an end', '{a,\n"abc', 'a string does not end, in its line 2'],
    ['a tuple without an end', '{1,', 'expected a term'],
    ['a binary with something else than bytes', '<<256>>', 'expected a byte'],
    ['a character that does not exist', '"\\x{110000}"', 'there is no such character'],
    ['lists in lists without end', '['.repeat(2000), 'terms are nested too deeply'],
  ] as const)
    it(`refuses ${title}`, () => {
      expect(() => readRecordKey(Buffer.from(`{${text},1}`))).to.throw(ErlangSyntaxError, fault);
    });

  it('reads the key of a record without the rest', () => {
    expect(readRecordKey(Buffer.from('{passwd,{<<"a">>,<<"b">>},???'))).to.deep.equal({
      name: 'passwd',
      key: new Tuple(['a', 'b']),
    });
  });

  it('cuts a file into its terms, wherever it is read in pieces', async () => {
    const text = '{a,"x. y",\'. \',1.5}. % a comment. \n{b,<<"\\". ">>}.\n\n{c,\n$. }.\n';
    const whole = await cut(text);
    expect(whole).to.deep.equal([
      '0, line 1: {a,"x. y",\'. \',1.5}.',
      '21, line 1: % a comment. \n{b,<<"\\". ">>}.',
      '52, line 4: {c,\n$. }.',
    ]);
    expect(await cut(...text)).to.deep.equal(whole);
  });

  it('refuses a file that ends within a term', async () => {
    const error = await cut('{a}.\n{b,').catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(ErlangSyntaxError).with.property('message', 'line 2: the file ends within a term');
  });

  it('reads every binary as Erlang writes it', () => {
    const bytes = (text: string) => `<<${[...Buffer.from(text)].join(',')}>>`;
    const quoted = (text: string) => `<<"${text.replace(/["\\]/g, '\\$&')}">>`;
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(read(bytes(text))).to.equal(text);
        expect(read(quoted(text))).to.equal(text);
      }),
    );
  });
});
