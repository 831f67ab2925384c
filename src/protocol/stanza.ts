import { Buffer } from 'node:buffer';
import { type Element, xml } from '../xml/element.ts';
import { escapeAttribute } from '../xml/escape.ts';
import type { Attribute, Frame } from '../xml/frame.ts';
import { Payload } from '../xml/payload.ts';
import { Jid, JidError } from './jid.ts';
import { ns } from './namespaces.ts';
import { StanzaError } from './stanza-error.ts';
import { StreamError } from './stream-error.ts';

/** The three kinds of stanza, RFC 6120 §8. */
export type StanzaKind = 'message' | 'presence' | 'iq';

/** An attribute of a start tag that RFC 6120 does not define: name and value. */
type ExtraAttribute = readonly [name: string, value: string];

/** The attributes common to all stanzas, RFC 6120 §8.1. */
export interface StanzaAttributes {
  readonly from?: Jid | undefined;
  readonly to?: Jid | undefined;
  readonly id?: string | undefined;
  readonly type?: string | undefined;
  readonly lang?: string | undefined;
}

/** The fields that `Stanza.with` can replace. A field given as undefined is removed. */
interface StanzaChanges extends StanzaAttributes {
  readonly payload?: Payload;
}

const tails = { message: '</message>', presence: '</presence>', iq: '</iq>' } as const;

function attributeText(name: string, value: string | undefined): string {
  if (value === undefined) return '';
  return ` ${name}="${escapeAttribute(value)}"`;
}

/** A stanza whose 'to' or 'from' is not a JID. */
export class MalformedAddress extends StanzaError {
  readonly attribute: 'from' | 'to';

  constructor(attribute: 'from' | 'to') {
    super('jid-malformed', { text: `'${attribute}' is not a valid JID` });
    this.name = 'MalformedAddress';
    this.attribute = attribute;
  }
}

function parseAddress(attribute: 'from' | 'to', value: string): Jid {
  try {
    return Jid.parse(value);
  } catch (error) {
    if (error instanceof JidError) throw new MalformedAddress(attribute);
    throw error;
  }
}

function kindOf(frame: Frame): StanzaKind {
  const { name } = frame;
  if (name !== 'message' && name !== 'presence' && name !== 'iq') {
    throw StreamError.unsupportedStanzaType(`<${name}/> is not a stanza`);
  }
  if (frame.ns !== ns.client && frame.ns !== ns.server && frame.ns !== ns.componentAccept) {
    throw StreamError.unsupportedStanzaType(`<${name}/> is not in a content namespace`);
  }
  return name;
}

/** The attributes of a start tag, collected in one pass. All instances have one shape. */
class StartTag implements StanzaAttributes {
  from: Jid | undefined = undefined;
  to: Jid | undefined = undefined;
  id: string | undefined = undefined;
  type: string | undefined = undefined;
  readonly lang: string | undefined;
  extra: ExtraAttribute[] | undefined = undefined;

  constructor(frame: Frame) {
    this.lang = frame.lang;
    for (const attribute of frame.attributes) this.#read(attribute);
  }

  #read(attribute: Attribute): void {
    // A prefixed attribute (`x:from`) is never an address or an id, and its prefix would not be bound on the next stream.
    if (attribute.ns !== '') return;
    const { value } = attribute;
    if (attribute.name === 'to') this.to = parseAddress('to', value);
    else if (attribute.name === 'from') this.from = parseAddress('from', value);
    else if (attribute.name === 'id') this.id = value;
    else if (attribute.name === 'type') this.type = value;
    else {
      this.extra ??= [];
      this.extra.push([attribute.name, value]);
    }
  }
}

/**
 * A message, presence or iq: the attributes of its start tag and the bytes of its content. Immutable.
 * Attributes RFC 6120 does not define are kept if they have no namespace and dropped if they have one.
 */
export class Stanza implements StanzaAttributes {
  readonly kind: StanzaKind;
  readonly from: Jid | undefined;
  readonly to: Jid | undefined;
  readonly id: string | undefined;
  readonly type: string | undefined;
  readonly lang: string | undefined;
  readonly payload: Payload;
  readonly extra: readonly ExtraAttribute[] | undefined;

