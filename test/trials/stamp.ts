import type { Extension } from '../../src/routing/extension.ts';
import { isFirstJourney } from '../../src/routing/passage.ts';
import { xml } from '../../src/xml/element.ts';

/** Puts a stanza-id (XEP-0359) on every new message, and has its sender's acknowledgment wait until `written` resolves. */
export function stamp(written: () => Promise<void>): Extension {
  let last = 0;
  return {
    name: 'trial-stamp',
    claims: [],
    record: (passage) => {
      if (!isFirstJourney(passage)) return undefined;
      last += 1;
      const id = String(last);
      const element = xml('stanza-id', { xmlns: 'urn:xmpp:sid:0', by: passage.recipient.bare().toString(), id });
      return {
        stamp: (message) => message.with({ payload: message.payload.with(element) }),
        durable: written(),
      };
    },
  };
}
