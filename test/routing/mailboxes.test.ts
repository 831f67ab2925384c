import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { Mailboxes } from '../../src/routing/mailboxes.ts';

describe('mailboxes', () => {
  const address = Jid.parse('capulet.example/desk');
  const message = Stanza.message({ to: address });

  it('take the messages that come to their address, and nothing else', async () => {
    const mailboxes = new Mailboxes();
    const taken: Stanza[] = [];
    expect(mailboxes.at(address)).to.equal(undefined);
    expect(mailboxes.open(address, (stanza) => taken.push(stanza))).to.equal(true);
    expect(mailboxes.at(Jid.parse('capulet.example/other'))).to.equal(undefined);
    const departure = { failed: () => undefined };
    mailboxes.at(address)?.send(message, departure);
    mailboxes.at(address)?.send(Stanza.presence({ to: address }), departure);
    expect(taken).to.deep.equal([message]);
  });

  it('belong to one at a time', () => {
    const mailboxes = new Mailboxes();
    mailboxes.open(address, () => {});
    expect(mailboxes.open(address, () => {})).to.equal(false);
    mailboxes.close(address);
    expect(mailboxes.at(address)).to.equal(undefined);
    expect(mailboxes.open(address, () => {})).to.equal(true);
  });
});
