import { domainOrNothing } from '../protocol/jid-or-nothing.ts';
import { ns } from '../protocol/namespaces.ts';
import { StreamError } from '../protocol/stream-error.ts';
import { escapeAttribute } from '../xml/escape.ts';
import type { Frame } from '../xml/frame.ts';
import { ownLanguage } from '../xml/stream-header.ts';
import type { StreamHeader } from '../xml/stream-reader.ts';

/** What flows on a stream: the stanzas of clients or those of servers (RFC 6120 §4.8.2). */
type ContentNs = typeof ns.client | typeof ns.server;

/** Throws the stream error for a header no such stream can begin with (RFC 6120 §4.7, §4.8). */
export function checkHeader(header: StreamHeader, contentNs: ContentNs = ns.client): void {
  if (header.ns !== ns.stream) throw StreamError.invalidNamespace(`the stream namespace is ${ns.stream}`);
  if (header.prefixes.get('stream') !== ns.stream)
    throw StreamError.badNamespacePrefix("the stream prefix is 'stream'");
  if (header.name !== 'stream') throw StreamError.badFormat('the root element is <stream:stream/>');
  if (header.defaultNs !== contentNs) throw StreamError.invalidNamespace(`the content namespace is ${contentNs}`);
  // RFC 6120 §4.7.5: leading zeros do not count.
  if (!/^0*[1-9]\d*\.\d+$/.test(header.attribute('version') ?? '')) {
    throw StreamError.unsupportedVersion("the 'version' is 1.0");
  }
}

/** What a header says of its stream. */
interface HeaderAttributes {
  /** Only whoever answers gives the stream its id (RFC 6120 §4.7.3). */
  readonly id?: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly contentNs?: ContentNs;
}

/** The header with which the server opens its side (RFC 6120 §4.7); between servers it declares dialback (XEP-0220 §2.4.1). */
export function headerText({ id, from, to, contentNs = ns.client }: HeaderAttributes): string {
  const dialback = contentNs === ns.server ? ` xmlns:db="${ns.dialback}"` : '';
  return (
    `<?xml version='1.0'?><stream:stream xmlns="${contentNs}" xmlns:stream="${ns.stream}"${dialback}` +
    `${attributeText('id', id)}${attributeText('from', from)}${attributeText('to', to)} version="1.0" xml:lang="${ownLanguage}">`
  );
}

function attributeText(name: string, value: string | undefined): string {
  return value === undefined ? '' : ` ${name}="${escapeAttribute(value)}"`;
}

/** The domain that a header's 'to' names, if it is one of ours. */
export function localDomain(to: string, isLocal: (domain: string) => boolean): string | undefined {
  const domain = domainOrNothing(to);
  return domain !== undefined && isLocal(domain) ? domain : undefined;
}

/** RFC 6120 §4.9.1.1: the client has found something wrong and closes. */
export function isStreamError(frame: Frame): boolean {
  return frame.ns === ns.stream && frame.name === 'error';
}
