import { expect } from 'chai';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { needsChromium } from './chromium.ts';
import { ClientProcess } from './client-process.ts';
import { stanza, xmppJs } from './client-programs.ts';
import { StrophePages } from './strophe-js.ts';

const password = 'a password for browsers';
const ways = [
  ['a WebSocket', 'https', 'wss', '/xmpp-websocket'],
  ['BOSH', 'bosh', 'https', '/http-bind'],
] as const;

describe('Web clients', () => {
  let server: ServerProcess;

  before(async () => {
    server = await startServer({ https: true });
    for (const local of ['alice', 'bob']) await server.addUser(`${local}@localhost`, password);
  });
  after(() => server.stop());

  for (const [way, security] of ways) {
    it(`stanza chats with a client over TCP through ${way}`, async () => {
      await using alice = await ClientProcess.login(stanza, server, { jid: 'alice@localhost', password, security });
      await using bob = await ClientProcess.login(xmppJs, server, { jid: 'bob@localhost', password });
      alice.tell('message', 'bob@localhost', 'from a browser');
      const [, from = ''] = await bob.expect('message', 'alice@localhost', 'from a browser', '');
      for (let number = 0; number < 20; number++) {
        bob.tell('message', from, `Grüße & <Küsse> ${number}`);
        alice.tell('message', 'bob@localhost', `number ${number}`);
      }
      for (let number = 0; number < 20; number++) {
        await alice.expect('message', 'bob@localhost', `Grüße & <Küsse> ${number}`, '');
        await bob.expect('message', 'alice@localhost', `number ${number}`, '');
      }
      await alice.quit();
      await bob.quit();
    });
  }

  describe('Strophe.js in Chromium', () => {
    needsChromium();

    let pages: StrophePages | undefined;

    before(async () => {
      pages = await StrophePages.open();
    });
    after(() => pages?.[Symbol.asyncDispose]());

    for (const [way, , scheme, path] of ways) {
      it(`chats from a page of another origin through ${way}`, async () => {
        const service = `${scheme}://localhost:${server.place.ports.https}${path}`;
        const page = await pages?.visit(service, 'alice@localhost', password);
        await using bob = await ClientProcess.login(xmppJs, server, { jid: 'bob@localhost', password });
        await page?.tells('bob@localhost', 'from a page');
        const [, from = ''] = await bob.expect('message', 'alice@localhost', 'from a page', '');
        for (let number = 0; number < 20; number++) bob.tell('message', from, `Grüße & <Küsse> ${number}`);
        for (let number = 0; number < 20; number++) await page?.hears(`message Grüße & <Küsse> ${number}`);
        await page?.leaves();
        expect(page?.complaints).to.deep.equal([]);
        await bob.quit();
      });
    }
  });
});
