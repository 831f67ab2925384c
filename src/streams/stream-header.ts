import { JidError, prepareDomain } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import { StreamError } from '../protocol/stream-error.ts';
import { escapeAttribute } from '../xml/escape.ts';
import type { Frame } from '../xml/frame.ts';
import type { StreamHeader } from '../xml/stream-reader.ts';

/** Throws the stream error for a header no client stream can begin with (RFC 6120 §4.7, §4.8). */
export function checkHeader(header: StreamHeader): void {
  if (header.ns !== ns.stream) throw StreamError.invalidNamespace(`the stream namespace is ${ns.stream}`);
  if (header.prefixes.get('stream') !== ns.stream)
    throw StreamError.badNamespacePrefix("the stream prefix is 'stream'");
  if (header.name !== 'stream') throw StreamError.badFormat('the root element is <stream:stream/>');
  if (header.defaultNs !== ns.client) throw StreamError.invalidNamespace(`the content namespace is ${ns.client}`);
  // RFC 6120 §4.7.5: leading zeros do not count.
  if (!/^0*[1-9]\d*\.\d+$/.test(header.attribute('version') ?? '')) {
    throw StreamError.unsupportedVersion("the 'version' is 1.0");
  }
}

/** The header with which the server opens its side (RFC 6120 §4.7). */
export function headerText(attributes: { id: string; from: string | undefined; to: string | undefined }): string {
  const from = attributes.from === undefined ? '' : ` from="${escapeAttribute(attributes.from)}"`;
  const to = attributes.to === undefined ? '' : ` to="${escapeAttribute(attributes.to)}"`;
  return (
    `<?xml version='1.0'?><stream:stream xmlns="${ns.client}" xmlns:stream="${ns.stream}"` +
    ` id="${attributes.id}"${from}${to} version="1.0" xml:lang="en">`
  );
}

/** The domain that a header's 'to' names, if it is one of ours. */
export function localDomain(to: string, isLocal: (domain: string) => boolean): string | undefined {
  try {
    const domain = prepareDomain(to);
    return isLocal(domain) ? domain : undefined;
  } catch (error) {
    if (error instanceof JidError) return undefined;
    throw error;
  }
}

/** RFC 6120 §4.9.1.1: the client has found something wrong and closes. */
export function isStreamError(frame: Frame): boolean {
  return frame.ns === ns.stream && frame.name === 'error';
}
