import { expect } from 'chai';
import {
  isArchivable,
  isOnlyChatState,
  isQuiet,
  isWorthNotifying,
  type MessageKind,
  messageKind,
} from '../../src/protocol/message-kind.ts';
import { readStanza } from './read-stanza.ts';

const body = '<body>hi</body>';
const composing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
const received = "<received xmlns='urn:xmpp:receipts' id='1'/>";
const displayed = "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>";
const reactions = "<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>+</reaction></reactions>";
const retract = "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>";
const replace = "<replace xmlns='urn:xmpp:message-correct:0' id='1'/>";
const fastening = "<apply-to xmlns='urn:xmpp:fasten:0' id='1'/>";
const invite = "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b'/></x>";
const occupant = "<x xmlns='http://jabber.org/protocol/muc#user'/>";
const directInvitation = "<x xmlns='jabber:x:conference' jid='room@b'/>";
const propose = "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>";
const originId = "<origin-id xmlns='urn:xmpp:sid:0' id='1'/>";
const thread = '<thread>1</thread>';
const rules =
  "<amp xmlns='http://jabber.org/protocol/amp'><rule action='drop' condition='deliver' value='stored'/></amp>";
const report = "<amp xmlns='http://jabber.org/protocol/amp' status='notify'/>";
const hint = (name: string) => `<${name} xmlns='urn:xmpp:hints'/>`;

function read(children: string, attributes = "type='chat'") {
  return readStanza(`<message from='romeo@montague.example/garden' ${attributes}>${children}</message>`);
}

describe('the kind of a message', () => {
  const table: readonly [children: string, kind: MessageKind][] = [
    ['', 'other'],
    [body, 'text'],
    ['<subject>hi</subject>', 'text'],
    ["<body xmlns='urn:other'/>", 'other'],
    ["<encrypted xmlns='eu.siacs.conversations.axolotl'/>", 'text'],
    ["<encrypted xmlns='urn:xmpp:omemo:1'/>", 'text'],
    ["<encrypted xmlns='urn:xmpp:omemo:2'/>", 'text'],
    ["<openpgp xmlns='urn:xmpp:openpgp:0'>x</openpgp>", 'text'],
    ["<x xmlns='jabber:x:encrypted'>x</x>", 'text'],
    ["<encryption xmlns='urn:xmpp:eme:0' namespace='urn:other'/>", 'text'],
    [propose, 'call'],
    ["<invite xmlns='urn:xmpp:call-invites:0'/>", 'call'],
    [directInvitation, 'invitation'],
    [invite, 'invitation'],
    [occupant, 'other'],
    [reactions, 'change'],
    [retract, 'change'],
    [replace, 'change'],
    [fastening, 'change'],
    [received, 'receipt'],
    ["<request xmlns='urn:xmpp:receipts'/>", 'receipt'],
    [displayed, 'receipt'],
    ["<markable xmlns='urn:xmpp:chat-markers:0'/>", 'receipt'],
    [composing, 'chat-state'],
    [thread + originId + rules + hint('store'), 'other'],
    // The most important element decides, wherever it stands.
    [composing + body, 'text'],
    [body + composing + received, 'text'],
    [received + composing, 'receipt'],
    [composing + received, 'receipt'],
    [displayed + reactions, 'change'],
    [replace + body, 'text'],
    [originId + composing, 'chat-state'],
    [`<x xmlns='urn:other'>${body}</x>`, 'other'],
  ];
  for (const [children, kind] of table) {
    it(`is '${kind}' for '${children}'`, () => expect(messageKind(read(children).payload)).to.equal(kind));
  }
});

describe('a mere chat state', () => {
  const table: readonly [children: string, only: boolean][] = [
    [composing, true],
    [composing + thread + rules + hint('no-store'), true],
    [composing + body, false],
    [composing + originId, false],
    [composing + received, false],
    [thread, false],
    ['', false],
  ];
  for (const [children, only] of table) {
    it(`is ${only ? '' : 'not '}'${children}'`, () => expect(isOnlyChatState(read(children).payload)).to.equal(only));
  }
});

