import { expect } from 'chai';
import { takeEvent } from '../../../src/browser/chat/events.ts';
import { takeRoster } from '../../../src/browser/chat/presence.ts';
import { type ChatState, emptyState, nameOf } from '../../../src/browser/chat/state.ts';
import { readXml } from './read-xml.ts';

const nick = 'http://jabber.org/protocol/nick';
const metadata = 'urn:xmpp:avatar:metadata';

describe('What contacts say of themselves in the chat page (XEP-0163)', () => {
  let state: ChatState;

  beforeEach(() => {
    state = { ...emptyState(), me: 'romeo@localhost' };
    const items = '<item jid="juliet@localhost" subscription="both"/><item jid="nurse@localhost" name="Nurse"/>';
    takeRoster(state, readXml(`<query xmlns="jabber:iq:roster">${items}</query>`), true);
  });

  const takes = (from: string, node: string, payload: string) =>
    takeEvent(
      state,
      readXml(
        `<message type="headline" from="${from}"><event xmlns="http://jabber.org/protocol/pubsub#event"><items node="${node}"><item id="1">${payload}</item></items></event></message>`,
      ),
    );
  const named = (name: string) => `<nick xmlns="${nick}">${name}</nick>`;
  const pictured = (id: string) =>
    `<metadata xmlns="${metadata}">${id === '' ? '' : `<info id="${id}" bytes="1"/>`}</metadata>`;

  it('gives those a name whom the user has given none', () => {
    expect(takes('juliet@localhost', nick, named(' Juliet Capulet '))).to.equal(true);
    takes('nurse@localhost', nick, named('Angelica'));
    takes('romeo@localhost', nick, named('Romeo'));
    const names = ['juliet@localhost', 'nurse@localhost', 'romeo@localhost'].map((jid) => nameOf(state, jid));
    expect(names).to.deep.equal(['Juliet Capulet', 'Nurse', 'You']);
    takes('juliet@localhost', nick, named(''));
    expect(nameOf(state, 'juliet@localhost')).to.equal('juliet');
  });

  it('knows the picture of each, until it is removed', () => {
    takes('juliet@localhost', metadata, pictured('abc'));
    expect([...state.pictures]).to.deep.equal([['juliet@localhost', 'abc']]);
    takes('juliet@localhost', metadata, pictured(''));
    expect(state.pictures.size).to.equal(0);
  });

  it('believes nobody else', () => {
    takes('mallory@localhost', nick, named('Juliet'));
    takes('juliet@localhost/phone', nick, named('Mallory'));
    expect(state.names.size).to.equal(0);
    expect(takeEvent(state, readXml('<message from="juliet@localhost"><body>hark</body></message>'))).to.equal(false);
  });
});
