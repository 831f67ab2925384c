import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { nbxmpp, slixmpp, xmppJs } from './client-programs.ts';
import { Profanity } from './profanity.ts';

const password = 'correct horse battery staple';
const room = 'verona@conference.localhost';

describe('A room of stock clients (XEP-0045)', () => {
  let server: ServerProcess;

  before(async function () {
    for (const program of [slixmpp, nbxmpp, xmppJs, Profanity]) {
      const reason = await program.missing();
      if (reason === undefined) continue;
      console.log(`    skipped: ${reason}`);
      this.skip();
    }
    server = await startServer();
    for (const local of ['alice', 'bob', 'carol', 'dave']) await server.addUser(`${local}@localhost`, password);
  });

  after(async () => {
    await server?.stop();
  });

  it('is shared, one moderates, one is kicked, and one comes back after a restart and has missed nothing', async () => {
    await using alice = await ClientProcess.login(slixmpp, server, { jid: 'alice@localhost', password });
    alice.tell('resumable');
    await alice.expect('closed');
    alice.tell('connect');
    await alice.expect('online', 'alice@localhost');
    alice.tell('join', room, 'alice');
    await alice.expect('presence', `${room}/alice`, 'available');
    alice.tell('open', room);
    await alice.expect('opened', room);
    {
      await using bob = await ClientProcess.login(nbxmpp, server, { jid: 'bob@localhost', password });
      await using carol = await ClientProcess.login(xmppJs, server, { jid: 'carol@localhost', password });
      await using dave = await Profanity.login(server, 'dave@localhost', password);
      const all = [alice, bob, carol];
      bob.tell('join', room, 'bob');
      carol.tell('join', room, 'carol');
      await dave.terminal.type(`/join ${room} nick dave`);
      for (const one of all) {
        const nicks = one === alice ? ['bob', 'carol', 'dave'] : ['alice', 'bob', 'carol', 'dave'];
        for (const nick of nicks) await one.expect('presence', `${room}/${nick}`, 'available');
      }
      for (const [speaker, nick] of [
        [alice, 'alice'],
        [bob, 'bob'],
        [carol, 'carol'],
      ] as const) {
        speaker.tell('say', room, `${nick} speaks`);
        for (const one of all) await one.expect('said', `${room}/${nick}`, `${nick} speaks`);
        await dave.terminal.shows(`${nick} speaks`);
      }
      await dave.terminal.type('dave speaks');
      for (const one of all) await one.expect('said', `${room}/dave`, 'dave speaks');
      alice.tell('kick', room, 'carol');
      for (const one of all) await one.expect('presence', `${room}/carol`, 'unavailable');
      carol.tell('say', room, 'still here?');
      bob.tell('say', room, 'she is gone');
      await alice.expect('said', `${room}/bob`, 'she is gone');
      await dave.terminal.shows('she is gone');
    }
    await server.restart();
    await alice.expect('closed');
    await using bob = await ClientProcess.login(nbxmpp, server, { jid: 'bob@localhost', password });
    bob.tell('join', room, 'bob');
    await bob.expect('presence', `${room}/alice`, 'available');
    bob.tell('say', room, 'while you were away');
    await bob.expect('said', `${room}/bob`, 'while you were away');
    alice.tell('connect');
    await alice.expect('resumed');
    await alice.expect('said', `${room}/bob`, 'while you were away');
    alice.tell('say', room, 'welcome back');
    await bob.expect('said', `${room}/alice`, 'welcome back');
    await bob.quit();
    await alice.quit();
  });
});
