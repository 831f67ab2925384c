import { expect } from 'chai';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { xmppJs } from './client-programs.ts';

const jid = 'alice@localhost';
const password = 'correct horse battery staple';

describe('Tokens of a stock client (XEP-0484)', () => {
  let server: ServerProcess;

  before(async () => {
    server = await startServer();
    await server.addUser(jid, password);
  });

  after(() => server?.stop());

  /** The mechanisms of all logins so far, and the conditions of failures. */
  const logins = () => server.log.flatMap((line) => /"(?:mechanism|condition)":"([\w-]+)"/.exec(line)?.[1] ?? []);

  it('replace the password from the second login on, until they are revoked', async () => {
    await using client = await ClientProcess.login(xmppJs, server, { jid, password });
    const away = async () => {
      client.tell('disconnect');
      await client.expect('closed');
    };
    const back = async () => {
      client.tell('connect');
      await client.expect('online', jid);
    };
    await away();
    await back();
    await away();
    await server.restart();
    await back();
    const [first = '', ...others] = logins();
    expect(first).to.not.contain('HT-');
    expect(others).to.deep.equal(['HT-SHA-256-NONE', 'HT-SHA-256-NONE']);

    const [device = '', ...more] = (await server.ampere('user', 'devices', jid)).trim().split('\n');
    expect(more).to.deep.equal([]);
    expect(device).to.match(/^[\w-]{22} {2}password, token {2}connected$/);
    await away();
    const said = await server.ampere('user', 'revoke', jid, device.slice(0, 22));
    expect(said).to.contain('It knows the password: change it with "ampere user passwd alice@localhost"');
    await back();
    expect(logins().slice(3)).to.deep.equal(['not-authorized', first]);
    await client.quit();
  });
});
