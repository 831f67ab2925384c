import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { Mailboxes } from '../../src/routing/mailboxes.ts';

describe('mailboxes', () => {
  const address = Jid.parse('romeo@capulet.example/desk');
  const other = Jid.parse('romeo@capulet.example/other');
  const message = Stanza.message({ to: address, id: 'answer' });

  it('take the messages to their address that they want, and nothing else', () => {
    const mailboxes = new Mailboxes();
    const seen: Stanza[] = [];
    const take = (stanza: Stanza) => seen.push(stanza) > 0 && stanza.id === 'answer';
    expect(mailboxes.has(address)).to.equal(false);
    expect(mailboxes.take(message, address)).to.equal(false);
    expect(mailboxes.open(address, take)).to.equal(true);
    expect([mailboxes.has(address), mailboxes.has(other), mailboxes.has(address.bare())]).to.deep.equal([
      true,
      false,
      false,
    ]);
    expect(mailboxes.take(message, address)).to.equal(true);
    expect(mailboxes.take(message, other)).to.equal(false);
    expect(mailboxes.take(Stanza.message({ to: address, id: 'chat' }), address)).to.equal(false);
    expect(mailboxes.take(Stanza.presence({ to: address, id: 'answer' }), address)).to.equal(false);
    expect(seen.map(({ id }) => id)).to.deep.equal(['answer', 'chat']);
  });

  it('belong to one at a time', () => {
    const mailboxes = new Mailboxes();
    const take = () => true;
    mailboxes.open(address, take);
    expect(mailboxes.open(address, take)).to.equal(false);
    mailboxes.close(address);
    expect(mailboxes.take(message, address)).to.equal(false);
    expect(mailboxes.open(address, take)).to.equal(true);
  });
});
