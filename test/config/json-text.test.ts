import { expect } from 'chai';
import fc from 'fast-check';
import { JsonText, JsonTextError } from '../../src/config/json-text.ts';

function failureOf(text: string): string {
  try {
    JsonText.read(text);
  } catch (error) {
    if (error instanceof JsonTextError) return `${error.position.line}:${error.position.column} ${error.message}`;
    throw error;
  }
  return 'none';
}

function nativelyValid(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('JSON text', () => {
  it('reads every JSON value as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.constantFrom(0, 2), (json, indent) => {
        const text = JSON.stringify(JSON.parse(json), null, indent);
        expect(JSON.stringify(JsonText.read(text).value)).to.equal(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('accepts and refuses the same texts as JSON.parse, except comments and trailing commas', () => {
    const piece = fc.constantFrom(
      ...[
        '{',
        '}',
        '[',
        ']',
        ':',
        ',',
        ' ',
        '\n',
        '\t',
        '\u00a0',
        '\ufeff',
        '"',
        '"a"',
        '"\\n"',
        '\\',
        '\\u00e9',
        '\\x',
        "'",
      ],
      ...[
        '0',
        '-',
        '1',
        '01',
        '.5',
        'e',
        'E+2',
        '-0',
        'true',
        'false',
        'null',
        'nul',
        'a',
        '\u0001',
        '\u0085',
        '\ud800',
        '💡',
      ],
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join('')),
        (text) => {
          fc.pre(!/,\s*[\]}]/.test(text));
          expect(failureOf(text) === 'none', JSON.stringify(text)).to.equal(nativelyValid(text));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('knows the positions of keys and values', () => {
    const text = JsonText.read('{\n  "a": [1,\n    {"b": true}],\n  "c": null\n}');
    expect(text.positionOfValue(['a', 1, 'b'])).to.deep.equal({ line: 3, column: 11 });
    expect(text.positionOfKey(['a', 1, 'b'])).to.deep.equal({ line: 3, column: 6 });
    expect(text.positionOfValue([])).to.deep.equal({ line: 1, column: 1 });
  });

  it('gives the position of the object that lacks a value', () => {
    const text = JsonText.read('{\n  "a": {}\n}');
    expect(text.positionOfValue(['a', 'missing', 'deeper'])).to.deep.equal({ line: 2, column: 8 });
  });

  it('reports repeated keys', () => {
    expect(JsonText.read('{"a": 1,\n "b": {"a": 2},\n "a": 3}').repeatedKeys).to.deep.equal([
      { path: ['a'], position: { line: 3, column: 2 } },
    ]);
  });

  it('treats __proto__ as a key like any other', () => {
    const { value } = JsonText.read('{"__proto__": {"polluted": true}}');
    expect(Object.keys(value as object)).to.deep.equal(['__proto__']);
    expect(value).not.to.have.property('polluted');
  });

  it('reads comments and trailing commas', () => {
    const text = JsonText.read('// first\n{ /* why */ "a": [1, 2,], // "b": 3\n "url": "http://x/*y*/", }');
    expect(JSON.stringify(text.value)).to.equal('{"a":[1,2],"url":"http://x/*y*/"}');
    expect(text.positionOfKey(['url'])).to.deep.equal({ line: 3, column: 2 });
  });

  const failures: [text: string, failure: string][] = [
    ['', '1:1 expected a value, found the end of the file'],
    ['// nothing\n', '2:1 expected a value, found the end of the file'],
    ['{"a": 1', '1:8 expected "," or "}", found the end of the file'],
    ['[1', '1:3 expected "," or "]", found the end of the file'],
    ['{"a": 1,,}', '1:9 expected a key in double quotation marks, found ","'],
    ['[,1]', '1:2 expected a value, found ","'],
    ['{"a" 1}', '1:6 expected ":", found "1"'],
    ['{"a": 1\n "b": 2}', '2:2 expected ",", found "\\"b\\""'],
    ['{a: 1}', '1:2 expected a key in double quotation marks, found "a"'],
    ["{'a': 1}", "1:2 strings and keys stand in double quotation marks, not in '"],
    ['{"a": 1} {}', '1:10 expected the end of the file, found "{"'],
    ['{"a": 1} x', '1:10 unexpected "x"'],
    ['[# why\n]', '1:2 unexpected "#"'],
    ['[1 /* why', '1:4 this comment is not closed'],
    ['{"a": yes}', '1:7 expected a value, found "yes"'],
    ['{"a": 010}', '1:8 expected ",", found "10"'],
    ['[1.]', '1:2 this number is incomplete'],
    ['["abc', '1:2 this string is not closed on its line'],
    ['["abc\n"]', '1:2 this string is not closed on its line'],
    ['["C:\\data"]', '1:5 JSON has no such escape; a backslash itself is written \\\\'],
    ['["\\n\\u12"]', '1:5 JSON has no such escape; a backslash itself is written \\\\'],
    ['["a\tb"]', '1:4 this string contains a control character; write it as an escape, such as \\t'],
  ];
  for (const [text, failure] of failures) {
    it(`says of ${JSON.stringify(text)}: ${failure}`, () => {
      expect(failureOf(text)).to.equal(failure);
    });
  }
});
