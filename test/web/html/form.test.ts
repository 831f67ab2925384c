import { expect } from 'chai';
import { HttpError } from '../../../src/routing/http-route.ts';
import { isProtected, readForm } from '../../../src/web/html/form.ts';

describe('Forms of pages', () => {
  const urlEncoded = { 'content-type': 'application/x-www-form-urlencoded' };
  const own = { ...urlEncoded, 'sec-fetch-site': 'same-origin' };

  async function* bodyOf(...parts: readonly string[]) {
    for (const part of parts) yield Buffer.from(part);
  }

  const statusOf = (headers: Readonly<Record<string, string>>) =>
    readForm({ headers, body: bodyOf('name=juliet') }).then(
      () => 200,
      (error: unknown) => (error instanceof HttpError ? error.status : error),
    );

  it('are read', async () => {
    const form = await readForm({ headers: own, body: bodyOf('name=juli', 'et&text=f%C3%BC', 'r+you') });
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

describe('A request', () => {
  const near = { secure: false, remoteAddress: '127.0.0.1', headers: { host: 'localhost:5280' } };

  for (const [what, request, expected] of [
    ['over TLS', { ...near, secure: true, remoteAddress: '192.0.2.1' }, true],
    ['of this machine', near, true],
    ['of this machine over IPv6', { ...near, remoteAddress: '::1', headers: { host: '[::1]:5280' } }, true],
    ['of this machine to a mapped address', { ...near, remoteAddress: '::ffff:127.0.0.1' }, true],
    ['from another machine', { ...near, remoteAddress: '192.0.2.1' }, false],
    ['that names another host', { ...near, headers: { host: 'localhost.example' } }, false],
    ['that names no host', { ...near, headers: {} }, false],
    ['that a proxy passes on', { ...near, headers: { ...near.headers, 'x-forwarded-for': '192.0.2.1' } }, false],
    ['that a proxy passes on by RFC 7239', { ...near, headers: { ...near.headers, forwarded: 'for=x' } }, false],
  ] as const) {
    it(`${what} is ${expected ? '' : 'not '}protected`, () => {
      expect(isProtected(request)).to.equal(expected);
    });
  }
});
