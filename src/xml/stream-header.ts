import { attributeValue, langValue } from './frame.ts';
import type { FrameIndex } from './frame-index.ts';
import type { NamespaceContext } from './namespace-scope.ts';
import type { Attribute } from './start-tag.ts';

/** The language of every stream that the server sends: what is in no other need not say so. */
export const ownLanguage = 'en';

/** What the frames of a stream need of its header. */
export interface StreamRoot extends NamespaceContext {
  readonly name: string;
  readonly ns: string;
  /** The language of frames that give none, if it is another than {@link ownLanguage}. */
  readonly lang: string | undefined;
}

let lastRoot: StreamRoot | undefined;

/** The root of a stream; one and the same for streams that begin alike, since nearly all do and there are thousands. */
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

/** The start tag of a stream (RFC 6120 §4.2), as it was sent: whether it is the right one is for the stream to judge. */
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

  /** The language of a stanza that gives none (RFC 6120 §4.7.4). */
  get lang(): string | undefined {
    return langValue(this.attributes);
  }

  /** The value of an attribute that is in no namespace. */
  attribute(name: string): string | undefined {
    return attributeValue(this.attributes, name);
  }
}
