import { expect } from 'chai';
import { HttpError } from '../../../src/routing/http-route.ts';
import { readForm } from '../../../src/web/html/form.ts';

describe('Forms of pages', () => {
  const urlEncoded = { 'content-type': 'application/x-www-form-urlencoded' };
  const own = { ...urlEncoded, 'sec-fetch-site': 'same-origin' };

  async function* bodyOf(...parts: readonly string[]) {
    for (const part of parts) yield Buffer.from(part);
  }

  const statusOf = (headers: Readonly<Record<string, string>>, secure = false) =>
    readForm({ headers, secure, body: bodyOf('name=juliet') }).then(
      () => 200,
      (error: unknown) => (error instanceof HttpError ? error.status : error),
    );

  it('are read', async () => {
    const form = await readForm({ headers: own, secure: false, body: bodyOf('name=juli', 'et&text=f%C3%BC', 'r+you') });
    expect([...form]).to.deep.equal([
      ['name', 'juliet'],
      ['text', 'für you'],
    ]);
  });

  it('may not come from another site, nor from somewhere unknown', async () => {
    expect(await statusOf({ ...own, 'sec-fetch-site': 'cross-site' })).to.equal(403);
    expect(await statusOf(urlEncoded)).to.equal(403);
  });

  it('have one content type', async () => {
    expect(await statusOf({ ...own, 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' })).to.equal(
      200,
    );
    expect(await statusOf({ ...own, 'content-type': 'text/plain' })).to.equal(415);
  });

  it('over TLS do not come from a page without', async () => {
    const from = (origin: string) => statusOf({ ...urlEncoded, origin, host: 'x.example' }, true);
    expect(await from('https://x.example')).to.equal(200);
    expect(await from('http://x.example')).to.equal(403);
  });

  for (const [headers, isOwn] of [
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'same-site', origin: 'https://x.example', host: 'x.example' }, false],
    [{ 'sec-fetch-site': 'none' }, false],
    [{ origin: 'https://x.example', host: 'x.example' }, true],
    [{ origin: 'http://localhost:5280', host: 'localhost:5280' }, true],
    [{ origin: 'https://y.example', host: 'x.example' }, false],
    [{ origin: 'https://x.example:444', host: 'x.example' }, false],
    [{ origin: 'null', host: 'x.example' }, false],
    [{ host: 'x.example' }, false],
  ] as const) {
    it(`${isOwn ? 'are' : 'are not'} from an own page with ${JSON.stringify(headers)}`, async () => {
      expect(await statusOf({ ...urlEncoded, ...headers })).to.equal(isOwn ? 200 : 403);
    });
  }
});
