import { attribute, type Element } from '../xml/element.ts';
import { Jid, JidError } from './jid.ts';
import { StanzaError } from './stanza-error.ts';

/** The 'jid' of an `<item/>` in a client's list. Throws the stanza error if it is missing or malformed. */
export function itemJid(item: Element): Jid {
  const text = attribute(item, 'jid');
  if (text === undefined) throw StanzaError.badRequest("an item needs a 'jid'");
  try {
    return Jid.parse(text);
  } catch (error) {
    if (error instanceof JidError) throw StanzaError.jidMalformed(error.message);
    throw error;
  }
}
