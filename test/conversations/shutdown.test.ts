import { Stage } from '../support/conversation.ts';

describe('A server that stops (RFC 6120 §4.9.3.20)', () => {
  const stage = new Stage();

  it('says system-shutdown to everybody, with a header where none was sent (RFC 6120 §4.9.1.2)', async () => {
    const silent = [await stage.client(), await stage.plainClient()];
    const plain = await stage.plainClient();
    await plain.opens();
    const secure = await stage.client();
    await secure.opens();
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const restarted = stage.server.restart();
    for (const client of [plain, secure, romeo, juliet]) await client.receivesStreamError('system-shutdown');
    for (const client of silent) await client.receivesStreamError('system-shutdown', { header: true });
    await restarted;
  });

  it('does first what clients asked for before (RFC 6120 §4.4)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const juliet = await stage.account('juliet');
    romeo.sends(`<message to="${juliet.jid}" type="chat"><body>before the end</body></message>`);
    await romeo.settles();
    await stage.server.restart();
    const late = await juliet.arrives();
    const bodies = late.arrival.filter(({ name }) => name === 'message').map(({ children }) => children[0]?.text);
    if (bodies.join() !== 'before the end') throw new Error(`there came ${bodies.join() || 'nothing'}`);
  });

  it('accepts accounts and passwords of before when it is back', async () => {
    const romeo = await stage.account('romeo');
    await stage.server.restart();
    await (await romeo.arrives()).receivesNothing();
  });
});
