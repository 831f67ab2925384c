import { isNameCharacter, isNameStart, nonAscii } from './char-class.ts';
import { escapeAttribute, escapeText } from './escape.ts';

const asciiName = /^[A-Za-z_][A-Za-z0-9._-]*(?::[A-Za-z_][A-Za-z0-9._-]*)?$/;
const asciiNamePart = /^[A-Za-z0-9._-]$/;

/** The properties of an element that are written. */
interface Writable {
  readonly name: string;
  readonly attrs: Readonly<{ xmlns?: string; [name: string]: string | undefined }>;
  readonly children: readonly (Writable | string)[];
  readonly parent: Writable | null;
}

/** An element whose end tag has not been written yet. */
interface Open {
  readonly element: Writable;
  readonly defaultNs: string;
  next: number;
}

/**
 * An element as text. `inheritedNs` is the default namespace around the text; a declaration that only repeats it is left
 * out. Namespaces that the element inherits from its ancestors are declared on it. Throws on names and characters that are
 * not XML. Iterative, because trees can be deep.
 */
export function serialize(element: Writable, inheritedNs = ''): string {
  const ancestral = ancestralDeclarations(element);
  let text = '';
  const open: Open[] = [];
  const start = (child: Writable, around: string, declarations: string): void => {
    text += startTag(child, around, declarations);
    if (child.children.length === 0) return;
    open.push({ element: child, defaultNs: child.attrs.xmlns ?? around, next: 0 });
  };
  const rootNs = ancestral.get('xmlns') ?? inheritedNs;
  start(element, element.attrs.xmlns === undefined ? rootNs : inheritedNs, declarationText(ancestral, inheritedNs));
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const child = top.element.children[top.next++];
    if (child === undefined) {
      text += `</${top.element.name}>`;
      open.pop();
    } else if (typeof child === 'string') text += escapeText(child);
    else start(child, top.defaultNs, '');
  }
  return text;
}

function startTag(element: Writable, around: string, declarations: string): string {
  let text = `<${checkedName(element.name)}${declarations}`;
  for (const name of Object.keys(element.attrs)) {
    const value = element.attrs[name];
    if (value === undefined || (name === 'xmlns' && value === around)) continue;
    text += ` ${checkedName(name)}="${escapeAttribute(value)}"`;
  }
  return element.children.length === 0 ? `${text}/>` : `${text}>`;
}

/** The declarations that an element inherits from its ancestors. */
function ancestralDeclarations(element: Writable): Map<string, string> {
  const found = new Map<string, string>();
  for (let at = element.parent; at !== null; at = at.parent) {
    for (const name of Object.keys(at.attrs)) {
      const value = at.attrs[name];
      if (isDeclaration(name) && value !== undefined && !found.has(name) && !(name in element.attrs)) {
        found.set(name, value);
      }
    }
  }
  if (found.size > 0) dropUnused(found, element);
  return found;
}

function isDeclaration(name: string): boolean {
  return name === 'xmlns' || name.startsWith('xmlns:');
}

function dropUnused(declarations: Map<string, string>, element: Writable): void {
  const used = new Set(['xmlns']);
  const subtree = [element];
  for (let at = subtree.pop(); at !== undefined; at = subtree.pop()) {
    for (const name of [at.name, ...Object.keys(at.attrs)]) used.add(`xmlns:${name.split(':', 1)[0]}`);
    for (const child of at.children) if (typeof child !== 'string') subtree.push(child);
  }
  for (const name of declarations.keys()) if (!used.has(name)) declarations.delete(name);
}

function declarationText(declarations: Map<string, string>, inheritedNs: string): string {
  let text = '';
  for (const [name, value] of declarations) {
    if (name !== 'xmlns' || value !== inheritedNs) text += ` ${checkedName(name)}="${escapeAttribute(value)}"`;
  }
  return text;
}

function checkedName(name: string): string {
  if (asciiName.test(name) || name.split(':', 3).every(isNamePart)) return name;
  throw new RangeError('not an XML name');
}

function isNamePart(part: string, index: number): boolean {
  return index < 2 && part !== '' && !/^[0-9.-]/.test(part) && Array.from(part).every(isNameText);
}

function isNameText(character: string, index: number): boolean {
  const codePoint = character.codePointAt(0)!;
  if (codePoint < nonAscii) return asciiNamePart.test(character);
  return index === 0 ? isNameStart(codePoint) : isNameCharacter(codePoint);
}
