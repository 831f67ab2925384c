import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { befriend } from '../support/conversation.ts';
import { freePort } from '../support/free-port.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { TestClient } from '../support/test-client.ts';
import { needsChromium, rose } from './chromium.ts';
import { ConverseTab } from './converse-tab.ts';

const password = 'a password for converse';
/** The build of converse.js that `.ci/run` installs: it is too large for the packages of the project. */
const { AMPERE_CONVERSE: build = '' } = process.env;

/** The policy stops the logos of its sponsors, which converse.js loads from elsewhere. */
const logo = /^Loading the image 'https:\/\/conversejs\.org\/.* violates/;
/** What the browser and converse.js say when the server is gone. */
const lost = /^WebSocket (?:connection to .* failed|stream error: system-shutdown)|^Websocket (?:error|closed) /;
/** converse.js asks another server for rooms with such a name. */
const search = /from="api@search\.jabber\.network"/;

describe('converse.js in Chromium', () => {
  needsChromium();

  let server: ServerProcess;
  let romeo: ConverseTab;
  let juliet: ConverseTab;

  before(async function () {
    if (!existsSync(join(build, 'converse.min.js'))) {
      console.log('    skipped: not installed: converse.js in AMPERE_CONVERSE');
      this.skip();
    }
    const port = await freePort();
    const settings = { listen: { http: [{ host: '127.0.0.1', port }] }, web: { converse: build } };
    server = await startServer({ https: true, settings });
    await Promise.all(['romeo', 'juliet'].map((local) => server.addUser(`${local}@localhost`, password)));
    const [one, other] = [await arrival('romeo'), await arrival('juliet')];
    await befriend(one, other);
    one.disconnects();
    other.disconnects();
    const address = `http://localhost:${port}/converse`;
    [romeo, juliet] = await Promise.all([
      ConverseTab.logIn(address, 'romeo@localhost', password),
      ConverseTab.logIn(address, 'juliet@localhost', password),
    ]);
  });
  after(async () => {
    await romeo?.[Symbol.asyncDispose]();
    await juliet?.[Symbol.asyncDispose]();
    await server?.stop();
  });
  afterEach(() => {
    for (const { complaints } of [romeo, juliet]) {
      const expected = (complaint: string) => [logo, lost, search].some((known) => known.test(complaint));
      expect(complaints.filter((complaint) => !expected(complaint))).to.deep.equal([]);
    }
  });

  async function arrival(local: string): Promise<TestClient> {
    const { host, ports } = server.place;
    const tls = { ca: await readFile(server.caFile), servername: 'localhost', ALPNProtocols: ['xmpp-client'] };
    const client = await TestClient.connect({ host, port: ports.direct, tls }, 'localhost');
    await client.opens();
    await client.authenticates({ username: local, password });
    await client.binds('balcony');
    await client.appears('<presence/>');
    return client;
  }

  it('chats', async () => {
    await romeo.knowsDevicesOf('juliet@localhost');
    await juliet.knowsDevicesOf('romeo@localhost');
    await juliet.open('romeo');
    await romeo.open('juliet');
    await juliet.say('Ay me!');
    await romeo.sees('Ay me!');
    await romeo.say('She speaks');
    await juliet.sees('She speaks');
  });

  it('sends a picture that is shown', async () => {
    await romeo.share('rose.png', 'image/png', rose);
    await romeo.seesPicture();
    await juliet.seesPicture();
  });

  it('encrypts with OMEMO, so that the server does not learn what is said', async () => {
    await romeo.encrypt();
    await romeo.say('a secret for two');
    await juliet.sees('a secret for two', { isEncrypted: true });
    await juliet.encrypt();
    await juliet.say('and its answer');
    await romeo.sees('and its answer', { isEncrypted: true });
    const seen = [...romeo.received, ...juliet.received].join('\n');
    expect(seen).to.contain('Ay me!').and.not.contain('a secret for two').and.not.contain('and its answer');
  });

  it('has rooms of the default service', async () => {
    await romeo.enterRoom('verona', 'romeo');
    await juliet.enterRoom('verona', 'juliet');
    await juliet.say('Good evening to all');
    await romeo.sees('Good evening to all');
    await romeo.say('A mask, a mask');
    await juliet.sees('A mask, a mask');
  });

  it('has the history after a reload, and goes on', async () => {
    await juliet.online(() => juliet.page.reload());
    await juliet.openRoom('verona');
    await juliet.sees('Good evening to all');
    await juliet.open('romeo');
    await juliet.sees('She speaks');
    await juliet.sees('a secret for two', { isEncrypted: true });
    await juliet.seesPicture();
  });

  it('survives a restart of the server', async () => {
    await Promise.all([romeo.online(() => server.restart()), juliet.online(async () => undefined)]);
    await romeo.open('juliet');
    await juliet.say('Still encrypted');
    await romeo.sees('Still encrypted', { isEncrypted: true });
    await romeo.openRoom('verona');
    await juliet.openRoom('verona');
    await romeo.say('Who is still here?');
    await juliet.sees('Who is still here?');
  });
});
