import { domainOrNothing } from '../protocol/jid-or-nothing.ts';
import { ns } from '../protocol/namespaces.ts';
import { StreamError } from '../protocol/stream-error.ts';
import { escapeAttribute } from '../xml/escape.ts';
import type { Frame } from '../xml/frame.ts';
import { ownLanguage } from '../xml/stream-header.ts';
import type { StreamHeader } from '../xml/stream-reader.ts';

/** The content namespace of a stream: clients, servers (RFC 6120 §4.8.2) or components (XEP-0114 §3). */
export type ContentNs = typeof ns.client | typeof ns.server | typeof ns.componentAccept;

/** Throws StreamError if a stream of this kind cannot begin with the header (RFC 6120 §4.7, §4.8). */
export function checkHeader(header: StreamHeader, contentNs: ContentNs = ns.client): void {
  if (header.ns !== ns.stream) throw StreamError.invalidNamespace(`the stream namespace must be ${ns.stream}`);
  // Components do not follow this rule, and send no version (XEP-0114 §3).
  const strict = contentNs !== ns.componentAccept;
  if (strict && header.prefixes.get('stream') !== ns.stream) {
    throw StreamError.badNamespacePrefix("the stream prefix must be 'stream'");
  }
  if (strict && header.name !== 'stream') throw StreamError.badFormat('the root element must be <stream:stream/>');
  if (header.defaultNs !== contentNs) throw StreamError.invalidNamespace(`the content namespace must be ${contentNs}`);
  if (strict) checkVersion(header);
}

/** RFC 6120 §4.7.5: leading zeros do not count. */
function checkVersion(header: StreamHeader): void {
  if (/^0*[1-9]\d*\.\d+$/.test(header.attribute('version') ?? '')) return;
  throw StreamError.unsupportedVersion("the 'version' must be 1.0");
}

/** The attributes of a header that we send. */
export interface HeaderAttributes {
  /** Only the receiving side sets the stream id (RFC 6120 §4.7.3). */
  readonly id?: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/**
 * The header with which the server opens its side (RFC 6120 §4.7). Between servers it declares dialback (XEP-0220 §2.4.1);
 * to a component it gives no version, so that no stream features are expected (XEP-0114 §3).
 */
export function headerText({ id, from, to }: HeaderAttributes, contentNs: ContentNs = ns.client): string {
  const version = contentNs === ns.componentAccept ? '' : ` version="1.0" xml:lang="${ownLanguage}"`;
  const dialback = contentNs === ns.server ? ` xmlns:db="${ns.dialback}"` : '';
  return (
    `<?xml version='1.0'?><stream:stream xmlns="${contentNs}" xmlns:stream="${ns.stream}"${dialback}` +
    `${attributeText('id', id)}${attributeText('from', from)}${attributeText('to', to)}${version}>`
  );
}

function attributeText(name: string, value: string | undefined): string {
  return value === undefined ? '' : ` ${name}="${escapeAttribute(value)}"`;
}

/** The domain in a header's 'to', if it is local. */
export function localDomain(to: string, isLocal: (domain: string) => boolean): string | undefined {
  const domain = domainOrNothing(to);
  return domain !== undefined && isLocal(domain) ? domain : undefined;
}

/** RFC 6120 §4.9.1.1: the peer reports a stream error and closes. */
export function isStreamError(frame: Frame): boolean {
  return frame.ns === ns.stream && frame.name === 'error';
}
