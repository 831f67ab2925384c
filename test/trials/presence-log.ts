import type { Extension } from '../../src/routing/extension.ts';
import { xml } from '../../src/xml/element.ts';

/** Writes down the presence that accounts send and get, and adds a mark to what they send. */
export function presenceLog(log: string[]): Extension {
  const mark = xml('mark', { xmlns: 'urn:example:mark' });
  return {
    name: 'trial-presence',
    claims: [],
    presence: {
      announced: (session, _presence, initial) =>
        void log.push(`${session.jid.local} announces ${initial ? 'first' : 'again'}`),
      arrived: (_presence, from, account) => void log.push(`${account.jid.local} hears of ${from.local}`),
      dress: (presence) => presence.with({ payload: presence.payload.with(mark) }),
    },
  };
}
