import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { actions } from '../../src/web/console/pages/index.ts';
import { freePort } from '../support/free-port.ts';
import { logsIn } from '../support/sasl2-login.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { TestClient } from '../support/test-client.ts';
import { axeFindings, browserContext, complaintsOf, localTime, needsChromium } from './chromium.ts';

const password = 'a password for the console';
const room = 'hall@conference.localhost';
const files = 'https://files.example';
const phone = { width: 390, height: 844 };
const desktop = { width: 1280, height: 900 };
const looks = [
  [desktop, 'light'],
  [phone, 'dark'],
] as const;

describe('The console in Chromium', () => {
  needsChromium();

  let server: ServerProcess;
  let context: BrowserContext;
  let page: Page;
  let romeo: TestClient;
  let http: number;
  let complaints: string[];
  /** The paths of the forms that were submitted. */
  const submitted = new Set<string>();

  before(async () => {
    http = await freePort();
    const overrides = { 'elsewhere.example': [{ host: '127.0.0.1', port: await freePort() }] };
    const listen = { http: [{ host: '127.0.0.1', port: http }], s2s: [], s2sTls: [] };
    server = await startServer({
      settings: {
        listen,
        s2s: { enabled: true, overrides },
        web: { uploadUrl: files },
        registration: { inBand: true, approval: true },
        limits: { registration: { perIp: 2 } },
      },
    });
    for (const local of ['romeo', 'juliet', 'tybalt']) await server.addUser(`${local}@localhost`, password);
    await server.ampere('room', 'create', room, '--owner', 'juliet@localhost');
    romeo = await arrival('romeo');
    // Colors that change slowly would be measured in between.
    context = await browserContext({ viewport: desktop, reducedMotion: 'reduce', timezoneId: 'Asia/Kolkata' });
    page = await context.newPage();
    complaints = complaintsOf(page);
    page.on('request', (request) => {
      if (request.method() === 'POST') submitted.add(new URL(request.url()).pathname);
    });
    await logIn('operator');
  });
  beforeEach(() => complaints.splice(0));
  afterEach(() => expect(complaints).to.deep.equal([]));
  after(async () => {
    romeo?.disconnects();
    await context?.close();
    await server?.stop();
  });

  async function stranger(): Promise<TestClient> {
    const { host, ports } = server.place;
    const tls = { ca: await readFile(server.caFile), servername: 'localhost', ALPNProtocols: ['xmpp-client'] };
    const client = await TestClient.connect({ host, port: ports.direct, tls }, 'localhost');
    await client.opens();
    return client;
  }

  async function arrival(local: string): Promise<TestClient> {
    const client = await stranger();
    await client.authenticates({ username: local, password });
    await client.binds('balcony');
    await client.appears('<presence/>');
    return client;
  }

  /** Romeo uploads a file (XEP-0363). */
  async function uploads(name: string): Promise<void> {
    const wanted = `<request xmlns="urn:xmpp:http:upload:0" filename="${name}" size="5"/>`;
    const { raw } = await romeo.asks(`<iq type="get" to="upload.localhost">${wanted}</iq>`);
    const path = new RegExp(`<put url="${files}([^"]*)"/>`).exec(raw)?.[1];
    const { status } = await fetch(`http://127.0.0.1:${http}${path}`, { method: 'PUT', body: 'hello' });
    expect(status, raw).to.equal(201);
  }

  async function logIn(role: string): Promise<void> {
    const { url } = JSON.parse(await server.ampere('console', '--role', role, '--json'));
    await page.goto(url);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.waitForURL(/\/console$/);
  }

  const visit = (path: string) => page.goto(`http://localhost:${http}/console${path}`, { waitUntil: 'load' });
  const press = (name: string | RegExp) => page.getByRole('button', { name, exact: true }).first().click();
  const fill = (label: string, text: string) => page.getByLabel(label, { exact: false }).first().fill(text);
  const confirm = (path: string, word: string) =>
    page.locator(`form[action$="/${path}"]`).getByLabel(`To confirm, write ${word}`).fill(word);
  const notice = (text: string | RegExp) => page.locator('.notice').filter({ hasText: text }).waitFor();
  const account = (local: string) => `/account?jid=${local}@localhost`;

  const paths = [
    '',
    '?span=day',
    '/accounts',
    '/accounts?containing=rom',
    account('romeo'),
    '/invitations',
    '/sessions',
    '/rooms',
    `/room?room=${room}`,
    '/storage?user=romeo@localhost',
    '/reports',
    '/announcements',
    '/servers',
    '/components',
    '/rules',
    '/watch',
    '/configuration',
    '/check',
    '/audit',
  ];

  for (const path of paths) {
    it(`shows /console${path} to everybody, in light and dark, large and small`, async () => {
      expect((await visit(path))?.status()).to.equal(200);
      for (const [viewport, colorScheme] of looks) {
        await page.setViewportSize(viewport);
        await page.emulateMedia({ colorScheme });
        expect(await axeFindings(page), `${colorScheme}, ${viewport.width}`).to.deep.equal([]);
        const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
        expect(await page.evaluate(overflow), `too wide for ${viewport.width}`).to.equal(0);
      }
      await page.setViewportSize(desktop);
    });
  }

  it('lists every page in the navigation', async () => {
    await visit('');
    const links = await page.locator('.side nav a').evaluateAll((all) => all.map((one) => one.getAttribute('href')));
    const within = ['/account', '/room'];
    const listed = paths.map((path) => path.replace(/\?.*/, '')).filter((path) => !within.includes(path));
    expect(new Set(links)).to.deep.equal(new Set(listed.map((path) => `/console${path}`)));
  });

  it('opens its menu on a phone from the keyboard', async () => {
    await page.setViewportSize(phone);
    await visit('');
    await page.locator('.menu summary').focus();
    await page.keyboard.press('Enter');
    await page.locator('.menu').getByRole('link', { name: 'Sessions' }).click();
    await page.getByRole('heading', { name: 'Sessions', level: 1 }).waitFor();
    await page.setViewportSize(desktop);
  });

  it('shows times in the time zone of the reader', async () => {
    await visit('');
    const time = page.locator('time').first();
    const moment = new Date((await time.getAttribute('datetime')) ?? '');
    expect(await time.textContent()).to.match(localTime(moment, 'Asia/Kolkata'));
    expect(await time.getAttribute('title')).to.contain('GMT+5:30');
  });

  it('draws the figures as charts', async () => {
    await visit('');
    await page.locator('.chart svg[role="img"]').first().waitFor();
    expect(await page.locator('.chart svg').count()).to.equal(await page.locator('.chart').count());
  });

  it('suspends an account, and resumes it', async () => {
    await visit(account('tybalt'));
    await fill('Text for the user', 'Peace, I hate the word');
    await press('Suspend');
    await notice('tybalt@localhost is suspended');
    await press('Resume');
    await notice('may log in again');
  });

  it('approves an account, and rejects another', async () => {
    for (const local of ['benvolio', 'mercutio']) {
      const client = await stranger();
      const fields = `<username>${local}</username><password>${password}</password>`;
      const query = `<query xmlns="jabber:iq:register">${fields}</query>`;
      await client.gets(`<iq type="set">${query}</iq>`, '<iq type="result"/>');
      client.disconnects();
    }
    await visit('/accounts');
    await press('Approve');
    await notice('benvolio@localhost is approved.');
    await press('Reject');
    await notice('mercutio@localhost was removed.');
  });

  it('searches accounts', async () => {
    await visit('/accounts');
    await fill('Address contains', 'BAL');
    await press('Search');
    await page.getByRole('link', { name: 'tybalt@localhost' }).click();
    await page.getByText('The account has no session.').waitFor();
  });

  it('removes the access of a device', async () => {
    const phone = await stranger();
    const inline = '<user-agent id="d4565fa7-4d72-4749-b3d3-740edbf87770"><device>Pocket</device></user-agent>';
    expect((await logsIn(phone, { username: 'tybalt', password, inline })).name).to.equal('success');
    await visit(account('tybalt'));
    await page.getByRole('cell', { name: 'Pocket' }).waitFor();
    await press('Revoke');
    await notice('The device has no access any more, until it logs in with the password');
    phone.disconnects();
  });

  it('removes archived messages, if that is confirmed', async () => {
    romeo.sends('<message to="romeo@localhost" type="chat"><body>Soft</body></message>');
    await romeo.drains();
    await visit(account('romeo'));
    await page.getByText('Remove messages…').click();
    await confirm('account/purge', 'romeo@localhost');
    await press('Remove messages');
    await notice(/\d messages? removed/);
  });

  it('removes one file, and then all files of an account', async () => {
    for (const name of ['a.png', 'b.png', 'c.png']) await uploads(name);
    await visit('/storage?user=romeo@localhost');
    await page.getByRole('row', { name: 'b.png' }).getByRole('button', { name: 'Remove' }).click();
    await notice('1 file removed');
    await page.getByRole('cell', { name: 'c.png' }).waitFor();
    expect(await page.getByRole('cell', { name: 'b.png' }).count()).to.equal(0);
    await visit(account('romeo'));
    await page.getByText('Remove all files…').click();
    await confirm('account/remove-files', 'romeo@localhost');
    await press('Remove files');
    await notice('2 files removed');
  });

  it('removes an account, if that is confirmed', async () => {
    await visit(account('tybalt'));
    await page.getByText('Remove the account…').click();
    await page.getByLabel('To confirm, write tybalt@localhost').last().fill('no');
    await press('Remove the account');
    await notice('Nothing was done');
    await visit(account('tybalt'));
    await page.getByText('Remove the account…').click();
    await page.getByLabel('To confirm, write tybalt@localhost').last().fill('tybalt@localhost');
    await press('Remove the account');
    await notice('tybalt@localhost was removed');
  });

  it('invites somebody, shows the link once, and revokes it', async () => {
    await visit('/invitations');
    await fill('User name', 'mercutio');
    await press('Make an invitation');
    await page.getByText('xmpp:mercutio@localhost').waitFor();
    expect(await axeFindings(page)).to.deep.equal([]);
    await page.getByRole('link', { name: 'All invitations' }).click();
    await page.getByText('an account at localhost, as mercutio').waitFor();
    await press('Revoke');
    await notice('The invitation is revoked');
  });

  it('makes a link for a new password', async () => {
    await visit(account('juliet'));
    await press('Make a link for a new password');
    await page.getByRole('heading', { name: 'The link for a new password' }).waitFor();
  });

  it('ends a session', async () => {
    const juliet = await arrival('juliet');
    await visit('/sessions?user=juliet@localhost');
    await press('End');
    await notice('juliet@localhost/balcony was disconnected');
    juliet.disconnects();
  });

  it('shows a room, changes an affiliation, kicks an occupant, and destroys the room', async () => {
    romeo.sends(`<presence to="${room}/romeo"><x xmlns="http://jabber.org/protocol/muc"/></presence>`);
    await romeo.drains();
    await visit(`/room?room=${room}`);
    await page.getByRole('cell', { name: 'romeo@localhost/balcony' }).waitFor();
    await press('Kick');
    await notice('romeo was removed from the room');
    await fill('Address', 'nurse@localhost');
    await page.locator('select[name="affiliation"]').selectOption('admin');
    await press('Set affiliation');
    await notice('The affiliation of nurse@localhost is admin now');
    await page.getByText('Remove archived messages…').click();
    await page.getByLabel(`To confirm, write ${room}`).first().fill(room);
    await press('Remove messages');
    await notice('removed');
    await page.getByText('Destroy the room…').click();
    await page.getByLabel(`To confirm, write ${room}`).last().fill(room);
    await press('Destroy the room');
    await notice(`${room} was destroyed`);
    await page.getByText('There are no rooms.').waitFor();
  });

  it('says why another server is not reached', async () => {
    await visit('/servers');
    await fill('Domain', 'elsewhere.example');
    await press('Test');
    await page.getByText('not reached').waitFor();
    await page.getByRole('cell', { name: 'connection' }).waitFor();
  });

  it('blocks a domain, and takes it back', async () => {
    await visit('/servers');
    await page.locator('form[action$="/servers/block"]').getByLabel('Domain').fill('*.spam.example');
    await press('Block');
    await notice('*.spam.example is blocked');
    await press('Unblock');
    await notice('*.spam.example is not blocked any more');
  });

  it('shows a report of abuse and removes it', async () => {
    romeo.sends(
      `<iq id="b" type="set"><block xmlns="urn:xmpp:blocking"><item jid="spam@example.net">
      <report xmlns="urn:xmpp:reporting:1" reason="urn:xmpp:reporting:spam"><text>&lt;b&gt;Buy!&lt;/b&gt;</text></report></item></block></iq>`,
    );
    await romeo.drains();
    await visit('/reports');
    await page.getByRole('link', { name: /^Report \d/ }).click();
    await page.getByText('<b>Buy!</b>').waitFor();
    expect(await axeFindings(page)).to.deep.equal([]);
    await press('Remove the report');
    await notice(/Report \d+ was removed/);
  });

  it('explains step by step what rules would do', async () => {
    await visit('/rules');
    // Senders who may see the presence of the recipient, such as himself, may have reports.
    await fill('From', 'romeo@localhost');
    await fill('To', 'romeo@localhost');
    await page.getByLabel('Action 1').selectOption('notify');
    await page.getByLabel('Condition').first().selectOption('deliver');
    await page.getByLabel('Value').first().fill('direct');
    await press('Explain');
    await page.getByText('It would be delivered to romeo@localhost/balcony.').waitFor();
    await page.getByText('fires', { exact: true }).waitFor();
    expect(await axeFindings(page)).to.deep.equal([]);
    // The form stays filled, for the next try.
    expect(await page.getByLabel('Value').first().inputValue()).to.equal('direct');
  });

  it('announces, and sets a text for users who come online', async () => {
    await visit('/announcements');
    await page.locator('form[action$="/send"]').getByLabel('Text').fill('The server moves tonight.');
    await press('Announce');
    await notice('Sent to 1 account');
    const got = await romeo.drains();
    expect(got.map(({ raw }) => raw).join('')).to.contain('The server moves tonight.');
    await page.locator('form[action$="/set"]').getByLabel('Text').fill('Welcome to Verona');
    await press('Set');
    await notice('Users who are online get it now');
    await press('Remove');
    await notice('was removed');
  });

  it('reads the configuration again', async () => {
    await visit('/configuration');
    await press('Read the file and the certificates again');
    await notice('were read again');
  });

  it('watches stanzas and the log, without what users say', async () => {
    await visit('/watch');
    await fill('Address', 'romeo@localhost');
    await press('Start');
    await page.getByText('Watching.').waitFor();
    romeo.sends('<message to="romeo@localhost" type="chat"><body>a secret word</body></message>');
    await page.locator('#lines .stanza').first().waitFor();
    expect(await page.locator('#lines').textContent())
      .to.contain('from romeo@localhost')
      .and.not.to.contain('secret');
    await press('Stop');
    await page.getByText('Stopped.').waitFor();
  });

  it('records what was done', async () => {
    await visit('/audit?subject=tybalt@localhost');
    for (const operation of ['PUT /suspensions', 'DELETE /suspensions', 'DELETE /users']) {
      await page.getByRole('cell', { name: operation, exact: true }).first().waitFor();
    }
  });

  it('has a test for every form', () => {
    const missing = actions.filter(({ path }) => !submitted.has(`/console/${path}`));
    expect(missing.map(({ path }) => path)).to.deep.equal([]);
  });

  it('takes no form from a page of another origin, not even on this machine', async () => {
    await visit(account('juliet'));
    const form = page.locator('form[action$="/account/suspend"] input[name="form"]');
    const token = await form.getAttribute('value');
    const site = createServer((_request, response) =>
      response.setHeader('content-type', 'text/html').end(`<!doctype html>
<form method="post" action="http://localhost:${http}/console/account/suspend">
<input name="jid" value="juliet@localhost"><input name="form" value="${token}"><button>Win</button></form>`),
    );
    site.listen(0, '127.0.0.1');
    await new Promise((resolve) => site.once('listening', resolve));
    const foreign = await context.newPage();
    await foreign.goto(`http://localhost:${(site.address() as AddressInfo).port}/`);
    const answer = foreign.waitForResponse(/account\/suspend/);
    await foreign.getByRole('button', { name: 'Win' }).click();
    expect((await answer).status()).to.equal(403);
    await foreign.close();
    site.close();
    await visit(account('juliet'));
    await page.getByText('active', { exact: true }).waitFor();
  });

  it('shows an observer no form', async () => {
    await logIn('observer');
    await visit(account('juliet'));
    const forms = page.locator('main form[method="post"]');
    expect(await forms.count()).to.equal(0);
    await logIn('operator');
  });

  it('logs out', async () => {
    await visit('');
    await page.locator('.side').getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Logged out' }).waitFor();
    await visit('/accounts');
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    complaints.splice(0);
  });
});
