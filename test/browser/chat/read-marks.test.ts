import { expect } from 'chai';
import { takeEvent } from '../../../src/browser/chat/events.ts';
import { firstUnread } from '../../../src/browser/chat/read-marks.ts';
import { takeMessage } from '../../../src/browser/chat/receive.ts';
import { type ChatState, conversationWith, emptyState } from '../../../src/browser/chat/state.ts';
import { readXml } from './read-xml.ts';

const juliet = 'juliet@localhost';
const me = 'romeo@localhost';

describe('What the chat page knows of what was read and taken back', () => {
  let state: ChatState;

  beforeEach(() => {
    state = { ...emptyState(), me };
  });

  const conversation = () => conversationWith(state, juliet);
  const takes = (from: string, to: string, id: string, content = `<body>${id}</body>`) =>
    takeMessage(state, readXml(`<message type="chat" from="${from}/x" to="${to}" id="${id}">${content}</message>`), {
      ...{ nowMs: 1000 + conversation().messages.length, origins: [], open: undefined },
    });
  const hears = (id: string) =>
    takes(juliet, me, id, `<body>${id}</body><stanza-id xmlns="urn:xmpp:sid:0" by="${me}" id="a-${id}"/>`);
  const says = (id: string) => takes(me, juliet, id);
  const marker = (id: string) => `<displayed xmlns="urn:xmpp:chat-markers:0" id="${id}"/>`;
  const progress = () => conversation().messages.map((message) => message.progress);
  const event = (from: string, readId: string) => {
    const displayed = `<displayed xmlns="urn:xmpp:mds:displayed:0"><stanza-id xmlns="urn:xmpp:sid:0" by="${me}" id="${readId}"/></displayed>`;
    const items = `<items node="urn:xmpp:mds:displayed:0"><item id="${juliet}">${displayed}</item></items>`;
    takeEvent(
      state,
      readXml(
        `<message from="${from}"><event xmlns="http://jabber.org/protocol/pubsub#event">${items}</event></message>`,
      ),
    );
  };

  it('has what is new after the last message that another device has read (XEP-0490)', () => {
    for (const id of ['1', '2', '3']) hears(id);
    expect([conversation().unread, firstUnread(conversation())?.id]).to.deep.equal([3, '1']);
    event(me, 'a-2');
    expect([conversation().unread, firstUnread(conversation())?.id]).to.deep.equal([1, '3']);
    event(juliet, 'a-3');
    expect(conversation().unread).to.equal(1);
  });

  it('has nothing new after an answer of the user', () => {
    hears('1');
    says('2');
    expect([conversation().unread, firstUnread(conversation())]).to.deep.equal([0, undefined]);
  });

  it('shows that a contact has read a message, and those before it (XEP-0333)', () => {
    for (const id of ['1', '2', '3']) says(id);
    takes(juliet, me, 'm', marker('2'));
    expect(progress()).to.deep.equal(['read', 'read', 'sent']);
    takes(me, juliet, 'n', marker('3'));
    expect(progress()).to.deep.equal(['read', 'read', 'sent']);
  });

  it('takes messages back for their authors only (XEP-0424)', () => {
    hears('1');
    const retraction = '<retract xmlns="urn:xmpp:message-retract:1" id="1"/><body>This person has taken back</body>';
    takes(me, juliet, '2', retraction);
    expect(conversation().messages.map(({ text }) => text)).to.deep.equal(['1']);
    takes(juliet, me, '3', retraction);
    expect(conversation().messages.map(({ text, isRetracted }) => [text, isRetracted])).to.deep.equal([['', true]]);
    takes(juliet, me, '4', '<body>new</body><replace xmlns="urn:xmpp:message-correct:0" id="1"/>');
    expect(conversation().messages[0]?.text).to.equal('');
  });

  it('shows what an archive has in the place of a message that was taken back', () => {
    takes(juliet, me, '1', '<retracted xmlns="urn:xmpp:message-retract:1" stamp="2026-01-01T00:00:00Z"/>');
    expect(conversation().messages.map(({ isRetracted }) => isRetracted)).to.deep.equal([true]);
  });
});
