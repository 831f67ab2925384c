import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { xmppJs } from './client-programs.ts';
import { describeStockClient } from './stock-client.ts';

describeStockClient(xmppJs);

describe('@xmpp/client through a WebSocket', () => {
  const password = 'a password for browsers';
  let server: ServerProcess;

  before(async () => {
    server = await startServer({ https: true });
    for (const local of ['alice', 'bob']) await server.addUser(`${local}@localhost`, password);
  });
  after(() => server.stop());

  it('chats with a client over TCP', async () => {
    await using alice = await ClientProcess.login(xmppJs, server, {
      jid: 'alice@localhost',
      password,
      security: 'https',
    });
    await using bob = await ClientProcess.login(xmppJs, server, { jid: 'bob@localhost', password });
    alice.tell('message', 'bob@localhost', 'from a browser');
    const [, from = ''] = await bob.expect('message', 'alice@localhost', 'from a browser', '');
    bob.tell('message', from, 'Grüße & <Küsse>');
    await alice.expect('message', 'bob@localhost', 'Grüße & <Küsse>', '');
    await alice.quit();
    await bob.quit();
  });
});
