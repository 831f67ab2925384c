import { expect } from 'chai';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { slixmpp } from './client-programs.ts';

const password = 'correct horse battery staple';

describe('the archive (XEP-0313) with slixmpp', () => {
  let server: ServerProcess;

  before(async function () {
    const reason = await slixmpp.missing();
    if (reason !== undefined) {
      console.log(`    skipped: ${reason}`);
      this.skip();
    }
    server = await startServer({ settings: { archive: { enabled: true } } });
    for (const local of ['alice', 'bob', 'carol']) await server.addUser(`${local}@localhost`, password);
  });

  after(async () => {
    await server?.stop();
  });

  const login = (local: string) => ClientProcess.login(slixmpp, server, { jid: `${local}@localhost`, password });

  it('is read forwards and backwards, page by page, and by peer', async () => {
    await using alice = await login('alice');
    await using bob = await login('bob');
    alice.tell('message', 'carol@localhost', 'to carol');
    for (let number = 0; number < 7; number++) alice.tell('message', 'bob@localhost', `to bob ${number}`);
    await bob.expect('message', 'alice@localhost', 'to bob 6');
    bob.tell('message', 'alice@localhost', 'answer');
    await alice.expect('message', 'bob@localhost', 'answer');
    const toBob = Array.from({ length: 7 }, (_, number) => `to bob ${number}`);
    const bodies = () => alice.heard('archived').map(([, , body]) => body);
    alice.tell('archive');
    await alice.expect('archive-end');
    expect(bodies()).to.deep.equal(['to carol', ...toBob, 'answer']);
    alice.tell('archive', 'bob@localhost');
    await alice.expect('archive-end');
    expect(bodies().slice(9)).to.deep.equal([...toBob, 'answer']);
    alice.tell('archive-backwards', 'bob@localhost');
    await alice.expect('archive-end');
    expect(bodies().slice(17)).to.deep.equal([...toBob, 'answer'].reverse());
    const ids = alice.heard('archived').map(([, , , id = '']) => id);
    alice.tell('archive-ends');
    await alice.expect('archive-ends', ids[0] ?? '', ids[8] ?? '');
  });

  it('names its fields, and takes preferences (XEP-0441)', async () => {
    await using carol = await login('carol');
    carol.tell('archive-fields');
    const [, ...fields] = await carol.expect('archive-fields');
    expect(fields).to.include.members(['with', 'start', 'end', 'before-id', 'after-id', 'ids']);
    carol.tell('archive-default', 'roster');
    await carol.expect('archive-default', 'roster');
  });
});
