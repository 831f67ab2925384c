import { expect } from 'chai';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { browserContext, complaintsOf, localTime, needsChromium } from './chromium.ts';
import { StrophePages } from './strophe-js.ts';

const password = 'a password from a page';

describe('The pages of invitations in Chromium', () => {
  needsChromium();

  let server: ServerProcess;
  let clients: StrophePages | undefined;
  /** What the browser complains of, such as a breach of the policy of a page. */
  let complaints: readonly string[];

  before(async () => {
    server = await startServer({ https: true });
    server.secrets.add(password);
    clients = await StrophePages.open();
  });
  after(async () => {
    await clients?.[Symbol.asyncDispose]();
    await server?.stop();
  });

  async function opened(address: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await browserContext({ ignoreHTTPSErrors: true, ...options })).newPage();
    complaints = complaintsOf(page);
    await page.goto(address);
    return page;
  }

  async function made(...args: string[]): Promise<string> {
    const { landingUrl } = JSON.parse(await server.ampere(...args, '--json'));
    return landingUrl;
  }

  const service = () => `wss://localhost:${server.place.ports.https}/xmpp-websocket`;

  async function logsIn(jid: string, secret: string): Promise<void> {
    const page = await clients?.visit(service(), jid, secret);
    await page?.leaves();
  }

  for (const [device, options] of [
    [
      'a phone in the dark, without JavaScript',
      { viewport: { width: 360, height: 740 }, colorScheme: 'dark', javaScriptEnabled: false },
    ],
    ['a desktop', { viewport: { width: 1280, height: 900 }, timezoneId: 'Asia/Kolkata' }],
  ] as const) {
    it(`make an account on ${device}, which logs in over a WebSocket`, async () => {
      const username = `romeo-${options.viewport.width}`;
      const page = await opened(await made('invite', 'create'), options);
      const { scrollWidth, clientWidth } = await page.locator('html').evaluate((root) => root);
      if (!('javaScriptEnabled' in options)) expect(scrollWidth).to.equal(clientWidth);
      const time = page.locator('time');
      const moment = new Date((await time.getAttribute('datetime')) ?? '');
      const inUtc = /^[-\d]{10} [:\d]{5} UTC$/;
      const expected = 'timezoneId' in options ? localTime(moment, options.timezoneId) : inUtc;
      expect(await time.textContent()).to.match(expected);
      await page.getByLabel('User name').fill(username);
      await page.getByLabel('Password', { exact: true }).fill(password);
      await page.getByLabel('Password, again').fill(password);
      await page.getByRole('button', { name: 'Create account' }).click();
      await page.getByRole('heading', { name: 'Your account is ready' }).waitFor();
      expect(await page.locator('code.copy').first().textContent()).to.equal(`${username}@localhost`);
      expect(complaints).to.deep.equal([]);
      await page.context().close();
      await logsIn(`${username}@localhost`, password);
    });
  }

  it('set a new password', async () => {
    await server.addUser('juliet@localhost', 'an old password');
    const page = await opened(await made('user', 'reset-link', 'juliet@localhost'));
    await page.getByLabel('New password', { exact: true }).fill(password);
    await page.getByLabel('New password, again').fill(password);
    await page.getByRole('button', { name: 'Set password' }).click();
    await page.getByRole('heading', { name: 'Your new password is set' }).waitFor();
    await page.goBack();
    await page.reload();
    await page.getByRole('heading', { name: 'This link is not valid' }).waitFor();
    await page.context().close();
    await logsIn('juliet@localhost', password);
  });
});
