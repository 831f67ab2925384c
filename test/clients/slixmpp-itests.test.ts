import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { slixmpp } from './client-programs.ts';

const run = promisify(execFile);
const { AMPERE_SLIXMPP_SOURCE: source } = process.env;

/** Those of slixmpp's integration tests that ask only for features this server has. */
const modules = [
  'test_basic_connect_and_message',
  'test_blocking',
  'test_bob',
  'test_chatmarkers',
  'test_disco',
  'test_httpupload',
  'test_ibb',
  'test_last_activity',
  'test_mam',
  'test_moderate',
  'test_muc',
  'test_pep',
  'test_ping',
  'test_privatestorage',
  'test_quickresponse',
  'test_reactions',
  'test_reconnect',
  'test_retract',
  'test_slow_filters',
  'test_user_avatar',
  'test_vcard',
  'test_vcard_avatar',
  'test_version',
];

// No package holds these tests, so they exist only where the variable names an unpacked source of slixmpp.
(source === undefined ? () => {} : describe)('the integration tests of slixmpp', () => {
  let server: ServerProcess;

  before(async function () {
    if ((await slixmpp.missing()) !== undefined) this.skip();
    server = await startServer({ https: true, settings: { archive: { enabled: true } } });
    for (const local of ['alice', 'bob']) await server.addUser(`${local}@localhost`, `${local}'s secret`);
    await befriend(server);
  });

  after(async () => {
    await server?.stop();
  });

  for (const module of modules) {
    it(`passes ${module}`, async () => {
      const { host, ports } = server.place;
      const env = {
        ...process.env,
        SSL_CERT_FILE: server.caFile,
        PYTHONPATH: source,
        CI_ACCOUNT1: 'alice@localhost',
        CI_ACCOUNT1_PASSWORD: "alice's secret",
        CI_ACCOUNT2: 'bob@localhost',
        CI_ACCOUNT2_PASSWORD: "bob's secret",
        CI_MUC_SERVER: 'conference.localhost',
      };
      const program = `${import.meta.dirname}/slixmpp-itests.py`;
      await run('/usr/bin/python3', [program, host, String(ports.starttls), module], { env, timeout: 60_000 });
    });
  }
});

/** Many of them ask a resource something, which takes a presence subscription (RFC 6121 §8.5.3.1, XEP-0012 §4). */
async function befriend(server: ServerProcess): Promise<void> {
  const login = (local: string) =>
    ClientProcess.login(slixmpp, server, { jid: `${local}@localhost`, password: `${local}'s secret` });
  await using alice = await login('alice');
  await using bob = await login('bob');
  for (const [asking, asked, to, from] of [
    [bob, alice, 'alice@localhost', 'bob@localhost'],
    [alice, bob, 'bob@localhost', 'alice@localhost'],
  ] as const) {
    asking.tell('subscribe', to);
    await asked.expect('presence', from, 'subscribe');
    asked.tell('approve', from);
    await asking.expect('push', to, asking === bob ? 'to' : 'both');
  }
  await alice.quit();
  await bob.quit();
}
