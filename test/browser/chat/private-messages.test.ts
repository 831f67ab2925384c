import { expect } from 'chai';
import { takePresence } from '../../../src/browser/chat/presence.ts';
import { takeMessage } from '../../../src/browser/chat/receive.ts';
import { type ChatState, conversationWith, emptyState, nameOf, roomAround } from '../../../src/browser/chat/state.ts';
import { readXml } from './read-xml.ts';

const room = 'verona@conference.localhost';
const juliet = `${room}/juliet`;

describe('Private messages in rooms in the chat page (XEP-0045 §7.5)', () => {
  let state: ChatState;

  beforeEach(() => {
    state = { ...emptyState(), me: 'romeo@localhost' };
    const inside = { nick: 'romeo', state: 'inside', problem: undefined, subject: '', occupants: new Map() } as const;
    state.conversations.set(room, { ...conversationWith(state, room), room: { ...inside } });
  });

  const takes = (text: string) => takeMessage(state, readXml(text), { nowMs: 1, origins: [], open: undefined });
  const whisper = (from: string, to: string, id: string) =>
    `<message type="chat" from="${from}" to="${to}" id="${id}"><body>${id}</body><x xmlns="http://jabber.org/protocol/muc#user"/></message>`;
  const texts = (jid: string) => state.conversations.get(jid)?.messages.map(({ text, mine }) => [text, mine]);

  it('have a conversation for each occupant, with the nickname as its name', () => {
    takes(whisper(juliet, 'romeo@localhost/chat', 'psst'));
    takes(whisper(`${room}/tybalt`, 'romeo@localhost/chat', 'you!'));
    takes(whisper('romeo@localhost/phone', juliet, 'what?'));
    expect(texts(juliet)).to.deep.equal([
      ['psst', false],
      ['what?', true],
    ]);
    expect([texts(`${room}/tybalt`), texts(room)]).to.deep.equal([[['you!', false]], []]);
    expect([nameOf(state, juliet), roomAround(state, juliet)?.jid]).to.deep.equal(['juliet', room]);
    const unread = [`${room}/tybalt`, juliet].map((jid) => state.conversations.get(jid)?.unread);
    expect(unread, 'answers are to what was read').to.deep.equal([1, 0]);
  });

  it('show that they were not delivered', () => {
    takes(whisper('romeo@localhost/chat', juliet, 'too late'));
    const gone = '<item-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>';
    takes(`<message type="error" from="${juliet}" id="too late"><error type="cancel">${gone}</error></message>`);
    expect(state.conversations.get(juliet)?.messages[0]?.progress).to.equal('failed');
  });

  it('leave contacts with more than one device alone', () => {
    takes(whisper('juliet@localhost/phone', 'romeo@localhost', 'one'));
    takes(whisper('juliet@localhost/desk', 'romeo@localhost', 'two'));
    expect(texts('juliet@localhost')).to.have.length(2);
    takePresence(state, readXml('<presence from="juliet@localhost/phone"/>'));
    expect(roomAround(state, 'juliet@localhost/phone')).to.equal(undefined);
  });
});
