import { expect } from 'chai';
import { conversationWith, nameOf } from '../../../src/browser/chat/state.ts';
import { type Account, Stage } from '../../support/conversation.ts';
import { ChatClient } from './chat-client.ts';

const here = [{ host: '127.0.0.1', port: 0 }];

describe('The client of the chat page', () => {
  const stage = new Stage({
    settings: {
      listen: { c2s: here, c2sTls: here, components: [], http: here },
      authentication: { scramIterations: 4096 },
      storage: { quickCheck: false, ballastBytes: 0 },
      limits: { disabled: true },
      s2s: { enabled: false },
    },
  });
  const logIn = (account: Account) => ChatClient.login(stage.server, account);

  async function contacts(): Promise<{ romeo: Account; juliet: Account }> {
    const [romeo, juliet] = [await stage.account('romeo'), await stage.account('juliet')];
    await using one = await logIn(romeo);
    await using other = await logIn(juliet);
    await one.client.contacts.add(juliet.jid);
    await other.until(() => other.client.state.requests.has(romeo.jid));
    await other.client.contacts.add(romeo.jid);
    for (const [tab, { jid }] of [
      [one, juliet],
      [other, romeo],
    ] as const) {
      await tab.until(() => tab.client.state.contacts.get(jid)?.subscription === 'both');
    }
    return { romeo, juliet };
  }

  it('writes to an occupant of a room in private, and finds that in the archive (XEP-0045 §7.5)', async () => {
    const [romeo, juliet] = [await stage.account('romeo'), await stage.account('juliet')];
    const room = `verona-${romeo.local}@conference.localhost`;
    await using one = await logIn(romeo);
    await using other = await logIn(juliet);
    await one.enters(room, 1);
    await other.enters(room, 2);
    one.say(one.client.whisper(room, juliet.local), 'psst');
    await other.message(`${room}/${romeo.local}`, 'psst');
    await one.message(`${room}/${juliet.local}`, 'psst', 'received');
    other.say(`${room}/${romeo.local}`, 'yes?');
    await one.message(`${room}/${juliet.local}`, 'yes?');
    expect(conversationWith(other.client.state, room).messages).to.deep.equal([]);
    await using again = await logIn(romeo);
    const texts = ['psst', 'yes?'];
    for (const text of texts) await again.message(`${room}/${juliet.local}`, text);
    expect(
      again.client.state.conversations.get(`${room}/${juliet.local}`)?.messages.map(({ text }) => text),
    ).to.deep.equal(texts);
  });

  it('corrects its last message, for others and in the archive (XEP-0308)', async () => {
    const { romeo, juliet } = await contacts();
    await using one = await logIn(romeo);
    await using other = await logIn(juliet);
    one.say(juliet.jid, 'Wherfore');
    await other.message(romeo.jid, 'Wherfore');
    const message = await one.message(juliet.jid, 'Wherfore', 'received');
    one.client.sender.correct(conversationWith(one.client.state, juliet.jid), message, 'Wherefore');
    await other.message(romeo.jid, 'Wherefore');
    await one.message(juliet.jid, 'Wherefore', 'received');
    await using again = await logIn(juliet);
    await again.message(romeo.jid, 'Wherefore');
    expect(conversationWith(again.client.state, romeo.jid).messages).to.have.length(1);
  });

  it('tells the contact and the other devices of the user what was read (XEP-0333, XEP-0490)', async () => {
    const { romeo, juliet } = await contacts();
    await using one = await logIn(romeo);
    await using desk = await logIn(juliet);
    await using phone = await logIn(juliet);
    one.say(juliet.jid, 'hark');
    const unread = ({ client }: ChatClient) => client.state.conversations.get(romeo.jid)?.unread;
    for (const tab of [desk, phone]) await tab.until(() => unread(tab) === 1);
    desk.client.look(romeo.jid);
    await one.message(juliet.jid, 'hark', 'read');
    await phone.until(() => unread(phone) === 0);
    desk.client.look(undefined);
    one.say(juliet.jid, 'again');
    await desk.until(() => unread(desk) === 1);
    await using again = await logIn(juliet);
    await again.until(() => unread(again) === 1);
    expect(again.client.state.conversations.get(romeo.jid)?.messages).to.have.length(2);
  });

  it('takes a message back when the server has handled that, for others and in the archive (XEP-0424)', async () => {
    const { romeo, juliet } = await contacts();
    await using one = await logIn(romeo);
    await using other = await logIn(juliet);
    one.say(juliet.jid, 'a secret');
    await other.message(romeo.jid, 'a secret');
    const message = await one.message(juliet.jid, 'a secret', 'received');
    one.client.sender.retract(conversationWith(one.client.state, juliet.jid), message);
    expect(message.isRetracted).to.equal(undefined);
    await one.until(() => message.isRetracted);
    const isGone = (tab: ChatClient) => {
      const messages = tab.client.state.conversations.get(romeo.jid)?.messages ?? [];
      return messages.length === 1 && messages[0]?.isRetracted;
    };
    await other.until(() => isGone(other));
    await using again = await logIn(juliet);
    await again.until(() => isGone(again));
  });

  it('makes its token worthless when the user logs out (XEP-0484 §3.6)', async () => {
    const romeo = await stage.account('romeo');
    const { client, agent } = await logIn(romeo);
    const saved = client.save();
    expect(saved.token).to.be.a('string');
    await client.end();
    const back = ChatClient.resume(stage.server, romeo, saved, agent);
    expect(await back.until(() => back.ended)).to.equal('not-authorized');
  });

  it('goes on after a reload with its token', async () => {
    const romeo = await stage.account('romeo');
    const { client, agent } = await logIn(romeo);
    const saved = client.save();
    await using back = ChatClient.resume(stage.server, romeo, saved, agent);
    await back.until(() => back.client.services.rooms);
    expect(back.client.save().jid).to.equal(saved.jid);
  });

  it('changes the password, goes on with a new token, and logs the other devices out (XEP-0077 §3.3)', async () => {
    const romeo = await stage.account('romeo');
    await using other = await logIn(romeo);
    await using changing = await logIn(romeo);
    const before = changing.client.save().token;
    await changing.client.account.changePassword('another password');
    await changing.until(() => changing.client.connection === 'online' && changing.client.save().token !== undefined);
    expect(changing.client.save().token).to.not.equal(before);
    expect(await other.until(() => other.ended)).to.equal('not-authorized');
    await using back = ChatClient.resume(stage.server, romeo, changing.client.save(), changing.agent);
    await back.until(() => back.client.services.rooms);
  });

  it('lists the devices that are logged in, and logs them out (XEP-0494)', async () => {
    const romeo = await stage.account('romeo');
    await using other = await logIn(romeo);
    await using tab = await logIn(romeo);
    const { account } = tab.client;
    const devices = await account.devices();
    expect(devices.map(({ name, isThis, isConnected }) => [name, isThis, isConnected])).to.deep.equal([
      ['Ampere chat, a test', true, true],
      ['Ampere chat, a test', false, true],
    ]);
    await account.revokeOthers();
    expect(await other.until(() => other.ended)).to.equal('not-authorized');
    expect((await account.devices()).map(({ isThis }) => isThis)).to.deep.equal([true]);
  });

  it('shows contacts the name and the picture of the user (XEP-0172, XEP-0084)', async () => {
    const { romeo, juliet } = await contacts();
    await using one = await logIn(romeo);
    await using other = await logIn(juliet);
    await one.client.account.setName('Romeo Montague');
    await other.until(() => nameOf(other.client.state, romeo.jid) === 'Romeo Montague');
    const bytes = Uint8Array.from(Buffer.from('iVBORw0KGgo=', 'base64'));
    await one.client.account.setPicture({ bytes, size: 1 });
    await other.until(() => other.client.pictures.of(romeo.jid));
    await one.client.account.setPicture(undefined);
    await other.until(() => !other.client.state.pictures.has(romeo.jid));
    expect(other.client.pictures.of(romeo.jid)).to.equal(undefined);
  });
});
