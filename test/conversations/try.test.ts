import { befriend, Stage } from '../support/conversation.ts';

describe('try', () => {
  const stage = new Stage();

  it('chats', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    romeo.sends(`<message to="${juliet.jid}" type="chat"><body>hi</body></message>`);
    await juliet.receives(`<message from="${romeo.jid}" to="${juliet.jid}" type="chat"><body>hi</body></message>`);
    await romeo.receivesNothing();
    await befriend(romeo, juliet);
    await romeo.closes();
    await juliet.receives(`<presence type="unavailable" from="${romeo.jid}">...</presence>`);
    await juliet.receivesNothing();
    juliet.sends('<message><!-- x --></message>');
    await juliet.receivesStreamError('restricted-xml');
  });
  it('starts tls', async () => {
    const c = await stage.plainClient();
    await c.opens();
    await c.startsTls(stage.server.trust);
    const f = await c.opens();
    console.log(f.raw);
  });
});
