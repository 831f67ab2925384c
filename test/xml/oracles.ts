import { isUtf8 } from 'node:buffer';
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { SaxesParser } from 'saxes';
import { type Element, nsOf } from '../../src/xml/element.ts';
import { xmlNamespace } from '../../src/xml/namespace-scope.ts';
import { parseElement } from '../../src/xml/parse-element.ts';
import { XmlError } from '../../src/xml/xml-error.ts';

/** A tree that any parser can be asked for: expanded names, sorted attributes without declarations, merged text. */
export type Tree = [
  ns: string,
  local: string,
  attributes: [ns: string, local: string, value: string][],
  (Tree | string)[],
];

/** What a parser made of a document; undefined if it refused it. */
export type Answer = { readonly forbidden: boolean; readonly tree: Tree } | undefined;

function addText(children: (Tree | string)[], text: string): void {
  const last = children.at(-1);
  if (typeof last === 'string') children[children.length - 1] = last + text;
  else if (text !== '') children.push(text);
}

function byName(a: readonly string[], b: readonly string[]): number {
  const left = a.join('\u0001');
  const right = b.join('\u0001');
  return left < right ? -1 : Number(left > right);
}

/** What saxes makes of a document; it reads text, so it cannot be asked about bytes that are none. */
export function askSaxes(document: Buffer): Answer {
  const parser = new SaxesParser({ xmlns: true, defaultXMLVersion: '1.0' });
  const root: (Tree | string)[] = [];
  const stack = [root];
  let forbidden = false;
  const forbid = (): void => {
    forbidden = true;
  };
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('doctype', forbid);
  parser.on('comment', forbid);
  parser.on('processinginstruction', forbid);
  parser.on('text', (text) => stack.length > 1 && addText(stack.at(-1)!, text));
  parser.on('cdata', (text) => addText(stack.at(-1)!, text));
  parser.on('closetag', () => stack.pop());
  parser.on('opentag', ({ uri, local, attributes }) => {
    const plain = Object.values(attributes).filter(({ name, prefix }) => name !== 'xmlns' && prefix !== 'xmlns');
    const sorted = plain.map((one): [string, string, string] => [one.uri, one.local, one.value]).sort(byName);
    const element: Tree = [uri, local, sorted, []];
    stack.at(-1)!.push(element);
    stack.push(element[3]);
  });
  try {
    parser.write(document.toString('utf8')).close();
  } catch {
    return undefined;
  }
  return { forbidden, tree: root[0] as Tree };
}

/** Whether saxes can be asked. */
export function isText(document: Buffer): boolean {
  return isUtf8(document);
}

/** The tree of an element of ours. */
export function treeOf(element: Element): Tree {
  const attributes: [string, string, string][] = [];
  for (const [name, value] of Object.entries(element.attrs)) {
    if (name === 'xmlns' || name.startsWith('xmlns:') || value === undefined) continue;
    const [prefix, local] = name.includes(':') ? (name.split(':') as [string, string]) : ['', name];
    const ns = prefix === 'xml' ? xmlNamespace : prefix === '' ? '' : element.findNS(prefix);
    attributes.push([ns ?? 'unbound', local, value]);
  }
  const children = element.children.map((child) => (typeof child === 'string' ? child : treeOf(child)));
  const ns = element.name.startsWith('xml:') ? xmlNamespace : nsOf(element);
  return [ns, element.getName(), attributes.sort(byName), children];
}

/** What we make of a document: its tree, or the condition under which it is refused. */
export function askOurs(document: Buffer): Tree | string {
  try {
    return treeOf(parseElement(document));
  } catch (error) {
    if (error instanceof XmlError) return error.condition;
    throw error;
  }
}

/** The expat of Python, in a process that answers one document after the other. */
export class Expat {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<Answer>;

  /** Starts it, if the machine has Python. */
  static start(): Expat | undefined {
    return spawnSync('python3', ['-c', 'import pyexpat']).status === 0 ? new Expat() : undefined;
  }

  private constructor() {
    const script = fileURLToPath(new URL('expat-oracle.py', import.meta.url));
    this.#process = spawn('python3', [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = answers(this.#process.stdout);
  }

  /** Its answers, in the order of the documents. */
  async ask(documents: readonly Buffer[]): Promise<Answer[]> {
    const requests = documents.flatMap((document) => [lengthPrefix(document.length), document]);
    this.#process.stdin.write(Buffer.concat(requests));
    const all: Answer[] = [];
    while (all.length < documents.length) {
      const { value, done } = await this.#answers.next();
      if (done) throw new Error('expat has gone');
      all.push(value);
    }
    return all;
  }

  async close(): Promise<void> {
    const gone = once(this.#process, 'exit');
    this.#process.stdin.end();
    await gone;
  }
}

function lengthPrefix(length: number): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(length);
  return prefix;
}

async function* answers(output: Readable): AsyncGenerator<Answer> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of output) {
    pending = Buffer.concat([pending, chunk]);
    let at = 0;
    while (pending.length - at >= 4 && pending.length - at - 4 >= pending.readUInt32BE(at)) {
      const end = at + 4 + pending.readUInt32BE(at);
      yield JSON.parse(pending.toString('utf8', at + 4, end)) ?? undefined;
      at = end;
    }
    pending = pending.subarray(at);
  }
}
