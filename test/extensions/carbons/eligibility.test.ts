import { expect } from 'chai';
import { isEligible } from '../../../src/extensions/carbons/eligibility.ts';
import { readStanza } from '../../protocol/read-stanza.ts';

const body = '<body>hi</body>';
const typing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
const receipt = "<received xmlns='urn:xmpp:receipts' id='1'/>";
const marker = "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>";
const directInvitation = "<x xmlns='jabber:x:conference' jid='room@b'/>";
const mediatedInvitation = "<x xmlns='http://jabber.org/protocol/muc#user'><invite to='a@b'/></x>";
const encrypted = "<encrypted xmlns='urn:xmpp:omemo:2'/>";
const propose = "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>";
const event = "<event xmlns='http://jabber.org/protocol/pubsub#event'/>";
const noCopy = "<no-copy xmlns='urn:xmpp:hints'/>";
const isPrivate = "<private xmlns='urn:xmpp:carbons:2'/>";

describe('messages that are copied (XEP-0280 §6.1)', () => {
  const table: readonly [type: string, children: string, eligible: boolean][] = [
    ['chat', body, true],
    ['chat', '', true],
    ['chat', typing, true],
    ['chat', event, true],
    ['normal', body, true],
    ['normal', '', false],
    ['normal', '<subject>hi</subject>', true],
    ['normal', '<thread>hi</thread>', false],
    ['normal', event, false],
    ['normal', "<body xmlns='urn:other'/>", false],
    ['normal', typing, true],
    ['normal', receipt, true],
    ['normal', marker, true],
    ['normal', directInvitation, true],
    ['normal', mediatedInvitation, true],
    ['normal', "<x xmlns='http://jabber.org/protocol/muc#user'/>", false],
    ['normal', encrypted, true],
    ['normal', propose, true],
    ['unknown', body, true],
    ['unknown', event, false],
    ['headline', body, false],
    ['headline', event, false],
    ['headline', body + receipt, true],
    ['headline', body + typing, true],
    ['headline', body + marker, true],
    ['headline', body + directInvitation, true],
    ['groupchat', body, false],
    ['groupchat', body + receipt + marker + typing + directInvitation, false],
    ['error', body, false],
    ['error', receipt, false],
    // XEP-0280 §9, XEP-0334 §4.3.
    ['chat', body + isPrivate + noCopy, false],
    ['chat', body + isPrivate, false],
    ['chat', body + noCopy, false],
    ['normal', receipt + isPrivate, false],
    ['chat', `${body}<private xmlns='urn:other'/><no-copy/>`, true],
    ['chat', `${body}<x xmlns='urn:x'>${isPrivate}</x>`, true],
  ];
  for (const [type, children, eligible] of table) {
    it(`${eligible ? 'has' : 'has not'} <message type='${type}'>${children}`, () => {
      expect(isEligible(readStanza(`<message type='${type}'>${children}</message>`))).to.equal(eligible);
    });
  }

  it('counts a message without a type as normal (RFC 6121 §5.2.2)', () => {
    expect(isEligible(readStanza(`<message>${body}</message>`))).to.equal(true);
    expect(isEligible(readStanza(`<message>${event}</message>`))).to.equal(false);
  });
});
