import type { Tree } from './xml-tree.ts';

const stanzaIds = 'urn:xmpp:sid:0';

/** How strictly an element is compared. */
export interface PatternOptions {
  /** Attributes that the pattern does not list are differences too. */
  readonly strict?: boolean;
}

/**
 * Says how an element differs from a pattern; undefined if it does not.
 *
 * An attribute of the pattern must be there with its value; `*` stands for any value, `{none}` for no such attribute.
 * Children must all be there, in any order, and no others unless the pattern has the text `...` between its children.
 * A `<stanza-id/>` may be there without being in the pattern: the archive puts one into every message.
 * The text `*` stands for any text, the namespace `*` for any namespace, the name `any.` for any name.
 */
export function difference(pattern: Tree, actual: Tree, options: PatternOptions = {}, path = ''): string | undefined {
  const here = `${path}/${pattern.name}`;
  if (pattern.name !== 'any.' && pattern.name !== actual.name) return `${here}: is <${actual.name}/>`;
  if (pattern.ns !== '*' && pattern.ns !== actual.ns) return `${here}: is in '${actual.ns}', not '${pattern.ns}'`;
  return (
    attributeDifference(pattern, actual, options, here) ??
    textDifference(pattern, actual, here) ??
    childDifference(pattern, actual, options, here)
  );
}

function attributeDifference(pattern: Tree, actual: Tree, options: PatternOptions, here: string): string | undefined {
  for (const [name, wanted] of pattern.attributes) {
    const value = actual.attributes.get(name);
    if (wanted === '{none}' ? value === undefined : value !== undefined && (wanted === '*' || wanted === value))
      continue;
    return `${here}: ${name} is ${value === undefined ? 'missing' : `'${value}'`}, not '${wanted}'`;
  }
  if (!options.strict) return undefined;
  const unlisted = [...actual.attributes.keys()].find((name) => !pattern.attributes.has(name));
  return unlisted && `${here}: has an attribute '${unlisted}'`;
}

function isOpen(pattern: Tree): boolean {
  return pattern.text.trim() === '...';
}

function textDifference(pattern: Tree, actual: Tree, here: string): string | undefined {
  const wanted = pattern.text.trim();
  if (wanted === '*' || isOpen(pattern) || wanted === actual.text.trim()) return undefined;
  return `${here}: says '${actual.text.trim()}', not '${wanted}'`;
}

function childDifference(pattern: Tree, actual: Tree, options: PatternOptions, here: string): string | undefined {
  const fits = (wanted: Tree, child: Tree): boolean => difference(wanted, child, options) === undefined;
  const left = assign(pattern.children, actual.children, fits);
  if (!left) return `${here}: ${missingChild(pattern, actual, options, here)}`;
  const surplus = left.find(({ ns }) => ns !== stanzaIds);
  return surplus && !isOpen(pattern) ? `${here}: has a <${surplus.name} xmlns='${surplus.ns}'/>` : undefined;
}

function missingChild(pattern: Tree, actual: Tree, options: PatternOptions, here: string): string {
  for (const wanted of pattern.children) {
    const reasons = actual.children.map((child) => difference(wanted, child, options, here));
    if (reasons.every((reason) => reason !== undefined)) return `no <${wanted.name}/> fits (${reasons.join('; ')})`;
  }
  return 'not enough children fit';
}

/** Gives every pattern an item of its own; returns the items left over, or undefined if that cannot be done. */
export function assign<P, T>(
  patterns: readonly P[],
  items: readonly T[],
  fits: (pattern: P, item: T) => boolean,
): readonly T[] | undefined {
  const [pattern, ...others] = patterns;
  if (pattern === undefined) return items;
  for (const [index, item] of items.entries()) {
    if (!fits(pattern, item)) continue;
    const left = assign(others, items.toSpliced(index, 1), fits);
    if (left) return left;
  }
  return undefined;
}
