import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';

const root = join(import.meta.dirname, '../..');
const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name));
const documents = existsSync(join(root, 'README.md')) ? ['README.md', ...pages] : pages;

/** A path of the source, written as code; one with a place holder names no file. */
const sourcePath = /`((?:\.ci|bin|docs|migrations|src|test)\/[\w./-]*)`/g;
/** A symbol of the source and its file: `Router.refuse` in `src/routing/router.ts`, or with the path in parentheses. */
const symbolInFile = /`(#?[A-Za-z][\w.#]*)(?:\([^`]*\))?`(?:\s+in\s+|\s+\()`((?:bin|src|test)\/[\w./-]+\.[jt]s)`/g;
const link = /\]\((?![a-z]+:)([^)\s]+)\)/g;

/** A document without what stands in code blocks. */
function proseOf(document: string): string {
  return readFileSync(join(root, document), 'utf8').replace(/^```.*?^```$/gms, '');
}

/** The name GitHub gives to a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

function anchorsOf(document: string): string[] {
  return Array.from(proseOf(document).matchAll(/^#+ (.*)$/gm), ([, heading = '']) => anchorOf(heading));
}

function leads(document: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? document : join(dirname(document), decodeURIComponent(path));
  if (!existsSync(join(root, file))) return false;
  return anchor === undefined || anchorsOf(file).includes(anchor);
}

function found(document: string, pattern: RegExp): string[] {
  return Array.from(proseOf(document).matchAll(pattern), ([, text = '']) => text);
}

/** Whether a file has every word of a symbol. */
function has(path: string, symbol: string): boolean {
  if (!existsSync(join(root, path))) return false;
  const words = new Set(readFileSync(join(root, path), 'utf8').match(/#?\w+/g));
  return symbol.split('.').every((word) => words.has(word));
}

/** The symbols that a text places in a file that has none of the name. */
function misplaced(text: string): string[] {
  return Array.from(text.matchAll(symbolInFile))
    .filter(([, symbol = '', path = '']) => !has(path, symbol))
    .map(([, symbol, path]) => `${symbol} in ${path}`);
}

describe('the documents', () => {
  it('are found, with links and paths in them', () => {
    expect(pages).to.include('docs/architecture.md');
    expect(pages.flatMap((page) => found(page, link))).to.have.length.above(10);
    expect(pages.flatMap((page) => found(page, sourcePath))).to.have.length.above(100);
  });

  it('are searched for symbols that their files do not have', () => {
    const path = 'src/routing/router.ts';
    expect(misplaced(`\`Router\` in \`${path}\`, \`Router.refuse()\` (\`${path}\`)`)).to.deep.equal([]);
    expect(misplaced(`\`Route\` in \`${path}\`, and \`#waitFor\`\n(\`${path}\`)`)).to.deep.equal([
      `Route in ${path}`,
      `#waitFor in ${path}`,
    ]);
    expect(misplaced('`Router` in `src/routing/nowhere.ts`')).to.deep.equal(['Router in src/routing/nowhere.ts']);
    expect(documents.flatMap((page) => found(page, symbolInFile))).to.have.length.above(40);
  });

  for (const document of documents) {
    it(`${document}: links lead somewhere`, () => {
      expect(found(document, link).filter((target) => !leads(document, target))).to.deep.equal([]);
    });

    it(`${document}: the files it names exist`, () => {
      expect(found(document, sourcePath).filter((path) => !existsSync(join(root, path)))).to.deep.equal([]);
    });

    it(`${document}: the symbols it names are in their files`, () => {
      expect(misplaced(proseOf(document))).to.deep.equal([]);
    });
  }
});
