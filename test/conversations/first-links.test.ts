import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { welcome } from '../../src/cli/welcome.ts';
import { type Server, startServer } from '../../src/compose/server.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { createResetLink } from '../../src/web/control/invitation-operations.ts';
import { addUser } from '../../src/web/control/user-operations.ts';
import { freePort } from '../support/free-port.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { TestClient } from '../support/test-client.ts';
import { exchange } from '../web/http/raw-http.ts';

const host = '127.0.0.1';
const jid = 'juliet@localhost';
const own = ['Content-Type: application/x-www-form-urlencoded', 'Sec-Fetch-Site: same-origin'];

describe('A server for this machine only', () => {
  const log = new RecordingLog();
  let directory: string;
  let port: number;
  let config: Config;
  let server: Server;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ampere-links-'));
    port = await freePort();
    const here = [{ host, port: 0 }];
    config = configSchema({ directory, environment: {} }).parse({
      dataDir: '.',
      listen: { c2s: here, c2sTls: [], http: [{ host, port }], https: [], proxy: [] },
      s2s: { enabled: false },
      tls: { required: false },
      authentication: { scramIterations: 4096 },
      limits: { authentication: { failuresPerIp: 5 } },
      storage: { quickCheck: false, ballastBytes: 0 },
    });
    server = await startServer(config, { log });
  });
  afterEach(async () => {
    await server.stop();
    await rm(directory, { recursive: true });
    expect(log.alarms).to.deep.equal([]);
  });

  const get = (url: string) => exchange(port, `GET ${new URL(url).pathname}`);
  const post = (url: string, form: Readonly<Record<string, string>>) =>
    exchange(port, `POST ${new URL(url).pathname}`, new URLSearchParams(form).toString(), own);
  const linksIn = (lines: readonly string[]) => lines.join('\n').match(/http:\S+/g) ?? [];

  async function logsIn(password: string): Promise<TestClient> {
    const client = await TestClient.connect({ host, port: server.addresses.c2s[0]?.port ?? 0 }, 'localhost');
    await client.opens();
    const answer = await client.tries({ username: 'juliet', password });
    expect(answer.name).to.equal('success');
    return client;
  }

  it('greets its operator with links for two users, and then with the chat page', async () => {
    const links = linksIn(await welcome(server, config));
    expect(new Set(links).size).to.equal(2);
    for (const link of links) {
      expect(link).to.match(new RegExp(`^http://localhost:${port}/invite/\\w{32}$`));
      expect(await get(link)).to.include('<h1>You are invited to localhost</h1>');
    }
    const password = 'a long password';
    expect(await post(links[0] ?? '', { username: 'juliet', password, again: password })).to.include(
      'href="/chat#juliet%40localhost"',
    );
    (await logsIn(password)).disconnects();
    expect(linksIn(await welcome(server, config))).to.deep.equal([`http://localhost:${port}/chat`]);
  });

  it('sets a password with a link, once, and then the old one does not work', async () => {
    await server.administration.call(addUser, { jid, password: 'an old password' });
    const client = await logsIn('an old password');
    await client.opens();
    await client.binds();
    const { landingUrl = '' } = await server.administration.call(createResetLink, { jid });
    expect(landingUrl).to.match(/\/reset\/\w{32}$/);
    expect(await get(landingUrl.replace('/reset/', '/invite/'))).to.match(/^HTTP\/1\.1 404 /);
    expect(await get(landingUrl))
      .to.include('<h1>Set a new password</h1>')
      .and.include(`value="${jid}"`);
    expect(await post(landingUrl, { password: 'different', again: 'passwords' })).to.match(/^HTTP\/1\.1 422 /);
    const form = { password: 'a new password', again: 'a new password' };
    expect(await post(landingUrl, form)).to.include('<h1>Your new password is set</h1>');
    await client.receivesStreamError('reset');
    (await logsIn('a new password')).disconnects();
    expect(await post(landingUrl, form)).to.match(/^HTTP\/1\.1 404 /);
    expect(log.lines.join()).to.not.include(landingUrl.slice(-32));
  });

  it('answers nothing more to an address that guesses tokens', async () => {
    const [link = ''] = linksIn(await welcome(server, config));
    const guess = link.replace(/\w{32}$/, 'v'.repeat(32));
    for (let tries = 0; tries < 5; tries++) expect(await get(guess)).to.match(/^HTTP\/1\.1 404 /);
    for (const url of [guess, link]) expect(await get(url)).to.match(/^HTTP\/1\.1 429 /);
  });
});
