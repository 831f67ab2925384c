import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { directoryRoutes } from '../../../src/web/http/assets.ts';
import { exchange, TrialListener } from './raw-http.ts';

describe('Files for browsers', () => {
  let directory: string;
  let trial: TrialListener;
  let port: number;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ampere-assets-'));
    const assets = join(directory, 'assets');
    await mkdir(join(assets, 'browser/chat'), { recursive: true });
    await mkdir(join(assets, 'protocol'));
    await writeFile(join(assets, 'browser/chat/main.js'), 'import "../../protocol/ns.js";');
    await writeFile(join(assets, 'browser/chat.css'), 'body{}');
    await writeFile(join(assets, 'browser/chat.svg'), '<svg/>');
    await writeFile(join(assets, 'browser/notes.txt'), 'not for browsers');
    await writeFile(join(directory, 'secret.js'), 'outside');
    await symlink(join(directory, 'secret.js'), join(assets, 'protocol/secret.js'));
    trial = new TrialListener(directoryRoutes('/assets', assets));
    port = await trial.open();
  });
  after(async () => {
    await trial.listener.stop(0);
    await rm(directory, { recursive: true, force: true });
  });

  for (const [path, type] of [
    ['browser/chat/main.js', 'text/javascript; charset=utf-8'],
    ['browser/chat.css', 'text/css; charset=utf-8'],
    ['browser/chat.svg', 'image/svg+xml'],
  ])
    it(`are sent with their type, and never guessed: ${path}`, async () => {
      const answer = await exchange(port, `GET /assets/${path}`);
      expect(answer).to.match(/^HTTP\/1\.1 200 /);
      expect(answer).to.contain(`content-type: ${type}\r\n`).and.contain('x-content-type-options: nosniff');
      expect(answer).to.contain('cache-control: no-cache').and.contain('cross-origin-resource-policy: same-origin');
    });

  it('are sent again only if they have changed', async () => {
    const first = await exchange(port, 'GET /assets/browser/chat.css');
    const [, tag = ''] = /^etag: (.*)\r$/m.exec(first) ?? [];
    const path = '/assets/browser/chat.css';
    const unchanged = await exchange(port, `GET ${path}`, '', [`If-None-Match: W/"other", ${tag}`]);
    expect(unchanged).to.match(/^HTTP\/1\.1 304 /);
    await writeFile(join(directory, 'assets/browser/chat.css'), 'body{color:red}');
    const changed = await exchange(port, `GET ${path}`, '', [`If-None-Match: ${tag}`]);
    expect(changed).to.match(/^HTTP\/1\.1 200 .*color:red/s);
  });

  for (const path of [
    'browser/notes.txt',
    'protocol/secret.js',
    'browser/../../secret.js',
    'browser/%2e%2e/secret.js',
    'browser%2Fchat.css',
    'browser/chat/',
    'browser/chat',
    'constructor/prototype',
  ])
    it(`are only those of the list: ${path} is not one`, async () => {
      expect(await exchange(port, `GET /assets/${path}`)).to.match(/^HTTP\/1\.1 404 /);
    });
});
