import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect } from 'chai';

const root = resolve(import.meta.dirname, '..');
const source = join(root, 'src');

/** The rooms in their one line: a file imports from its own room or an earlier one. */
const rooms = [
  'support',
  'xml',
  'protocol',
  'storage',
  'routing',
  'tls',
  'streams',
  'c2s',
  'federation',
  'components',
  'edges',
  'extensions',
  'web',
  'config',
  'compose',
  'cli',
];

/** What only one room may know. */
const reserved: Readonly<Record<string, string>> = {
  'better-sqlite3': 'storage',
  ltx: 'xml',
  sax: 'cli',
  yargs: 'cli',
  pino: 'support',
};

const longestFile = 400;
const longestFunction = 60;

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function read(path: string): Source {
  const text = readFileSync(path, 'utf8');
  const imports = [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*'([^']+)'|import\(\s*'([^']+)'\s*\)/g),
  ];
  return { path, text, imports: imports.map((match) => match[1] ?? match[2] ?? '') };
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => read(join(source, name)));

function nameOf(path: string): string {
  return relative(source, path);
}

function roomOf(path: string): string {
  const [first = ''] = nameOf(path).split('/');
  return first;
}

function targetsOf(file: Source): string[] {
  return file.imports.filter((name) => name.startsWith('.')).map((name) => resolve(dirname(file.path), name));
}

/** The lines of every function whose body begins and ends at its own indentation, as the formatter writes them. */
function functionLengths(text: string): { name: string; lines: number }[] {
  const lines = text.split('\n');
  const found: { name: string; lines: number }[] = [];
  const opening =
    /^(\s*)(?:export )?(?:async )?(?:static )?(?:function\*? |get |set |\*)?([#\w]+)?.*(?:\)|\) => |=> |: [^=]+) ?\{$/;
  lines.forEach((line, index) => {
    const match = opening.exec(line);
    if (!match || /^\s*(?:if|for|while|switch|else|try|class|export class|interface|export interface)\b/.test(line))
      return;
    const end = lines.findIndex(
      (other, at) => at > index && /^\s*\}/.test(other) && other.search(/\S/) === match[1]?.length,
    );
    if (end > 0) found.push({ name: match[2] ?? line.trim(), lines: end - index + 1 });
  });
  return found;
}

describe('the architecture', () => {
  it('has only the rooms it is said to have', () => {
    const strangers = new Set(files.map(({ path }) => roomOf(path)).filter((room) => !rooms.includes(room)));
    expect([...strangers]).to.deep.equal([]);
  });

  it('imports only from the same room or an earlier one', () => {
    const wrong = files.flatMap((file) =>
      targetsOf(file)
        .filter((target) => rooms.indexOf(roomOf(target)) > rooms.indexOf(roomOf(file.path)))
        .map((target) => `${nameOf(file.path)} imports ${nameOf(target)}`),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('has no import cycles, types included', () => {
    const edges = new Map(files.map((file) => [file.path, targetsOf(file)]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].map(nameOf).join(' > '));
      if (trail.includes(path) || done.has(path)) return;
      for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const path of edges.keys()) visit(path, []);
    expect(cycles).to.deep.equal([]);
  });

  it('keeps extensions apart from each other', () => {
    const unitOf = (path: string) => nameOf(path).split('/')[1]?.replace(/\.ts$/, '');
    const wrong = files
      .filter(({ path }) => roomOf(path) === 'extensions' && nameOf(path) !== 'extensions/index.ts')
      .flatMap((file) =>
        targetsOf(file)
          .filter((target) => roomOf(target) === 'extensions' && unitOf(target) !== unitOf(file.path))
          .map((target) => `${nameOf(file.path)} imports ${nameOf(target)}`),
      );
    expect(wrong).to.deep.equal([]);
  });

  it('keeps each reserved library in its room', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter((name) => Object.hasOwn(reserved, name) && reserved[name] !== roomOf(file.path))
        .map((name) => `${nameOf(file.path)} imports ${name}`),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('writes namespaces in one file', () => {
    const namespace =
      /['"`](?:urn:xmpp:|urn:ietf:params:xml:ns:xmpp|jabber:[a-z]|http:\/\/(?:jabber\.org|etherx\.jabber\.org)\/)/;
    const wrong = files
      .filter(({ path }) => nameOf(path) !== 'protocol/namespaces.ts' && nameOf(path) !== 'xml/namespace-scope.ts')
      .flatMap(({ path, text }) =>
        text
          .split('\n')
          .filter((line) => namespace.test(line) && !/^\s*(?:\/\/|\*|\/\*)/.test(line))
          .map((line) => `${nameOf(path)}: ${line.trim()}`),
      );
    expect(wrong).to.deep.equal([]);
  });

  it(`has no file over ${longestFile} lines and no function over ${longestFunction}`, () => {
    const wrong = files.flatMap(({ path, text }) => {
      const length = text.split('\n').length - 1;
      const long = functionLengths(text).filter(({ lines }) => lines > longestFunction);
      return [
        ...(length > longestFile ? [`${nameOf(path)}: ${length} lines`] : []),
        ...long.map(({ name, lines }) => `${nameOf(path)}: ${name} has ${lines} lines`),
      ];
    });
    expect(wrong).to.deep.equal([]);
  });

  it('names nothing with a word that says nothing', () => {
    const vague = /^\s*(?:export )?(?:class|interface|type)\s+\w*(?:Manager|Helper|Util|Base|Data|Info)\b/m;
    const wrong = files.flatMap(({ path, text }) =>
      vague.test(text) ? [`${nameOf(path)}: ${vague.exec(text)?.[0]}`] : [],
    );
    expect(wrong).to.deep.equal([]);
  });
});
