import { expect } from 'chai';
import { serialize } from '../../../src/browser/chat/element.ts';
import { takeMark } from '../../../src/browser/chat/read-marks.ts';
import { takeMessage } from '../../../src/browser/chat/receive.ts';
import { isRetractable } from '../../../src/browser/chat/retractions.ts';
import { Sender } from '../../../src/browser/chat/sender.ts';
import {
  type ChatState,
  type Conversation,
  conversationWith,
  emptyState,
  type Message,
} from '../../../src/browser/chat/state.ts';
import { canSendAgain, countUnsent, loseUnsent, undeliveredIn } from '../../../src/browser/chat/undelivered.ts';
import { readXml } from './read-xml.ts';

const juliet = 'juliet@localhost';
const noon = Date.parse('2026-01-01T12:00:00Z');

describe('Messages of the chat page that were not delivered', () => {
  let state: ChatState;
  let conversation: Conversation;
  let stanzas: string[];
  let sender: Sender;

  beforeEach(() => {
    state = { ...emptyState(), me: 'romeo@localhost' };
    conversation = conversationWith(state, juliet);
    stanzas = [];
    sender = new Sender({
      session: { send: (stanza) => void stanzas.push(serialize(stanza)) },
      state,
      origins: [],
      upload: () => Promise.reject(new Error('no uploads here')),
      changed: () => undefined,
    });
  });

  const takes = (text: string, archiveId?: string) =>
    takeMessage(state, readXml(text), {
      nowMs: noon,
      origins: [],
      open: undefined,
      ...(archiveId !== undefined && { archiveId }),
    });
  const refuse = (id: string) =>
    takes(
      `<message type="error" from="${juliet}" id="${id}"><error type="wait"><resource-constraint xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></message>`,
    );
  const last = (): Message => {
    const message = conversation.messages.at(-1);
    if (!message) throw new Error('there are no messages');
    return message;
  };
  const withoutId = (stanza: string | undefined, { id }: { readonly id: string }) => stanza?.replace(id, 'ID');

  it('are sent again with the same text, rules and device, and with another id after a refusal', () => {
    const rules = [{ condition: 'deliver', value: 'stored', action: 'error' }];
    sender.say(conversation, 'hark', { rules, device: 'phone' });
    const first = { ...last() };
    refuse(first.id);
    expect(last().outcomes.map(({ text }) => text)).to.deep.equal([
      'Not delivered: the server has no room for it now.',
    ]);
    sender.say(conversation, 'another');
    const [message = last()] = conversation.messages;
    expect(canSendAgain(message, noon)).to.equal(true);
    sender.sendAgain(conversation, message);
    expect(last()).to.equal(message);
    expect(message).to.include({ progress: 'sending', text: 'hark' }).and.not.include({ id: first.id });
    expect(message.outcomes).to.deep.equal([]);
    expect(withoutId(stanzas[2], message)).to.equal(withoutId(stanzas[0], first));
    expect(canSendAgain(message, noon)).to.equal(false);
    // The archive may have the refused one.
    takes(
      `<message type="chat" from="romeo@localhost/x" to="${juliet}" id="${first.id}"><body>hark</body></message>`,
      'a1',
    );
    expect(conversation.messages).to.have.length(2);
  });

  it('are sent again with the same id if the server may have them', () => {
    sender.say(conversation, 'hark');
    const { id } = last();
    loseUnsent(state);
    expect(last().progress).to.equal('lost');
    sender.sendAgain(conversation, last());
    expect(last()).to.include({ id, progress: 'sending' });
    expect(stanzas[1]).to.equal(stanzas[0]);
  });

  it('are sent when the archive has them, or the contact says so', () => {
    const inArchive = (id: string) =>
      takes(`<message type="chat" from="romeo@localhost/x" to="${juliet}" id="${id}"><body>hark</body></message>`, id);
    const receipt = (id: string) =>
      takes(`<message from="${juliet}/x" type="chat"><received xmlns="urn:xmpp:receipts" id="${id}"/></message>`);
    for (const [arrives, progress] of [
      [inArchive, 'sent'],
      [receipt, 'received'],
    ] as const) {
      sender.say(conversation, 'hark');
      loseUnsent(state);
      arrives(last().id);
      expect(last().progress).to.equal(progress);
    }
  });

  it('are not read when a later message is', () => {
    sender.say(conversation, 'lost');
    loseUnsent(state);
    sender.say(conversation, 'read');
    takeMark(
      conversation,
      readXml(`<message><displayed xmlns="urn:xmpp:chat-markers:0" id="${last().id}"/></message>`),
      false,
    );
    expect(conversation.messages.map(({ progress }) => progress)).to.deep.equal(['lost', 'read']);
  });

  it('are corrected again if only the correction was refused, and else sent as a whole', () => {
    const replaces = 'urn:xmpp:message-correct:0';
    for (const refused of ['correction', 'message'] as const) {
      sender.say(conversation, 'hark');
      const message = last();
      const { id } = message;
      message.progress = 'sent';
      sender.correct(conversation, message, 'hark!');
      refuse(refused === 'message' ? id : (message.correction?.id ?? ''));
      sender.sendAgain(conversation, message);
      const stanza = stanzas.at(-1);
      expect(stanza).to.contain('<body>hark!</body>');
      expect(stanza?.includes(`<replace xmlns="${replaces}" id="${id}"/>`)).to.equal(refused === 'correction');
      expect(message.id === id).to.equal(refused === 'correction');
    }
  });

  it('are not sent again when a rule says that it is too late', () => {
    const until = (value: string, action = 'drop') => {
      sender.say(conversation, 'hark', { rules: [{ condition: 'expire-at', value, action }] });
      refuse(last().id);
      return canSendAgain(last(), noon);
    };
    expect(until('2026-01-01T12:00:01Z')).to.equal(true);
    expect(until('2026-01-01T12:00:00Z')).to.equal(false);
    expect(until('2026-01-01T12:00:00Z', 'notify')).to.equal(true);
  });

  it('are what is kept of a session that has ended for good', () => {
    conversationWith(state, 'tybalt@localhost');
    sender.say(conversation, 'sent');
    last().progress = 'sent';
    sender.say(conversation, 'refused');
    refuse(last().id);
    sender.say(conversation, 'lost');
    conversation.history = 'all';
    expect(countUnsent(state)).to.equal(1);
    loseUnsent(state);
    expect(countUnsent(state)).to.equal(1);
    const kept = [...undeliveredIn(state).values()];
    expect(kept.map(({ jid, history }) => [jid, history])).to.deep.equal([[juliet, 'none']]);
    expect(kept[0]?.messages.map(({ text }) => text)).to.deep.equal(['refused', 'lost']);
  });

  it('cannot be taken back, unlike each message of the user that was sent', () => {
    for (const text of ['one', 'two']) {
      sender.say(conversation, text);
      expect(isRetractable(conversation, last())).to.equal(false);
      last().progress = 'read';
    }
    expect(conversation.messages.map((message) => isRetractable(conversation, message))).to.deep.equal([true, true]);
    sender.retract(conversation, last());
    expect(isRetractable(conversation, last())).to.equal(false);
    expect(last().isRetracted).to.equal(undefined);
  });

  it('cannot be taken back in a room by another person with the same nickname', () => {
    const room = { nick: 'romeo', state: 'inside', problem: undefined, subject: '', occupants: new Map() } as const;
    const inRoom = { ...conversation, room: { ...room, occupantId: 'mine' } };
    sender.say(conversation, 'hark');
    const message: Message = { ...last(), progress: 'sent', archiveId: 'a' };
    expect(isRetractable(inRoom, { ...message, author: 'mine' })).to.equal(true);
    expect(isRetractable(inRoom, { ...message, author: 'other' })).to.equal(false);
    expect(isRetractable(inRoom, { ...message, archiveId: undefined })).to.equal(false);
  });
});
