import type { Element } from './element.ts';
import type { FrameIndex } from './frame-index.ts';
import { type NamespaceContext, xmlNamespace } from './namespace-scope.ts';
import { readElement } from './parse-element.ts';
import { Payload } from './payload.ts';
import { portablePayload } from './portable-payload.ts';
import type { Attribute } from './start-tag.ts';
import { unlimited } from './xml-limits.ts';

export type { Attribute } from './start-tag.ts';

/** The value of the attribute with this name and no namespace. */
export function attributeValue(attributes: readonly Attribute[], name: string): string | undefined {
  for (const attribute of attributes) if (attribute.name === name && attribute.ns === '') return attribute.value;
  return undefined;
}

/** The value of `xml:lang` (RFC 6120 §4.7.4, RFC 6120 §8.1.5). */
export function langValue(attributes: readonly Attribute[]): string | undefined {
  for (const attribute of attributes) {
    if (attribute.name === 'lang' && attribute.ns === xmlNamespace) return attribute.value;
  }
  return undefined;
}

/** The declarations around a frame. */
interface FrameContext extends NamespaceContext {
  /** The language of a frame without `xml:lang`. */
  readonly lang?: string | undefined;
}

/** One complete and validated element directly inside a stream: a stanza or an element of negotiation. */
export class Frame {
  readonly name: string;
  readonly ns: string;
  /** In document order, without namespace declarations. */
  readonly attributes: readonly Attribute[];
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  readonly #index: FrameIndex;
  readonly #context: FrameContext;
  #payload: Payload | undefined;

  constructor(bytes: Buffer, start: number, end: number, index: FrameIndex, context: FrameContext) {
    this.name = index.name;
    this.ns = index.ns;
    this.attributes = index.attributes;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#index = index;
    this.#context = context;
  }

  get byteLength(): number {
    return this.#end - this.#start;
  }

  /** Its `xml:lang`, or that of its stream. It must be written on the next stream, which may have another (RFC 6120 §8.1.5). */
  get lang(): string | undefined {
    return langValue(this.attributes) ?? this.#context.lang;
  }

  /** The content. The bytes as received, if they mean the same anywhere. */
  get payload(): Payload {
    this.#payload ??= this.#makePayload();
    return this.#payload;
  }

  /** The value of an attribute without a namespace. */
  attribute(name: string): string | undefined {
    return attributeValue(this.attributes, name);
  }

  /** The frame as an independent tree. */
  element(): Element {
    return readElement(this.#bytes.subarray(this.#start, this.#end), unlimited, this.#context);
  }

  #makePayload(): Payload {
    const { portable, payloadStart, payloadEnd, children } = this.#index;
    if (payloadStart === payloadEnd) return Payload.empty;
    if (!portable) return portablePayload(this.element(), this.#context.defaultNs);
    return new Payload(this.#bytes.subarray(this.#start + payloadStart, this.#start + payloadEnd), children);
  }
}