  constructor(kind: StanzaKind, attributes: StanzaAttributes, payload: Payload, extra?: readonly ExtraAttribute[]) {
    this.kind = kind;
    this.from = attributes.from;
    this.to = attributes.to;
    this.id = attributes.id;
    this.type = attributes.type;
    this.lang = attributes.lang;
    this.payload = payload;
    this.extra = extra;
  }

  /** The stanza in a frame. Throws `MalformedAddress`, or the `StreamError` of RFC 6120 §4.9.3.24 if it is not a stanza. */
  static fromFrame(frame: Frame): Stanza {
    const kind = kindOf(frame);
    const tag = new StartTag(frame);
    return new Stanza(kind, tag, frame.payload, tag.extra);
  }

  /** A message made by the server. */
  static message(attributes: StanzaAttributes, ...children: Element[]): Stanza {
    return new Stanza('message', attributes, Payload.of(...children));
  }

  /** A presence made by the server. */
  static presence(attributes: StanzaAttributes, ...children: Element[]): Stanza {
    return new Stanza('presence', attributes, Payload.of(...children));
  }

  /** An iq made by the server. */
  static iq(attributes: StanzaAttributes, ...children: Element[]): Stanza {
    return new Stanza('iq', attributes, Payload.of(...children));
  }

  /** The same stanza with these fields replaced. */
  with(changes: StanzaChanges): Stanza {
    const attributes = {
      from: 'from' in changes ? changes.from : this.from,
      to: 'to' in changes ? changes.to : this.to,
      id: 'id' in changes ? changes.id : this.id,
      type: 'type' in changes ? changes.type : this.type,
      lang: 'lang' in changes ? changes.lang : this.lang,
    };
    return new Stanza(this.kind, attributes, changes.payload ?? this.payload, this.extra);
  }

  /** The same stanza from this sender, with this content. Every stanza of a client comes here, and {@link with} takes longer. */
  sentBy(from: Jid, payload: Payload): Stanza {
    const { to, id, type, lang } = this;
    return new Stanza(this.kind, { from, to, id, type, lang }, payload, this.extra);
  }

  /** The start tag, with `/>` if there is no content. `xmlns` is written if no stream declares it (RFC 7395 §3.3.3). */
  head(xmlns?: string): string {
    let text = `<${this.kind}`;
    if (xmlns !== undefined) text += attributeText('xmlns', xmlns);
    if (this.from !== undefined) text += ` from="${this.from.escaped}"`;
    if (this.to !== undefined) text += ` to="${this.to.escaped}"`;
    text += attributeText('id', this.id) + attributeText('type', this.type) + attributeText('xml:lang', this.lang);
    if (this.extra !== undefined) for (const [name, value] of this.extra) text += attributeText(name, value);
    return this.payload.bytes.length === 0 ? `${text}/>` : `${text}>`;
  }

  /** The end tag, '' if there is no content. */
  tail(): string {
    return this.payload.bytes.length === 0 ? '' : tails[this.kind];
  }

  /** The whole stanza as written to a stream. A writer that joins many uses `head`, `payload.bytes` and `tail` instead. */
  toBytes(xmlns?: string): Buffer {
    const head = this.head(xmlns);
    const { bytes } = this.payload;
    const tail = this.tail();
    const headLength = Buffer.byteLength(head);
    const whole = Buffer.allocUnsafe(headLength + bytes.length + tail.length);
    whole.write(head, 0, 'utf8');
    if (bytes.length > 0) {
      whole.set(bytes, headLength);
      whole.write(tail, headLength + bytes.length, 'latin1');
    }
    return whole;
  }

  /** The whole stanza as text, for people and tests. */
  toString(): string {
    return `${this.head()}${this.payload.bytes}${this.tail()}`;
  }

  /** The stanza as a tree in `jabber:client`, whatever the stream, for use inside other elements. */
  element(): Element {
    const { from, to, id, type, lang } = this;
    const attributes = { xmlns: ns.client, from: from?.toString(), to: to?.toString(), id, type, 'xml:lang': lang };
    return xml(this.kind, { ...attributes, ...Object.fromEntries(this.extra ?? []) }, ...this.payload.elements());
  }
}
