import { expect } from 'chai';
import type { BrowserContext } from 'playwright-core';
import { freePort } from '../support/free-port.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ChatTab } from './chat-tab.ts';
import { axeFindings, browserContext, needsChromium, rose } from './chromium.ts';

const password = 'a password for the chat page';
const room = 'verona@conference.localhost';
const newPassword = 'another password for the chat page';

describe('The chat page in Chromium', () => {
  needsChromium();

  let server: ServerProcess;
  let context: BrowserContext | undefined;
  let address: string;
  let romeo: ChatTab;
  let juliet: ChatTab;

  before(async () => {
    const port = await freePort();
    address = `http://localhost:${port}/chat`;
    server = await startServer({ https: true, settings: { listen: { http: [{ host: '127.0.0.1', port }] } } });
    await Promise.all(['romeo', 'juliet'].map((local) => server.addUser(`${local}@localhost`, password)));
    context = await browserContext();
    [romeo, juliet] = [await ChatTab.open(context, address), await ChatTab.open(context, address)];
  });
  after(async () => {
    await context?.close();
    await server?.stop();
  });
  afterEach(() => {
    // The browser itself says so when it cannot connect.
    const lost = /^WebSocket connection to .* failed/;
    for (const { complaints } of [romeo, juliet]) {
      expect(complaints.filter((complaint) => !lost.test(complaint))).to.deep.equal([]);
    }
  });

  it('refuses a wrong password, and lets two users in who become contacts and chat', async () => {
    await romeo.page.getByLabel('Address').fill('romeo');
    await romeo.page.getByLabel('Password').fill('a wrong one');
    await romeo.page.getByLabel('Password').press('Enter');
    await romeo.page.getByRole('alert').filter({ hasText: 'The address or the password is wrong.' }).waitFor();
    await romeo.logIn('romeo', password);
    await juliet.logIn('juliet@localhost', password);
    await romeo.addContact('juliet@localhost');
    await juliet.accept('romeo@localhost');
    await romeo.seesStatus('online');
    await romeo.say('But soft! <img src=x onerror=alert(1)> https://example.org/a');
    await juliet.open('romeo@localhost');
    await juliet.seesStatus('online');
    expect(await juliet.sees('But soft!')).to.contain('<img src=x onerror=alert(1)>');
    expect(await juliet.page.getByRole('log').locator('img').count()).to.equal(0);
    const link = juliet.page.getByRole('link', { name: 'https://example.org/a' });
    expect(await link.getAttribute('rel')).to.contain('noopener');
    await juliet.say('Ay me!');
    await romeo.sees('Ay me!');
    await romeo.seesOutcome('But soft!', 'read');
  });

  it('sends a picture that is shown', async () => {
    await romeo.share('rose.png', 'image/png', rose);
    await romeo.seesPicture('rose.png');
    await juliet.seesPicture('rose.png');
  });

  it('has rooms', async () => {
    await romeo.enterRoom('verona');
    await romeo.seesStatus('1 person');
    await juliet.enterRoom('verona');
    await juliet.seesStatus('2 people');
    await juliet.say('Good evening to all');
    expect(await romeo.sees('Good evening to all')).to.contain('juliet');
    await romeo.say('A mask, a mask');
    expect(await juliet.sees('A mask, a mask')).to.contain('romeo');
    expect(await romeo.page.getByRole('button', { name: 'Rules' }).isVisible()).to.equal(false);
  });

  it('corrects the last message, and marks it', async () => {
    await romeo.open('juliet@localhost');
    await juliet.open('romeo@localhost');
    await romeo.say('It is the north');
    await juliet.sees('It is the north');
    await romeo.correct('It is the east');
    expect(await juliet.sees('It is the east')).to.contain('corrected');
    expect(await juliet.page.getByText('It is the north').count()).to.equal(0);
  });

  it('takes messages back, not only the last one', async () => {
    for (const text of ['with Rosaline', 'No more of her', 'Let me stand here']) {
      await romeo.say(text);
      await romeo.seesOutcome(text, 'read');
    }
    await romeo.remove('No more of her', 'Let me stand here');
    for (const tab of [romeo, juliet]) await tab.sees('This message was removed.');
    await romeo.remove('with Rosaline');
    for (const { page } of [romeo, juliet]) {
      await page.getByText('This message was removed.').nth(1).waitFor();
      expect(await page.getByText(/with Rosaline|No more/).count()).to.equal(0);
    }
    await juliet.sees('Let me stand here');
  });

  it('keeps what is not sent yet, and counts in the title what is not read yet', async () => {
    await juliet.write('Dost thou');
    await juliet.open(room);
    await romeo.say('Lady, by yonder moon');
    await juliet.page.waitForFunction("document.title === '(1) Chat'");
    await juliet.page.locator('.line.has-unread', { hasText: 'Draft: Dost thou' }).waitFor();
    await juliet.open('romeo@localhost');
    await juliet.sees('New messages');
    expect(await axeFindings(juliet.page)).to.deep.equal([]);
    expect(await juliet.page.getByLabel(/^Message to/).inputValue()).to.equal('Dost thou');
    expect(await juliet.page.title()).to.equal('Chat');
    await juliet.write('');
  });

  it('has private conversations with those in a room', async () => {
    await romeo.open(room);
    await romeo.whisper('juliet');
    await romeo.say('Between us');
    await juliet.open(`${room}/romeo`);
    await juliet.sees('Between us');
    await romeo.seesStatus('private, in verona');
    await romeo.seesOutcome('Between us', 'received');
    for (const tab of [romeo, juliet]) await tab.choose('Close the conversation');
    await juliet.open('romeo@localhost');
  });

  it('has settings: a name and a picture for others, notifications, devices, and the password', async () => {
    await context?.grantPermissions(['notifications']);
    const settings = await romeo.settings();
    await settings.getByText('this tab').waitFor();
    expect(await axeFindings(romeo.page)).to.deep.equal([]);
    await settings.locator('input[type=file]').setInputFiles({ name: 'r.png', mimeType: 'image/png', buffer: rose });
    await settings.locator('img.avatar').waitFor();
    await settings.getByLabel('Name').fill('Romeo Montague');
    await settings.getByRole('button', { name: 'Save' }).click();
    await settings.getByRole('button', { name: 'Saved' }).waitFor();
    await settings.getByLabel('Notify me of new messages').check();
    await settings.getByRole('button', { name: 'Change the password' }).click();
    const dialog = romeo.page.getByRole('dialog', { name: 'Change the password' });
    await dialog.getByLabel('New password', { exact: true }).fill(newPassword);
    await dialog.getByLabel('New password, again').fill(newPassword);
    await dialog.getByRole('button', { name: 'Change', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    await settings.getByRole('button', { name: 'Close' }).click();
    const line = juliet.page.getByRole('navigation').getByRole('button', { name: 'Romeo Montague' });
    await line.locator('img.avatar').waitFor();
  });

  it('puts rules on a message, and shows what became of it', async () => {
    await romeo.open('juliet@localhost');
    await romeo.rule('Tell me when it is delivered');
    await romeo.say('Wilt thou be gone?');
    await romeo.seesOutcome('Wilt thou be gone?', 'Delivered to juliet.');
    await romeo.rule('Send it only until');
    await romeo.say('Believe me, love');
    await romeo.seesOutcome('Believe me, love', 'If it would arrive after');
    await juliet.sees('Believe me, love');
    await juliet.logOut();
    await romeo.seesStatus('offline');
    await romeo.rule('Tell me when it is stored for them');
    await romeo.say('It is not yet near day');
    await romeo.seesOutcome('It is not yet near day', 'Stored until juliet is online.');
    await romeo.rule('Send it only if they are online now');
    await romeo.say('Look, the lark');
    await romeo.seesOutcome('Look, the lark', 'Not sent: juliet is not online.');
    await juliet.logIn('juliet', password);
    await juliet.open('romeo@localhost');
    await juliet.sees('It is not yet near day');
    expect(await juliet.page.getByText('Look, the lark').count()).to.equal(0);
  });

  it('is as it was after a reload, and misses nothing', async () => {
    await romeo.page.reload();
    await romeo.sees('Ay me!');
    await romeo.seesOutcome('Look, the lark', 'Not sent: juliet is not online.');
    await romeo.seesStatus('online');
    await juliet.say('Art thou gone so?');
    await romeo.sees('Art thou gone so?');
    await romeo.open(room);
    await romeo.seesStatus('2 people');
    await romeo.sees('Good evening to all');
  });

  it('has the history in a new tab, after a login', async () => {
    await romeo.logOut();
    await romeo.logIn('romeo', newPassword);
    await romeo.open('juliet@localhost');
    await romeo.sees('But soft!');
    await romeo.seesPicture('rose.png');
    await romeo.sees('Art thou gone so?');
    await romeo.open(room);
    await romeo.sees('A mask, a mask');
    await romeo.open('juliet@localhost');
  });

  it('survives a restart of the server', async () => {
    await server.restart();
    for (const tab of [romeo, juliet]) await tab.reconnect();
    await juliet.say('I must hear from thee every day');
    await romeo.sees('I must hear from thee every day');
    await romeo.say('Farewell');
    await juliet.sees('Farewell');
    await juliet.open(room);
    await juliet.say('Who is still here?');
    await romeo.open(room);
    await romeo.sees('Who is still here?');
  });

  it('shows that a message was refused, and sends it again', async () => {
    await romeo.addContact('tybalt@localhost');
    await romeo.say('A word with you');
    await romeo.seesOutcome('A word with you', 'Not delivered: this address does not take the message.');
    expect(await axeFindings(romeo.page)).to.deep.equal([]);
    await server.addUser('tybalt@localhost', password);
    await romeo.again('A word with you').press('Enter');
    await romeo.page.getByRole('log').locator('.sign.sent').waitFor();
    expect(await romeo.again('').count()).to.equal(0);
    expect(await romeo.page.evaluate('document.activeElement.id')).to.equal('text');
  });

  it('keeps what was not sent when the server ends the session, until the next login', async () => {
    await romeo.open('juliet@localhost');
    await romeo.mute(true);
    await romeo.say('Stay but a little');
    await romeo.seesOutcome('Stay but a little', 'being sent');
    await server.ampere('user', 'suspend', 'romeo@localhost');
    await romeo.page.getByText('One message was not sent').waitFor();
    await server.ampere('user', 'resume', 'romeo@localhost');
    await romeo.mute(false);
    await romeo.logIn('romeo', newPassword);
    await romeo.open('juliet@localhost');
    await romeo.seesOutcome('Stay but a little', 'Not sent: the session ended first.');
    await romeo.sees('Farewell');
    await romeo.again('Stay but a little').click();
    await juliet.open('romeo@localhost');
    await juliet.sees('Stay but a little');
    await romeo.seesOutcome('Stay but a little', 'read');
  });
});
