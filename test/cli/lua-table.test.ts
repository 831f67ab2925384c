import { expect } from 'chai';
import fc from 'fast-check';
import {
  LuaSyntaxError,
  LuaTable,
  type LuaValue,
  readLuaItems,
  readLuaReturn,
} from '../../src/cli/import/lua-table.ts';

/** The value in a file, with tables as arrays of their fields. */
function read(text: string): unknown {
  return plain(readLuaReturn(Buffer.from(text)));
}

function plain(value: LuaValue): unknown {
  return value instanceof LuaTable ? Array.from(value.fields, ([key, field]) => [key, plain(field)]) : value;
}

/** A value as Prosody writes it. */
function written(value: unknown): string {
  if (typeof value === 'string')
    return `"${[...Buffer.from(value)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join('')}"`;
  if (!Array.isArray(value)) return String(value);
  return `{\n${value.map(([key, field]) => `[${written(key)}] = ${written(field)};\n`).join('')}}`;
}

describe('The reader of files in Lua', () => {
  for (const [title, text, value] of [
    ['numbers', 'return { 1; -2.5; 0x1F; 1e3; .5 }', [1, -2.5, 31, 1000, 0.5].map((one, index) => [index + 1, one])],
    [
      'words',
      'return { a = true, b = false, c = nil }',
      [
        ['a', true],
        ['b', false],
        ['c', undefined],
      ],
    ],
    [
      'keys of all kinds',
      'return { ["x y"] = 1; [false] = 2; [7] = 3; z = 4; 5 }',
      [
        ['x y', 1],
        [false, 2],
        [7, 3],
        ['z', 4],
        [1, 5],
      ],
    ],
    [
      'words that begin a value',
      'return { truex = 1; returned = 2 }',
      [
        ['truex', 1],
        ['returned', 2],
      ],
    ],
    ['escapes', String.raw`return "a\n\"\\\'\65\x42\z  c\9"`, 'a\n"\\\'ABc\t'],
    ['a line break that is escaped', 'return "a\\\nb"', 'a\nb'],
    ['comments', 'return --[[ one\n]] { -- two\n1 }', [[1, 1]]],
    ['an empty table', 'return {};\n', []],
  ] as const)
    it(`reads ${title}`, () => {
      expect(read(text)).to.deep.equal(value);
    });

  it('keeps the bytes of a string, and decodes them on request', () => {
    const table = readLuaReturn(Buffer.from(String.raw`return { name = "h\195\169"; broken = "\255" }`)) as LuaTable;
    expect(table.get('name')).to.equal('h\u00c3\u00a9');
    expect(table.text('name')).to.equal('hé');
    expect(table.text('broken')).to.equal('\ufffd');
  });

  it('reads items one by one', () => {
    const items = [...readLuaItems(Buffer.from('item({ 1 });\nitem({\n2;\n});\n'))];
    expect(items.map(plain)).to.deep.equal([[[1, 1]], [[1, 2]]]);
    expect([...readLuaItems(Buffer.from('\n'))]).to.deep.equal([]);
  });

  for (const [title, text, fault] of [
    ['code', 'return os.exit()', 'line 1: expected a value'],
    ['a call', 'return { f() }', 'line 1: expected a value'],
    ['another statement', 'x = 1', 'line 1: expected return'],
    ['a string without an end', 'return {\n"abc', 'line 2: a string does not end'],
    ['a table without an end', 'return { 1;\n', 'line 2: expected a value'],
    ['a table as a key', 'return { [{}] = 1 }', 'line 1: expected a key'],
    ['tables in tables without end', `return ${'{'.repeat(300)}`, 'line 1: tables are nested too deeply'],
  ] as const)
    it(`refuses ${title}`, () => {
      expect(() => read(text)).to.throw(LuaSyntaxError, fault);
    });

  it('reads what Prosody would write', () => {
    const ascii = fc.string({ unit: 'binary-ascii' });
    const key = fc.oneof(ascii, fc.integer(), fc.boolean());
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, ascii, fc.integer(), fc.boolean(), tie('table')),
      table: fc.uniqueArray(fc.tuple(key, tie('value')), { selector: ([name]) => name }),
    }));
    fc.assert(
      fc.property(value, (one) => {
        expect(
          read(`return ${written(one)};
`),
        ).to.deep.equal(one);
      }),
    );
  });
});
