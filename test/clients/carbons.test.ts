import { expect } from 'chai';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { nbxmpp, slixmpp, xmppJs } from './client-programs.ts';

const password = 'correct horse battery staple';
const programs = [slixmpp, nbxmpp, xmppJs];

describe('Carbons of stock clients (XEP-0280)', () => {
  let server: ServerProcess;

  before(async function () {
    for (const program of programs) {
      const reason = await program.missing();
      if (reason === undefined) continue;
      console.log(`    skipped: ${reason}`);
      this.skip();
    }
    server = await startServer();
    for (const local of ['alice', 'bob']) await server.addUser(`${local}@localhost`, password);
  });

  after(async () => {
    await server?.stop();
  });

  it('show three clients of an account the same conversation', async () => {
    await using bob = await ClientProcess.login(xmppJs, server, { jid: 'bob@localhost', password });
    await using first = await ClientProcess.login(slixmpp, server, { jid: 'alice@localhost', password });
    await using second = await ClientProcess.login(nbxmpp, server, { jid: 'alice@localhost', password });
    await using third = await ClientProcess.login(xmppJs, server, { jid: 'alice@localhost', password });
    const devices = [first, second, third];
    for (const device of devices) {
      device.tell('carbons');
      await device.expect('carbons-on');
    }
    for (const [index, device] of devices.entries()) {
      const [question, answer] = [`question ${index}`, `answer ${index}`];
      device.tell('message', 'bob@localhost', question);
      const [, from = ''] = await bob.expect('message', 'alice@localhost', question);
      bob.tell('message', from, answer);
      await device.expect('message', 'bob@localhost', answer);
      for (const other of devices.filter((one) => one !== device)) {
        await other.expect('carbon', 'sent', from, 'bob@localhost', question);
        await other.expect('carbon', 'received', 'bob@localhost', from, answer);
      }
    }
    bob.tell('message', 'alice@localhost', 'to all');
    for (const device of devices) await device.expect('message', 'bob@localhost', 'to all');
    for (const device of [...devices, bob]) await device.quit();
    for (const device of devices) expect(device.heard('carbon')).to.have.length(4);
  });
});
