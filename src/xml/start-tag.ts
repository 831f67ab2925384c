import { AttributeSpan } from './attribute-span.ts';
import { NameSpan } from './name-span.ts';
import type { NamespaceScope } from './namespace-scope.ts';
import type { Source } from './source.ts';
import { malformed, tooMuch } from './xml-error.ts';
import type { XmlLimits } from './xml-limits.ts';

/** Above this many attributes, comparing each with each costs more than a set. */
const pairwiseAttributes = 8;

/** An attribute of a start tag (XML 1.0 §3.1); its value is decoded and normalised. */
export interface Attribute {
  /** The local name. */
  readonly name: string;
  readonly prefix: string;
  /** '' for an attribute without a prefix: it is in no namespace. */
  readonly ns: string;
  readonly value: string;
}

/** The start tag being scanned, as places in the source; used again for the next one. */
export class StartTag {
  readonly source: Source;
  readonly name = new NameSpan();
  ns = '';
  count = 0;
  readonly #spans: AttributeSpan[] = [];
  #prefixed = 0;
  /** A bit for the length and the first byte of each attribute's name; two names with the same bit may be the same. */
  #nameBits = 0;
  #mayRepeat = false;

  constructor(source: Source) {
    this.source = source;
  }

  begin(start: number): void {
    this.name.begin(start);
    this.count = 0;
    this.#prefixed = 0;
    this.#nameBits = 0;
    this.#mayRepeat = false;
  }

  /** The attribute that starts here. */
  addAttribute(start: number, limits: XmlLimits): AttributeSpan {
    if (this.count >= limits.maxAttributes) tooMuch('too many attributes');
    let span = this.#spans[this.count];
    if (span === undefined) {
      span = new AttributeSpan();
      this.#spans.push(span);
    }
    this.count++;
    span.name.begin(start);
    return span;
  }

  /** Classes the attribute whose name has just ended; true if it is a namespace declaration. */
  classify(span: AttributeSpan): boolean {
    const { name } = span;
    const { source } = this;
    const bit = 1 << (source.bytes[source.base + name.start]! + 5 * (name.end - name.start));
    if ((this.#nameBits & bit) !== 0) this.#mayRepeat = true;
    this.#nameBits |= bit;
    const prefixEnd = name.colon < 0 ? name.end : name.colon;
    span.declares = prefixEnd - name.start === 5 && source.name(name.start, prefixEnd, true) === 'xmlns';
    span.ns = '';
    if (name.colon >= 0 && !span.declares) this.#prefixed++;
    return span.declares;
  }

  /** Puts the declarations in force and finds the namespaces of all names (Namespaces in XML 1.0 §6). */
  resolve(scope: NamespaceScope, depth: number): void {
    const { source, name } = this;
    for (let i = 0; i < this.count; i++) {
      const span = this.#spans[i]!;
      if (!span.declares) continue;
      scope.declare(span.name.colon < 0 ? '' : span.name.local(source), span.value(source), depth);
    }
    this.ns = name.colon < 0 ? scope.defaultNs : scope.resolve(name.prefix(source));
    if (this.#mayRepeat) this.#refuseDuplicates();
    if (this.#prefixed > 0) this.#resolveAttributes(scope);
  }

  /** The attributes, without the namespace declarations. */
  attributes(): Attribute[] {
    const { source } = this;
    const attributes: Attribute[] = [];
    for (let i = 0; i < this.count; i++) {
      const span = this.#spans[i]!;
      if (span.declares) continue;
      const { name, ns } = span;
      attributes.push({ name: name.local(source), prefix: name.prefix(source), ns, value: span.value(source) });
    }
    return attributes;
  }

  /** The attributes as they are written, namespace declarations included. */
  copyAttributes(to: Record<string, string | undefined>): void {
    for (let i = 0; i < this.count; i++) {
      const span = this.#spans[i]!;
      to[span.name.qualified(this.source)] = span.value(this.source);
    }
  }

  #refuseDuplicates(): void {
    if (this.count > pairwiseAttributes) {
      const names = new Set<string>();
      for (let i = 0; i < this.count; i++) names.add(this.#spans[i]!.name.qualified(this.source));
      if (names.size < this.count) malformed('duplicate attribute');
      return;
    }
    for (let i = 1; i < this.count; i++) {
      for (let j = 0; j < i; j++) if (this.#sameName(i, j)) malformed('duplicate attribute');
    }
  }

  #sameName(i: number, j: number): boolean {
    const { bytes, base } = this.source;
    const a = this.#spans[i]!.name;
    const b = this.#spans[j]!.name;
    const length = a.end - a.start;
    if (length !== b.end - b.start) return false;
    for (let k = 0; k < length; k++) {
      if (bytes[base + a.start + k] !== bytes[base + b.start + k]) return false;
    }
    return true;
  }

  /** Two prefixes can mean one namespace, so the expanded names are compared too (Namespaces in XML 1.0 §6.3). */
  #resolveAttributes(scope: NamespaceScope): void {
    const { source } = this;
    const seen = this.#prefixed > 1 ? new Map<string, Set<string>>() : undefined;
    for (let i = 0; i < this.count; i++) {
      const span = this.#spans[i]!;
      if (span.name.colon < 0 || span.declares) continue;
      span.ns = scope.resolve(span.name.prefix(source));
      if (seen !== undefined) refuseRepetition(seen, span.ns, span.name.local(source));
    }
  }
}

function refuseRepetition(seen: Map<string, Set<string>>, ns: string, name: string): void {
  const names = seen.get(ns);
  if (names === undefined) seen.set(ns, new Set([name]));
  else if (names.has(name)) malformed('duplicate attribute');
  else names.add(name);
}
