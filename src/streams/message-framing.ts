import { ns } from '../protocol/namespaces.ts';
import { StreamError } from '../protocol/stream-error.ts';
import { xml } from '../xml/element.ts';
import { serialize } from '../xml/serialize.ts';
import { ownLanguage } from '../xml/stream-header.ts';
import type { Framing } from './framing.ts';
import { MessageReader } from './message-reader.ts';

/** A client's stream in messages, each of which is a whole element that declares its namespace (RFC 7395 §3.3). */
export const messageFraming: Framing = {
  reader: (handler, limits) => new MessageReader(handler, limits),
  check(header) {
    if (header.ns !== ns.framing) throw StreamError.invalidNamespace(`the namespace of the framing is ${ns.framing}`);
    if (header.name !== 'open') throw StreamError.badFormat('a stream begins with <open/>');
    if (header.attribute('version') !== '1.0') throw StreamError.unsupportedVersion("the 'version' must be 1.0");
  },
  // Strophe looks for the text "<open " and for "<close ".
  open: ({ id, from, to }) =>
    serialize(xml('open', { xmlns: ns.framing, id, from, to, version: '1.0', 'xml:lang': ownLanguage })),
  element: (element) => serialize(element),
  writeStanza: (connection, stanza) => connection.write(stanza.head(ns.client), stanza.payload.bytes, stanza.tail()),
  close: () => serialize(xml('close', { xmlns: ns.framing })),
};
