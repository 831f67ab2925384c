import { expect } from 'chai';
import { correctable } from '../../../src/browser/chat/corrections.ts';
import { takeMessage } from '../../../src/browser/chat/receive.ts';
import { type ChatState, conversationWith, emptyState } from '../../../src/browser/chat/state.ts';
import { readXml } from './read-xml.ts';

const juliet = 'juliet@localhost';
const room = 'verona@conference.localhost';

describe('Corrections in the chat page (XEP-0308)', () => {
  let state: ChatState;

  beforeEach(() => {
    state = { ...emptyState(), me: 'romeo@localhost' };
  });

  const takes = (text: string, more: { readonly archiveId?: string; readonly nowMs?: number } = {}) =>
    takeMessage(state, readXml(text), { nowMs: 1000, origins: [], open: undefined, ...more });
  const replace = (id: string) => `<replace xmlns="urn:xmpp:message-correct:0" id="${id}"/>`;
  const chat = (id: string, body: string, more = '', from = `${juliet}/phone`) =>
    `<message type="chat" from="${from}" to="romeo@localhost" id="${id}"><body>${body}</body>${more}</message>`;
  const said = (jid = juliet) => state.conversations.get(jid)?.messages.map(({ text }) => text);

  it('take the place of their message, which stays one message and is counted as unread once', () => {
    takes(chat('1', 'Wherfore'));
    takes(chat('2', 'art thou'));
    takes(chat('3', 'Wherefore', replace('1')), { nowMs: 2000 });
    takes(chat('4', 'Wherefore!', replace('1')), { nowMs: 3000 });
    expect(said()).to.deep.equal(['Wherefore!', 'art thou']);
    const conversation = conversationWith(state, juliet);
    expect(conversation.unread).to.equal(2);
    expect(conversation.messages.map(({ correction }) => correction?.id)).to.deep.equal(['4', undefined]);
  });

  it('are confirmed like other messages', () => {
    takes(chat('1', 'Wherfore'));
    const answers = takes(chat('2', 'Wherefore', `${replace('1')}<request xmlns="urn:xmpp:receipts"/>`));
    expect(answers).to.have.length(1);
  });

  it('change nothing that somebody else has written', () => {
    takes(chat('1', 'from Juliet'));
    takes(chat('2', 'not from Juliet', replace('1'), 'tybalt@localhost/phone'));
    expect([said(), said('tybalt@localhost')]).to.deep.equal([['from Juliet'], ['not from Juliet']]);
  });

  it('may come from the archive before their message, and an old one after a new one', () => {
    takes(chat('3', 'newest', replace('1')), { archiveId: 'c', nowMs: 3000 });
    expect(said()).to.deep.equal(['newest']);
    takes(chat('1', 'first'), { archiveId: 'a', nowMs: 1000 });
    takes(chat('2', 'second', replace('1')), { archiveId: 'b', nowMs: 2000 });
    expect(said()).to.deep.equal(['newest']);
    expect(conversationWith(state, juliet).messages[0]?.atMs).to.equal(1000);
  });

  it('are possible for the last text of the user, unless it was refused or went out with rules', () => {
    const mine = (id: string, more = '') =>
      `<message type="chat" from="romeo@localhost/phone" to="${juliet}" id="${id}"><body>${id}</body>${more}</message>`;
    const conversation = conversationWith(state, juliet);
    expect(correctable(conversation)).to.equal(undefined);
    takes(mine('a'), { archiveId: '1' });
    takes(mine('b'), { archiveId: '2', nowMs: 2000 });
    takes(chat('x', 'hers'), { nowMs: 3000 });
    expect(correctable(conversation)?.id).to.equal('b');
    const rule = '<rule condition="deliver" value="stored" action="drop"/>';
    takes(mine('c', `<amp xmlns="http://jabber.org/protocol/amp">${rule}</amp>`), { archiveId: '3', nowMs: 4000 });
    expect(correctable(conversation)).to.equal(undefined);
  });

  describe('in a room', () => {
    const says = (nick: string, id: string, body: string, occupant: string, more = '') =>
      `<message type="groupchat" from="${room}/${nick}" id="${id}"><body>${body}</body>` +
      `<occupant-id xmlns="urn:xmpp:occupant-id:0" id="${occupant}"/>${more}</message>`;

    beforeEach(() => {
      const entered = {
        nick: 'romeo',
        state: 'inside',
        problem: undefined,
        subject: '',
        occupants: new Map(),
      } as const;
      state.conversations.set(room, { ...conversationWith(state, room), room: { ...entered } });
    });

    it('belong to an occupant, not to a nickname (XEP-0421)', () => {
      takes(says('nurse', '1', 'from the nurse', 'N'));
      takes(says('nurse', '2', 'from somebody who took her name', 'T', replace('1')), { nowMs: 2000 });
      takes(says('nurse', '3', 'from the nurse again', 'N', replace('1')), { nowMs: 3000 });
      expect(said(room)).to.deep.equal(['from the nurse again', 'from somebody who took her name']);
    });

    it('of the user are confirmed by their reflection', () => {
      takes(says('romeo', '1', 'a mask', 'R'));
      const [message] = conversationWith(state, room).messages;
      Object.assign(message ?? {}, { correction: { id: '2', atMs: 5000 }, text: 'a mask!', progress: 'sending' });
      takes(says('romeo', '2', 'a mask!', 'R', replace('1')), { nowMs: 4000 });
      expect([said(room), message?.progress]).to.deep.equal([['a mask!'], 'sent']);
    });
  });
});