describe('a quiet message', () => {
  const table: readonly [children: string, quiet: boolean][] = [
    [composing, true],
    [composing + originId, true],
    [received, true],
    [displayed + thread + originId + hint('store'), true],
    [reactions, true],
    [retract, true],
    [fastening, true],
    [received + body, false],
    [retract + body, false],
    [replace + body, false],
    [received + occupant, false],
    [`${received}<data xmlns='urn:other'/>`, false],
    [propose, false],
    [invite, false],
    [originId, false],
    ['', false],
  ];
  for (const [children, quiet] of table) {
    it(`is ${quiet ? '' : 'not '}'${children}'`, () => expect(isQuiet(read(children).payload)).to.equal(quiet));
  }
});

describe('what is worth a notification (XEP-0357 §7)', () => {
  const table: readonly [attributes: string, children: string, worth: boolean][] = [
    ["type='chat'", body, true],
    ['', body, true],
    ["type='chat'", composing + body, true],
    ["type='chat'", "<encrypted xmlns='eu.siacs.conversations.axolotl'/>", true],
    ["type='chat'", "<encrypted xmlns='urn:xmpp:omemo:2'/>", true],
    ['', directInvitation, true],
    ['', invite, true],
    ["type='chat'", propose, true],
    ['', "<invite xmlns='urn:xmpp:call-invites:0'/>", true],
    ["type='chat'", "<retract xmlns='urn:xmpp:jingle-message:0' id='1'/>", false],
    ["type='chat'", "<proceed xmlns='urn:xmpp:jingle-message:0' id='1'/>", false],
    ["type='chat'", composing, false],
    ["type='chat'", received, false],
    ["type='chat'", displayed, false],
    ["type='chat'", reactions, false],
    ["type='chat'", '', false],
    ["type='error'", body, false],
    ["type='headline'", body, false],
    ["type='groupchat'", body, true],
    ["type='groupchat'", "<encrypted xmlns='urn:xmpp:omemo:2'/>", true],
    ["type='groupchat'", '<subject>hi</subject>', false],
    ["type='groupchat'", '<subject/>', false],
    ["type='groupchat'", `<subject>hi</subject>${body}`, true],
    ["type='groupchat'", composing, false],
  ];
  for (const [attributes, children, worth] of table) {
    it(`is ${worth ? '' : 'not '}<message ${attributes}>${children}`, () => {
      expect(isWorthNotifying(read(children, attributes))).to.equal(worth);
    });
  }
});

describe('what an archive keeps (XEP-0313 §6.1.1)', () => {
  const table: readonly [attributes: string, children: string, kept: boolean][] = [
    ["type='chat'", body, true],
    ["type='normal'", body, true],
    ['', body, true],
    ["type='unknown'", body, true],
    ["type='groupchat'", body, false],
    ["type='headline'", body, false],
    ["type='error'", body, false],
    ["type='error'", body + hint('store'), false],
    ["type='chat'", body + hint('no-store'), false],
    ["type='chat'", body + hint('no-permanent-store'), false],
    ["type='chat'", body + hint('no-store') + hint('store'), false],
    ["type='chat'", body + hint('no-copy'), true],
    ["type='chat'", hint('store'), true],
    ["type='chat'", composing + hint('store'), true],
    ["type='chat'", composing, false],
    ["type='chat'", composing + originId, false],
    ["type='chat'", '', false],
    ["type='chat'", originId, false],
    ["type='normal'", received, true],
    ["type='normal'", displayed, true],
    ["type='normal'", reactions, true],
    ["type='normal'", propose, true],
    ["type='normal'", invite, true],
    ["type='chat'", body + rules, true],
    ["type='chat'", `${body}<delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25Z'/>`, true],
  ];
  for (const [attributes, children, kept] of table) {
    it(`${kept ? 'has' : 'has not'} <message ${attributes}>${children}`, () => {
      expect(isArchivable(read(children, attributes))).to.equal(kept);
    });
  }

  it('has no receipts and markers if they are not wanted', () => {
    const kept = (children: string) => isArchivable(read(children, "type='chat'"), { receipts: false });
    expect([received, displayed, displayed + originId].map(kept)).to.deep.equal([false, false, false]);
    expect([body + received, received + hint('store'), reactions, propose].map(kept)).to.deep.equal([
      ...[true, true, true, true],
    ]);
  });

  it('has no report of a server, but all that a user calls one', () => {
    const from = (address: string) => readStanza(`<message from='${address}' type='chat'>${body}${report}</message>`);
    expect(isArchivable(from('montague.example'))).to.equal(false);
    expect(isArchivable(from('romeo@montague.example/garden'))).to.equal(true);
    expect(isArchivable(from('montague.example/gateway'))).to.equal(true);
  });
});
