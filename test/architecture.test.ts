import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import * as rules from './architecture/rules.ts';
import { readSource, type SourceFile } from './architecture/source-file.ts';

const root = resolve(import.meta.dirname, '..');

/** The folders of src/ in their one line: a file imports from its own folder or an earlier one. */
const folders = [
  'support',
  'xml',
  'protocol',
  'browser',
  'storage',
  'archives',
  'routing',
  'tls',
  'streams',
  'c2s',
  'federation',
  'components',
  'edges',
  'groupchat',
  'extensions',
  'web',
  'config',
  'check',
  'compose',
  'cli',
];

/** Packages that only one folder may import. */
const reserved = {
  'better-sqlite3': 'storage',
  ltx: 'xml',
  sax: 'cli',
  yargs: 'cli',
  pino: 'support',
  'prom-client': 'web',
  uqr: 'web',
};

/** Where namespaces are written. */
const namespaceFiles = ['protocol/namespaces.ts', 'xml/namespace-scope.ts'];

const longestFile = 400;
const longestFunction = 60;

/** Exported type names that mean two things. */
const sharedTypes: rules.Exceptions = {
  RosterChanges: 'is being renamed',
};

/** Classes, functions and constants that only tests import. */
const valuesForTests: rules.Exceptions = {
  blankItem: 'the rosters of tests are made with it',
  consoleOperations: 'a test compares them with all operations',
  coreClaims: 'docs/protocols.md is made from it',
  listenSchema: 'tests give it a kind of listener that the server has not',
  prepareLocal: 'its limits can be reached in no other way',
  prepareResource: 'its limits can be reached in no other way',
  secretKeys: 'a test compares them with the schema',
  requireSafeVersion: 'there is one version of SQLite here, which is safe',
  verificationText: 'XEP-0115 has examples of it',
  mayAct: 'requests for lists will use it',
  xmppNames: 'tests look at what a certificate says',
};

function read(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readSource(path, readFileSync(join(root, folder, path), 'utf8')));
}

/** The files with paths from the root of the project. */
function within(folder: string, files: readonly SourceFile[]): SourceFile[] {
  return files.map((file) => ({ ...file, path: `${folder}/${file.path}` }));
}

describe('the architecture of src/', () => {
  const files = read('src');

  it('has only the folders that stand in the line', () => {
    const unknown = files.map(({ path }) => rules.folderOf(path)).filter((folder) => !folders.includes(folder));
    expect([...new Set(unknown)]).to.deep.equal([]);
  });

  it('imports only from the same folder or an earlier one', () => {
    expect(rules.importsFromLater(files, folders)).to.deep.equal([]);
  });

  it('has no import cycles, types included', () => {
    expect(rules.importCycles(files)).to.deep.equal([]);
  });

  it('keeps extensions apart from each other', () => {
    expect(rules.importsBetweenUnits(files, 'extensions')).to.deep.equal([]);
  });

  it('keeps each reserved package in its folder', () => {
    expect(rules.reservedImports(files, reserved)).to.deep.equal([]);
  });

  it('writes namespaces in one file', () => {
    const others = files.filter(({ path }) => !namespaceFiles.includes(path));
    expect(rules.namespacesWritten(others)).to.deep.equal([]);
  });

  it(`has no file over ${longestFile} lines`, () => {
    expect(rules.longFiles(files, longestFile)).to.deep.equal([]);
  });

  it(`has no function over ${longestFunction} lines`, () => {
    expect(rules.longFunctions(files, longestFunction)).to.deep.equal([]);
  });

  it('has no folder with more than a quarter of the lines', () => {
    expect(rules.tooLarge(files, 1 / 4)).to.deep.equal([]);
  });

  it('names no class and no type with a word that says nothing', () => {
    expect(rules.vagueNames(files)).to.deep.equal([]);
  });

  it('exports no two types under one name, neither for the server nor for browsers', () => {
    const [server, pages] = [false, true].map((isPage) =>
      files.filter(({ path }) => (rules.folderOf(path) === 'browser') === isPage),
    );
    const shared = [server, pages].flatMap((program = []) => rules.sharedTypeNames(program));
    expect(rules.unexplained(shared, sharedTypes)).to.deep.equal([]);
  });

  it('exports nothing that no other file and no test imports', () => {
    const all = [...within('src', files), ...within('test', read('test'))];
    const unused = rules.unusedExports(all).filter(({ text }) => text.startsWith('src/'));
    expect(unused).to.deep.equal([]);
  });

  it('exports no more than types for tests alone', () => {
    expect(rules.unexplained(rules.unusedValues(files), valuesForTests)).to.deep.equal([]);
  });
});
