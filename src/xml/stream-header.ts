import { attributeValue, langValue } from './frame.ts';
import type { FrameIndex } from './frame-index.ts';
import type { NamespaceContext } from './namespace-scope.ts';
import type { Attribute } from './start-tag.ts';

/** The language of every stream that the server sends. Stanzas in this language need no `xml:lang`. */
export const ownLanguage = 'en';

/** The parts of a stream header that its frames need. */
export interface StreamRoot extends NamespaceContext {
  readonly name: string;
  readonly ns: string;
  /** The language of frames without `xml:lang`, if it is not {@link ownLanguage}. */
  readonly lang: string | undefined;
}

let lastRoot: StreamRoot | undefined;

/** The root of a stream. Streams with equal headers share one: thousands of streams have nearly always the same. */
export function rootOf({ name, ns, defaultNs, prefixes, lang: given }: StreamHeader): StreamRoot {
  const lang = given === ownLanguage ? undefined : given;
  if (lastRoot?.name === name && lastRoot.ns === ns && lastRoot.defaultNs === defaultNs && lastRoot.lang === lang) {
    if (isSameMap(lastRoot.prefixes, prefixes)) return lastRoot;
  }
  lastRoot = { name, ns, defaultNs, prefixes, lang };
  return lastRoot;
}

function isSameMap(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  if (one.size !== other.size) return false;
  for (const [key, value] of one) if (other.get(key) !== value) return false;
  return true;
}

/** The start tag of a stream as received (RFC 6120 §4.2). The stream checks whether it is acceptable. */
export class StreamHeader implements NamespaceContext {
  readonly name: string;
  readonly ns: string;
  readonly attributes: readonly Attribute[];
  /** The default namespace declared: the content namespace (RFC 6120 §4.8.2). */
  readonly defaultNs: string;
  readonly prefixes: Map<string, string>;

  constructor(
    { name, ns, attributes }: Pick<FrameIndex, 'name' | 'ns' | 'attributes'>,
    { defaultNs, prefixes }: NamespaceContext,
  ) {
    this.name = name;
    this.ns = ns;
    this.attributes = attributes;
    this.defaultNs = defaultNs;
    this.prefixes = new Map(prefixes);
  }

  /** The language of stanzas without `xml:lang` (RFC 6120 §4.7.4). */
  get lang(): string | undefined {
    return langValue(this.attributes);
  }

  /** The value of an attribute without a namespace. */
  attribute(name: string): string | undefined {
    return attributeValue(this.attributes, name);
  }
}
