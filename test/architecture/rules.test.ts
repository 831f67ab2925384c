import { expect } from 'chai';
import * as rules from './rules.ts';
import { readSource, type SourceFile } from './source-file.ts';

/** A tree of source files, from their paths and texts. */
function tree(files: Readonly<Record<string, string>>): SourceFile[] {
  return Object.entries(files).map(([path, text]) => readSource(path, text));
}

const statements = (count: number) => 'f();\n'.repeat(count);

/** Each function, in every form, has four lines. */
const functions = `
function declared(
  a: string,
  b: { readonly c: string },
): string {}
const arrow = (
  a: string,
): string => {
  };
class A {
  async method<
    T,
  >(): Promise<T> {
  }
  readonly #field = async (
    a: string,
  ) => {
  };
  get
    getter() {
    return 1;
  }
}
export const made = { property:
  function () {
    f();
  } };
list.map((one) => {
  f();
  g();
});
`;

describe('the rules of the architecture', () => {
  it('measure functions of every form, with their signatures', () => {
    const measured = readSource('a.ts', functions).functions.filter(({ lines }) => lines > 1);
    expect(measured.map(({ name, lines }) => `${name} ${lines}`)).to.deep.equal([
      'declared 4',
      'arrow 4',
      'method 4',
      '#field 4',
      'getter 4',
      'property 4',
      '(anonymous) 4',
    ]);
  });

  it('find a function that its signature makes too long', () => {
    const files = tree({ 'a.ts': `function long(\n  a: string,\n): (b: string) => Answers {\n${statements(57)}}\n` });
    expect(rules.longFunctions(files, 61)).to.deep.equal([]);
    expect(rules.longFunctions(files, 60)).to.deep.equal([{ name: 'long', text: 'a.ts: long has 61 lines' }]);
  });

  it('find a file that is too long', () => {
    const files = tree({ 'a.ts': statements(4), 'b.ts': statements(5) });
    expect(rules.longFiles(files, 4)).to.deep.equal(['b.ts has 5 lines']);
  });

  it('find a folder that is too large', () => {
    const files = tree({ 'a/a.ts': statements(3), 'a/b/b.ts': statements(3), 'b/b.ts': statements(6) });
    expect(rules.tooLarge(files, 1 / 2)).to.deep.equal([]);
    expect(rules.tooLarge(files.slice(1), 1 / 2)).to.deep.equal(['b has 6 of 9 lines']);
  });

  it('find imports from a later folder, however they are written', () => {
    const files = tree({
      'a/a.ts': [
        `import { b } from '../b/b.ts';`,
        `import type { B } from '../b/types.ts';`,
        `import '../b/effect.ts';`,
        `export * from '../b/all.ts';`,
        `export { one } from '../b/one.ts';`,
        `const lazy = () => import('../b/lazy.ts');`,
        `type Far = import('../b/far.ts').Far;`,
        `const text = "import { c } from '../b/c.ts'";`,
      ].join('\n'),
      'b/b.ts': `import { a } from '../a/a.ts';`,
    });
    expect(rules.importsFromLater(files, ['a', 'b'])).to.have.members(
      ['b', 'types', 'effect', 'all', 'one', 'lazy', 'far'].map((name) => `a/a.ts imports b/${name}.ts`),
    );
  });

  it('find cycles of imports', () => {
    const files = tree({
      'a.ts': `import { b } from './b.ts';`,
      'b.ts': `import type { C } from './c.ts';`,
      'c.ts': `import { b } from './b.ts';`,
    });
    expect(rules.importCycles(files)).to.deep.equal(['b.ts > c.ts > b.ts']);
  });

  it('find imports from one extension to another', () => {
    const files = tree({
      'extensions/index.ts': `import { a } from './a.ts';`,
      'extensions/a.ts': `import { b } from './b/b.ts'; import { c } from '../routing/c.ts';`,
      'extensions/b/b.ts': `import { more } from './more.ts';`,
    });
    expect(rules.importsBetweenUnits(files, 'extensions')).to.deep.equal(['extensions/a.ts imports extensions/b/b.ts']);
  });

  it('find imports of a reserved package', () => {
    const files = tree({ 'a/a.ts': `import { Element } from 'ltx';`, 'xml/b.ts': `import { Element } from 'ltx';` });
    expect(rules.reservedImports(files, { ltx: 'xml' })).to.deep.equal(['a/a.ts imports ltx']);
  });

  it('find namespaces in strings and templates, but not in comments', () => {
    const files = tree({
      'a.ts': "// 'urn:xmpp:mam:2'\nf('urn:xmpp:sm:3', `jabber:iq:roster`, 'http://example.org/');",
    });
    expect(rules.namespacesWritten(files)).to.deep.equal(['a.ts: urn:xmpp:sm:3', 'a.ts: jabber:iq:roster']);
  });

  it('find types with vague names', () => {
    const files = tree({
      'a.ts': `export class RoomManager {}\ninterface RoomInfo {}\ntype Managers = string;\ninterface Database {}`,
    });
    expect(rules.vagueNames(files)).to.deep.equal(['a.ts RoomManager', 'a.ts RoomInfo']);
  });

  it('find type names that two files export', () => {
    const files = tree({
      'a.ts': 'export interface Waiting {}\ninterface Own {}\nexport class A {}',
      'b.ts': 'type Waiting = string;\nexport type { Waiting };\ninterface Own {}\nexport const A = 1;',
    });
    expect(rules.sharedTypeNames(files)).to.deep.equal([{ name: 'Waiting', text: 'Waiting: a.ts, b.ts' }]);
  });

  it('find exports of every form that no other file imports', () => {
    const files = tree({
      'a.ts': [
        'export const one = 1, { two, three: [four] } = f();',
        'export function five() {}',
        'export interface Six {}',
        'export type Seven = string;',
        'const local = 8;',
        'export { local as eight };',
        'export default class Nine {}',
        `export { ten } from './b.ts';`,
      ].join('\n'),
      'b.ts': 'export const ten = 10;',
      'c.ts': `export * from './d.ts';\nimport { five as renamed, type Six } from './a.ts';`,
      'd.ts': 'export const eleven = 11;',
    });
    const unused = ['one', 'two', 'four', 'Seven', 'eight', 'default', 'ten'];
    expect(rules.unusedExports(files).map(({ name }) => name)).to.deep.equal(unused);
    const values = unused.filter((name) => name !== 'Seven');
    expect(rules.unusedValues(files).map(({ name }) => name)).to.deep.equal(values);
  });

  it('name what is not explained, and explanations that are not needed', () => {
    const breaches = [
      { name: 'a', text: 'a.ts: a' },
      { name: 'b', text: 'b.ts: b' },
    ];
    expect(rules.unexplained(breaches, { b: 'has a reason', c: 'had a reason' })).to.deep.equal([
      'a.ts: a',
      'c needs no exception',
    ]);
  });

  it('are not fed files with syntax errors', () => {
    expect(() => readSource('a.ts', 'function {')).to.throw('a.ts');
  });
});
