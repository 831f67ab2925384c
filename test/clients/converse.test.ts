import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../support/free-port.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ChatBrowser, type ChatTab } from './chat-tab.ts';

const password = 'a password for converse';
/** The build of converse.js that `.ci/run` installs: it is too large for the packages of the project. */
const { AMPERE_CONVERSE: build = '' } = process.env;

/** The policy stops the logos of its sponsors, which converse.js loads from elsewhere. */
const refused = /^Loading the image 'https:\/\/conversejs\.org\/.* violates/;

describe('converse.js in Chromium', () => {
  let server: ServerProcess;
  let browser: ChatBrowser | undefined;
  let romeo: ChatTab;
  let juliet: ChatTab;

  before(async function () {
    if (!existsSync('/usr/bin/chromium') || !existsSync(join(build, 'converse.min.js'))) {
      console.log('    skipped: not installed: chromium, or converse.js in AMPERE_CONVERSE');
      this.skip();
    }
    const port = await freePort();
    const settings = { listen: { http: [{ host: '127.0.0.1', port }] }, web: { converse: build } };
    server = await startServer({ https: true, settings });
    for (const local of ['romeo', 'juliet']) await server.addUser(`${local}@localhost`, password);
    browser = await ChatBrowser.open();
    romeo = await browser.tab(`http://localhost:${port}/chat`);
    juliet = await browser.tab(`http://localhost:${port}/chat`);
    await romeo.logIn('romeo', password);
    await juliet.logIn('juliet', password);
    await romeo.addContact('juliet@localhost');
    await juliet.accept('romeo@localhost');
    await juliet.logOut();
    await juliet.page.goto(`http://localhost:${port}/converse`);
  });
  after(async () => {
    await browser?.[Symbol.asyncDispose]();
    await server?.stop();
  });

  it('logs in, offers its encryption, chats, and has the messages after a reload', async () => {
    const { page } = juliet;
    await page.locator('input[name=jid]').fill('juliet@localhost');
    await page.locator('input[name=password]').fill(password);
    await page.locator('input[name=password]').press('Enter');
    await page.locator('.open-chat', { hasText: 'romeo' }).first().click();
    await page.locator('textarea.chat-textarea').fill('from another client');
    await page.locator('textarea.chat-textarea').press('Enter');
    await romeo.sees('from another client');
    await romeo.say('and back');
    await page.locator('.chat-msg__text', { hasText: 'and back' }).waitFor();
    await page.locator('.toggle-omemo').first().waitFor();
    await page.reload();
    await page.locator('.chat-msg__text', { hasText: 'and back' }).waitFor();
    expect(juliet.complaints.filter((complaint) => !refused.test(complaint))).to.deep.equal([]);
  });
});
