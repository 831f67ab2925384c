import { expect } from 'chai';
import { serialize } from '../../../src/browser/chat/element.ts';
import { takePresence, takeRoster } from '../../../src/browser/chat/presence.ts';
import { takeMessage } from '../../../src/browser/chat/receive.ts';
import { takeHandledRetractions } from '../../../src/browser/chat/retractions.ts';
import {
  addMessage,
  type ChatState,
  conversationWith,
  emptyState,
  type Message,
  restoreState,
  saveState,
} from '../../../src/browser/chat/state.ts';
import { readXml } from './read-xml.ts';

const amp = 'http://jabber.org/protocol/amp';
const room = 'verona@conference.localhost';

describe('What the chat page makes of stanzas', () => {
  let state: ChatState;

  beforeEach(() => {
    state = { ...emptyState(), me: 'romeo@localhost' };
    takeRoster(
      state,
      readXml(
        '<query xmlns="jabber:iq:roster"><item jid="juliet@localhost" subscription="both" name="Juliet"/></query>',
      ),
      true,
    );
  });

  const arrival = { nowMs: 1000, origins: ['https://localhost'], open: undefined };
  const takes = (
    text: string,
    more: { readonly archiveId?: string; readonly nowMs?: number; readonly open?: string } = {},
  ) => takeMessage(state, readXml(text), { ...arrival, ...more }).map((answer) => serialize(answer));
  const texts = (jid: string) => state.conversations.get(jid)?.messages.map(({ text }) => text);
  const chat = (from: string, body: string, more = '') =>
    `<message type="chat" from="${from}" to="romeo@localhost" id="m"><body>${body}</body>${more}</message>`;
  const sent = (id: string): Message => {
    const message: Message = {
      ...{ id, archiveId: undefined, from: state.me, mine: true, text: id, file: undefined, atMs: 500 },
      ...{ rules: [], progress: 'sending', outcomes: [] },
    };
    addMessage(conversationWith(state, 'juliet@localhost'), message);
    return message;
  };

  it('shows a message, counts it as unread, and confirms it if asked to (XEP-0184)', () => {
    const answers = takes(chat('juliet@localhost/phone', 'hark', '<request xmlns="urn:xmpp:receipts"/>'));
    expect(texts('juliet@localhost')).to.deep.equal(['hark']);
    expect(state.conversations.get('juliet@localhost')?.unread).to.equal(1);
    expect(answers).to.have.length(1);
    expect(answers[0])
      .to.contain('<received xmlns="urn:xmpp:receipts" id="m"/>')
      .and.contain('to="juliet@localhost/phone"');
  });

  it('counts nothing as unread in the conversation that is open', () => {
    takes(chat('juliet@localhost/phone', 'hark'), { open: 'juliet@localhost' });
    expect(state.conversations.get('juliet@localhost')?.unread).to.equal(0);
  });

  it('shows a message once, though the archive has it, too', () => {
    const id = '<stanza-id xmlns="urn:xmpp:sid:0" by="romeo@localhost" id="s1"/>';
    takes(chat('juliet@localhost/phone', 'hark', id));
    expect(state.newest).to.equal('s1');
    expect(takes(chat('juliet@localhost/phone', 'hark'), { archiveId: 's1' })).to.deep.equal([]);
    expect(texts('juliet@localhost')).to.deep.equal(['hark']);
  });

  it('puts older messages of the archive before those that are here', () => {
    takes(chat('juliet@localhost/phone', 'late'));
    takes(chat('juliet@localhost/phone', 'early').replace('id="m"', 'id="n"'), { archiveId: 's0', nowMs: 10 });
    expect(texts('juliet@localhost')).to.deep.equal(['early', 'late']);
    expect(state.conversations.get('juliet@localhost')?.unread).to.equal(1);
  });

  it('knows a message of its own again in the archive, and completes it', () => {
    const message = sent('mine');
    takes(
      '<message type="chat" from="romeo@localhost/chat" to="juliet@localhost" id="mine"><body>mine</body></message>',
      {
        archiveId: 's7',
      },
    );
    expect(texts('juliet@localhost')).to.deep.equal(['mine']);
    expect([message.archiveId, message.progress]).to.deep.equal(['s7', 'sent']);
  });

  const carbon = (from: string) =>
    `<message from="${from}" to="romeo@localhost/chat"><sent xmlns="urn:xmpp:carbons:2"><forwarded xmlns="urn:xmpp:forward:0">` +
    '<message xmlns="jabber:client" type="chat" from="romeo@localhost/phone" to="juliet@localhost" id="c"><body>from my phone</body></message>' +
    '</forwarded></sent></message>';

  it('shows what the user has sent from another device (XEP-0280)', () => {
    takes(carbon('romeo@localhost'));
    expect(state.conversations.get('juliet@localhost')?.messages[0]).to.include({ mine: true, text: 'from my phone' });
  });

  it('believes copies only from its own server (XEP-0280 §11)', () => {
    takes(carbon('mallory@localhost/x'));
    expect(state.conversations.size).to.equal(0);
  });

  it('notes that a message was received', () => {
    const message = sent('r');
    takes('<message from="juliet@localhost/phone" type="chat"><received xmlns="urn:xmpp:receipts" id="r"/></message>');
    expect(message.progress).to.equal('received');
  });

  const report = (status: string) =>
    `<message from="localhost" id="a"><amp xmlns="${amp}" status="${status}" from="romeo@localhost/chat" to="juliet@localhost">` +
    `<rule action="${status}" condition="deliver" value="stored"/></amp></message>`;

  it('shows what became of a message with rules beside it, once', () => {
    const message = sent('a');
    takes(report('notify'));
    takes(report('notify'));
    expect(message.outcomes).to.deep.equal([{ text: 'Stored until Juliet is online.', bad: false }]);
    takes(report('alert'));
    expect([message.progress, message.outcomes.length]).to.deep.equal(['failed', 2]);
  });

  it('believes reports of the servers on the way, and of nobody else', () => {
    const message = sent('a');
    takes(report('notify').replace('from="localhost"', 'from="mallory@localhost"'));
    takes(report('notify').replace('from="localhost"', 'from="elsewhere.example"'));
    expect(message.outcomes).to.deep.equal([]);
  });

  it('shows that the server has refused the rules of a message', () => {
    const message = sent('i');
    takes(
      `<message type="error" from="localhost" id="i"><amp xmlns="${amp}"/><error type="modify"><not-acceptable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/><invalid-rules xmlns="${amp}"/></error></message>`,
    );
    expect([message.progress, message.outcomes.length]).to.deep.equal(['failed', 1]);
  });

  it('shows why a message was refused', () => {
    const message = sent('e');
    takes(
      '<message type="error" from="juliet@localhost" id="e"><error type="cancel"><service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></message>',
    );
    expect(message.progress).to.equal('failed');
    expect(message.outcomes[0]?.bad).to.equal(true);
  });

  const refusal = (id: string) =>
    `<message type="error" from="juliet@localhost" id="${id}"><error type="cancel"><service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></message>`;

  it('shows why a message was not taken back (XEP-0424)', () => {
    const message = sent('here');
    message.progress = 'sent';
    message.retraction = 'r';
    takes(refusal('r').replace('from="juliet@localhost"', 'from="mallory@localhost"'));
    expect(message.outcomes).to.deep.equal([]);
    takes(refusal('r'));
    expect(message.outcomes.map(({ text }) => text)).to.deep.equal([
      'Not removed: this address does not take the message.',
    ]);
    expect(message).to.include({ text: 'here', progress: 'sent' }).and.not.have.property('retraction');
  });

  it('shows that others may still have a message that its server has taken back', () => {
    const message = sent('gone');
    message.retraction = 'r';
    takeHandledRetractions(conversationWith(state, 'juliet@localhost'), ['r']);
    expect(message).to.include({ isRetracted: true, text: '' });
    takes(refusal('r'));
    expect(message.outcomes.map(({ text }) => text)).to.deep.equal([
      'Removed here, but Juliet may still have it: this address does not take the message.',
    ]);
  });

  it('shows pictures only of the server, and only if the text is nothing but their address', () => {
    const url = 'https://localhost/files/x/rose.png';
    const oob = (address: string) => `<x xmlns="jabber:x:oob"><url>${address}</url></x>`;
    takes(chat('juliet@localhost', url, oob(url)));
    takes(chat('juliet@localhost', 'look', oob(url)).replace('id="m"', 'id="n"'));
    takes(chat('juliet@localhost', 'javascript:x', oob('javascript:x')).replace('id="m"', 'id="o"'));
    const [picture, ...others] = state.conversations.get('juliet@localhost')?.messages ?? [];
    expect(picture?.file).to.deep.equal({ url, name: 'rose.png', picture: true });
    expect(others.map(({ file }) => file)).to.deep.equal([undefined, undefined]);
  });

  it('shows when a contact writes (XEP-0085)', () => {
    conversationWith(state, 'juliet@localhost');
    const composing = (name: string) =>
      `<message type="chat" from="juliet@localhost/phone"><${name} xmlns="http://jabber.org/protocol/chatstates"/></message>`;
    takes(composing('composing'));
    expect(state.conversations.get('juliet@localhost')?.composing).to.equal(true);
    takes(composing('paused'));
    expect(state.conversations.get('juliet@localhost')?.composing).to.equal(false);
  });

  it('keeps requests of strangers until they are answered', () => {
    takePresence(state, readXml('<presence type="subscribe" from="tybalt@localhost"/>'));
    expect([...state.requests]).to.deep.equal(['tybalt@localhost']);
    takeRoster(
      state,
      readXml('<query xmlns="jabber:iq:roster"><item jid="tybalt@localhost" subscription="from"/></query>'),
      false,
    );
    expect(state.requests.size).to.equal(0);
  });

  it('shows invitations to rooms (XEP-0045 §7.8.2, XEP-0249)', () => {
    const user = 'http://jabber.org/protocol/muc#user';
    takes(
      `<message from="${room}"><x xmlns="${user}"><invite from="juliet@localhost"><reason>come</reason></invite></x></message>`,
    );
    takes(
      `<message from="juliet@localhost/phone"><x xmlns="jabber:x:conference" jid="other@conference.localhost"/></message>`,
    );
    expect([...state.invitations.values()]).to.deep.equal([
      { room, from: 'juliet@localhost', reason: 'come' },
      { room: 'other@conference.localhost', from: 'juliet@localhost', reason: '' },
    ]);
  });

  describe('in a room', () => {
    const user = 'http://jabber.org/protocol/muc#user';
    const occupant = (nick: string, more = '', type = '') =>
      `<presence from="${room}/${nick}"${type}><x xmlns="${user}"><item affiliation="none" role="participant"/>${more}</x></presence>`;
    const here = '<status code="110"/>';
    const says = (nick: string, body: string, id: string) =>
      `<message type="groupchat" from="${room}/${nick}" id="${id}"><body>${body}</body></message>`;

    beforeEach(() => {
      const entering = {
        nick: 'romeo',
        state: 'entering' as const,
        problem: undefined,
        subject: '',
        occupants: new Map(),
      };
      state.conversations.set(room, { ...conversationWith(state, room), room: entering });
      takePresence(state, readXml(occupant('juliet')));
      takePresence(state, readXml(occupant('romeo', here)));
    });
    const inside = () => state.conversations.get(room)?.room;

    it('knows who is there, and what is said', () => {
      expect([inside()?.state, [...(inside()?.occupants.keys() ?? [])]]).to.deep.equal(['inside', ['juliet', 'romeo']]);
      takes(says('juliet', 'hark', '1'));
      takes(`<message type="groupchat" from="${room}/juliet"><subject>Masks</subject></message>`);
      expect(texts(room)).to.deep.equal(['hark']);
      expect(inside()?.subject).to.equal('Masks');
      takePresence(state, readXml(occupant('juliet', '', ' type="unavailable"')));
      expect([...(inside()?.occupants.keys() ?? [])]).to.deep.equal(['romeo']);
    });

    it('takes the reflection of its own message as its confirmation', () => {
      const conversation = conversationWith(state, room);
      const message: Message = { ...sent('x'), from: 'romeo' };
      addMessage(conversation, message);
      takes(says('romeo', 'x', 'x'));
      expect([texts(room), message.progress]).to.deep.equal([['x'], 'sent']);
    });

    it('is outside after it was removed, or was not let in', () => {
      takePresence(state, readXml(occupant('romeo', `${here}<status code="307"/>`, ' type="unavailable"')));
      expect([inside()?.state, inside()?.problem]).to.deep.equal(['outside', 'You were removed from this room.']);
      const refused = `<presence type="error" from="${room}/romeo"><error type="auth"><registration-required xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></presence>`;
      takePresence(state, readXml(refused));
      expect(inside()?.problem).to.equal('This room is for members only.');
    });
  });

  it('is the same after a reload of the page, as far as it is kept', () => {
    for (let number = 0; number < 120; number++) sent(`m${number}`);
    const conversation = conversationWith(state, 'juliet@localhost');
    conversation.history = 'all';
    state.requests.add('tybalt@localhost');
    takePresence(state, readXml('<presence from="juliet@localhost/phone"/>'));
    const restored = restoreState(saveState(state));
    expect(restored.contacts.get('juliet@localhost')?.devices.get('phone')).to.deep.equal({ show: '', priority: 0 });
    expect([...restored.requests]).to.deep.equal(['tybalt@localhost']);
    const kept = restored.conversations.get('juliet@localhost');
    expect([kept?.messages.length, kept?.messages.at(-1)?.id, kept?.history]).to.deep.equal([100, 'm119', 'some']);
  });
});
