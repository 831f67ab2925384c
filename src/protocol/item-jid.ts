import { attribute, type Element } from '../xml/element.ts';
import { Jid, JidError } from './jid.ts';
import { StanzaError } from './stanza-error.ts';

/** The address that an `<item/>` of a client's list is about; throws the error for none, or for one that is none. */
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
