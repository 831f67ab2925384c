import { expect } from 'chai';
import type { HttpRoute } from '../../../src/routing/http-route.ts';
import { homePageRoute } from '../../../src/web/home-page.ts';
import { formBytes, readForm } from '../../../src/web/html/form.ts';
import { html } from '../../../src/web/html/html.ts';
import { pageAnswer } from '../../../src/web/html/page.ts';
import { pageAssetRoutes } from '../../../src/web/html/page-assets.ts';
import { exchange, TrialListener } from '../http/raw-http.ts';

const form: HttpRoute = {
  methods: ['GET', 'POST'],
  path: '/form',
  bodyBytes: formBytes,
  handle: async (request) => {
    if (request.method !== 'POST') return pageAnswer({ title: 'A <form>', body: html`<main></main>` });
    const name = (await readForm(request)).get('name') ?? '';
    return pageAnswer({ title: name, body: html`<main></main>`, scripts: ['/assets/form.js'], status: 422 });
  },
};

describe('Pages', () => {
  const home = homePageRoute({ domains: ['chat.example'], chatPath: () => '/chat' });
  const web = new TrialListener([...pageAssetRoutes(), home, form]);
  let port: number;

  before(async () => {
    port = await web.open();
  });
  after(() => web.listener.stop(0));

  it('run no script, unless they bring one, and nothing from elsewhere', async () => {
    const policy = /^content-security-policy: (.*)\r$/m;
    const [, without] = policy.exec(await exchange(port, 'GET /form')) ?? [];
    const sent = ['Content-Type: application/x-www-form-urlencoded', 'Sec-Fetch-Site: same-origin'];
    const [, scripted] = policy.exec(await exchange(port, 'POST /form', 'name=x', sent)) ?? [];
    const base =
      "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    expect([without, scripted]).to.deep.equal([base, `${base}; script-src 'self'; connect-src 'self'`]);
  });

  it('are not kept by browsers, nor listed by search engines', async () => {
    const answer = await exchange(port, 'GET /form');
    for (const line of ['cache-control: no-store', 'x-robots-tag: noindex', 'x-content-type-options: nosniff'])
      expect(answer).to.include(`\r\n${line}\r\n`);
  });

  it('answer forms', async () => {
    const sent = ['Content-Type: application/x-www-form-urlencoded', 'Sec-Fetch-Site: same-origin'];
    const answer = await exchange(port, 'POST /form', 'name=%3Cb%3E', sent);
    expect(answer).to.match(/^HTTP\/1\.1 422 /);
    expect(answer).to.include('<title>&lt;b&gt;</title>');
    expect(await exchange(port, 'POST /form', 'name=x', ['Sec-Fetch-Site: cross-site'])).to.match(/^HTTP\/1\.1 403 /);
    expect(await exchange(port, 'POST /form', 'x'.repeat(formBytes + 1), sent)).to.match(/^HTTP\/1\.1 413 /);
  });

  it('share a stylesheet and an icon, at addresses that they name', async () => {
    const answer = await exchange(port, 'GET /');
    const paths = Array.from(answer.matchAll(/<link rel="\w+" href="([^"]+)"/g), ([, path = '']) => path);
    expect(paths).to.have.length(2);
    for (const path of paths) expect(await exchange(port, `GET ${path}`)).to.match(/^HTTP\/1\.1 200 /);
    expect(await exchange(port, `GET ${paths[1]}`)).to.include('immutable');
  });

  it('at the root say whose server it is, and lead to the chat page where it is open', async () => {
    const answer = await exchange(port, 'GET /');
    expect(answer).to.include('<h1>chat.example</h1>').and.include('href="/chat"');
  });

  it('say what is wrong to people, and not to programs', async () => {
    const forPeople = await exchange(port, 'GET /nothing', '', ['Accept: text/html,*/*']);
    expect(forPeople)
      .to.match(/^HTTP\/1\.1 404 /)
      .and.include('<h1>There is no such page</h1>');
    expect(await exchange(port, 'GET /nothing', '', ['Accept: */*'])).to.match(/\r\n\r\n$/);
  });
});
