import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { TestClient } from '../support/test-client.ts';
import { findTree } from '../support/xml-tree.ts';

const executablePath = '/usr/bin/chromium';
const password = 'a password for files';

/** What a file that runs does. */
const code = "fetch('/it-runs')";
const markup = `<script>${code}</script><img src="/no-picture" onerror="${code}">`;
const svg = `<svg xmlns="http://www.w3.org/2000/svg" onload="${code}"><script>${code}</script></svg>`;
const xhtml = `<html xmlns="http://www.w3.org/1999/xhtml"><script>${code}</script></html>`;

/** Files that would run in a browser if it took them for what they claim to be, or guessed. */
const files: readonly (readonly [name: string, type: string | undefined, content: string])[] = [
  ['page.html', 'text/html', markup],
  ['page.html', undefined, markup],
  ['page.txt', 'text/plain', markup],
  ['page.xhtml', 'application/xhtml+xml', xhtml],
  ['page.xml', 'text/xml', xhtml],
  ['page.xsl', 'text/xsl', xhtml],
  ['picture.svg', 'image/svg+xml', svg],
  ['page.mht', 'multipart/related', `Content-Type: text/html\r\n\r\n${markup}`],
  ['page.pdf', 'application/pdf', `%PDF-1.4\n1 0 obj << /OpenAction << /S /JavaScript /JS (${code}) >> >>`],
  ['code.js', 'text/javascript', code],
  ['code.mjs', 'application/javascript', code],
  ['code.json', 'application/json', code],
  ['style.css', 'text/css', `body { background: url('/it-runs') }`],
  ['photo.png', 'image/png', markup],
  ['photo.jpg', 'image/jpeg', code],
  ['photo.gif', 'image/gif', `GIF89a=0;${code}`],
  ['photo.webp', 'image/webp', svg],
  ['sound.ogg', 'audio/ogg', markup],
  ['video.mp4', 'video/mp4', markup],
  ['nothing', 'application/octet-stream', code],
  ['nothing', 'x/y', markup],
];

describe('Uploaded files in Chromium', () => {
  let server: ServerProcess;
  let browser: Browser | undefined;
  let romeo: TestClient | undefined;
  let page: Page;
  let addresses: string[];
  /** Whether something has run. */
  let runs = false;

  before(async function () {
    if (!existsSync(executablePath)) {
      console.log('    skipped: not installed: chromium');
      return this.skip();
    }
    server = await startServer({ https: true });
    await server.addUser('romeo@localhost', password);
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--ignore-certificate-errors'] });
    romeo = await online();
    page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
    page.on('request', (request) => {
      if (request.url().endsWith('/it-runs')) runs = true;
    });
    addresses = [];
    for (const [name, type, content] of files) addresses.push(await uploads(romeo, name, type, content));
  });
  after(async () => {
    romeo?.disconnects();
    await browser?.close();
    await server?.stop();
  });

  async function online(): Promise<TestClient> {
    const { host, ports } = server.place;
    const tls = { ca: await readFile(server.caFile), servername: 'localhost' };
    const client = await TestClient.connect({ host, port: ports.direct, tls }, 'localhost');
    await client.opens();
    await client.authenticates({ username: 'romeo', password });
    await client.binds();
    return client;
  }

  /** Uploads a file. Returns the address at which others read it. */
  async function uploads(client: TestClient, name: string, type: string | undefined, content: string): Promise<string> {
    const wanted = `filename="${name}" size="${Buffer.byteLength(content)}"${type ? ` content-type="${type}"` : ''}`;
    const slot = await client.asks(
      `<iq type="get" to="upload.localhost"><request xmlns="urn:xmpp:http:upload:0" ${wanted}/></iq>`,
    );
    const urlOf = (element: string) => findTree(slot, element)?.attributes.get('url') ?? '';
    const headers = type === undefined ? {} : { 'content-type': type };
    const answer = await page.request.put(urlOf('put'), { data: Buffer.from(content), headers });
    expect(answer.status()).to.equal(201);
    return urlOf('get');
  }

  /** Shows a page that the test wrote, at the origin of the server. */
  async function shows(page: Page, content: string): Promise<void> {
    const address = new URL('/page-of-the-test', addresses[0]).href;
    await page.route(address, (route) => route.fulfill({ contentType: 'text/html', body: content }));
    await page.goto(address, { waitUntil: 'load' });
    await page.unroute(address);
  }

  it('would be seen to run', async () => {
    // Its requests may come late, so it is another page.
    const control = await page.context().newPage();
    const seen = control.waitForRequest(/it-runs$/);
    await shows(control, markup);
    await seen;
    await control.close();
  });

  it('do not run when somebody opens them', async () => {
    // Those that are only for saving begin a download, which ends the navigation.
    for (const address of addresses) await page.goto(address, { waitUntil: 'load' }).catch(() => undefined);
    expect(runs).to.equal(false);
  });

  it('are no scripts, styles or frames of a page of this server', async () => {
    const uses = addresses.flatMap((address) => [
      `<script src="${address}"></script>`,
      `<script type="module" src="${address}"></script>`,
      `<link rel="stylesheet" href="${address}">`,
      `<iframe src="${address}"></iframe>`,
      `<object data="${address}"></object>`,
    ]);
    await shows(page, `<!doctype html><body>${uses.join('\n')}</body>`);
    expect(runs).to.equal(false);
  });
});
