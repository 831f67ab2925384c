import { ns } from '../../protocol/namespaces.ts';
import { xml } from '../../xml/element.ts';
import { escapeAttribute } from '../../xml/escape.ts';
import { attributeValue, langValue } from '../../xml/frame.ts';
import { parseWrapper, type Wrapper } from '../../xml/parse-wrapper.ts';
import { serialize } from '../../xml/serialize.ts';
import type { XmlLimits } from '../../xml/xml-limits.ts';

/** The body of a request (XEP-0124 §6). */
export interface BoshRequest {
  readonly rid: number;
  /** Absent if the request asks for a session. */
  readonly sid: string | undefined;
  /** Bytes of the body. */
  readonly bytes: number;
  /** The parts of the stream in it, as messages of RFC 7395. */
  readonly messages: readonly Buffer[];
  /** Whether the client only asks for what the server has to say. */
  readonly empty: boolean;
  readonly terminate: boolean;
  /** The seconds without a request that the client asks for (XEP-0124 §10). */
  readonly pauseSeconds: number | undefined;
  /** The id of the last request of which the client has the answer. */
  readonly ack: number | undefined;
  /** An attribute without a namespace. */
  readonly attribute: (name: string) => string | undefined;
}

/** The answer to a request. */
export interface BoshAnswer {
  readonly status: number;
  /** One `<body/>`. */
  readonly body: Buffer;
}

/** Reads the body of a request. Undefined if its start tag is wrong or has no usable `rid` (XEP-0124 §17.2, `bad-request`). */
export function readRequest(bytes: Buffer, limits: XmlLimits): BoshRequest | undefined {
  const wrapper = wrapperOf(bytes, limits);
  if (wrapper?.ns !== ns.httpBind || wrapper.name !== 'body') return undefined;
  const attribute = (name: string) => attributeValue(wrapper.attributes, name);
  const rid = wholeNumber(attribute('rid'));
  if (rid === undefined || rid === 0) return undefined;
  const sid = attribute('sid');
  const opens = sid === undefined || isTrue(ofXmpp(wrapper, 'restart'));
  const terminate = attribute('type') === 'terminate';
  const pauseSeconds = wholeNumber(attribute('pause'));
  // The stream reads a body with a fault as a whole, and ends with the error that fits.
  const content = wrapper.fault ? [bytes] : wrapper.children;
  return {
    rid,
    sid,
    bytes: bytes.length,
    messages: [...(opens ? [openMessage(wrapper)] : []), ...content, ...(terminate ? [closeMessage] : [])],
    empty: content.length === 0 && !opens && !terminate && pauseSeconds === undefined,
    terminate,
    pauseSeconds,
    ack: wholeNumber(attribute('ack')),
    attribute,
  };
}

/** The id of the session to which the first bytes of a body belong, if they contain its start tag. */
export function sessionOf(bytes: Buffer, limits: XmlLimits): string | undefined {
  const wrapper = wrapperOf(bytes, limits);
  return wrapper && attributeValue(wrapper.attributes, 'sid');
}

/** A `<body/>` with these attributes and parts of a stream. */
export function answerText(
  attributes: Readonly<Record<string, string | undefined>>,
  parts: readonly Buffer[] = [],
): Buffer {
  let tag = `<body xmlns="${ns.httpBind}"`;
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) tag += ` ${name}="${escapeAttribute(value)}"`;
  }
  if (parts.length === 0) return Buffer.from(`${tag}/>`);
  // XEP-0206 §3 demands the declaration on this element.
  return Buffer.concat([Buffer.from(`${tag} xmlns:stream="${ns.stream}">`), ...parts, Buffer.from('</body>')]);
}

/** The number in an attribute. */
export function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

const closeMessage = Buffer.from(serialize(xml('close', { xmlns: ns.framing })));

/** The header of the stream (XEP-0206 §3, §5) as the message that stands for it elsewhere. */
function openMessage(wrapper: Wrapper): Buffer {
  const { attributes } = wrapper;
  const open = xml('open', {
    xmlns: ns.framing,
    to: attributeValue(attributes, 'to'),
    from: attributeValue(attributes, 'from'),
    // Some clients leave it out.
    version: ofXmpp(wrapper, 'version') ?? '1.0',
    'xml:lang': langValue(attributes),
  });
  return Buffer.from(serialize(open));
}

function wrapperOf(bytes: Buffer, limits: XmlLimits): Wrapper | undefined {
  try {
    return parseWrapper(bytes, limits);
  } catch {
    return undefined;
  }
}

function ofXmpp({ attributes }: Wrapper, name: string): string | undefined {
  return attributes.find((attribute) => attribute.name === name && attribute.ns === ns.xmppBosh)?.value;
}

function isTrue(text: string | undefined): boolean {
  return text === 'true' || text === '1';
}
