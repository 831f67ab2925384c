import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import type { TestClient } from '../support/test-client.ts';
import { connected, remaining, requestText } from '../web/http/raw-http.ts';

const service = 'upload.localhost';
const ns = 'urn:xmpp:http:upload:0';
const url = 'https://files.example.org';
const here = [{ host: '127.0.0.1', port: 0 }];

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** The paths of a slot. */
interface SlotPaths {
  readonly put: string;
  readonly get: string;
}

describe('HTTP File Upload (XEP-0363)', () => {
  const stage = new Stage({
    settings: {
      listen: { c2s: here, c2sTls: here, http: here, https: here },
      web: { publicUrl: url },
      uploads: { maxFileBytes: 1_000_000, reserveBytes: 0 },
      limits: { disabled: true },
    },
  });

  const slotRequest = (name: string, size: number | string, type = '') =>
    `<iq type="get" to="${service}"><request xmlns="${ns}" filename="${name}" size="${size}" ${type}/></iq>`;

  async function slot(client: TestClient, name: string, size: number, type = ''): Promise<SlotPaths> {
    const { raw } = await client.asks(slotRequest(name, size, type));
    const path = (which: string) => new RegExp(`<${which} url="${url}(/[^"]*)"/>`).exec(raw)?.[1] ?? `none in ${raw}`;
    return { put: path('put'), get: path('get') };
  }

  /** Sends a request over TLS. */
  async function asks(
    method: string,
    path: string,
    body = '',
    headers: RequestOptions['headers'] = {},
  ): Promise<Answer> {
    const { host, port, tls } = stage.server.https ?? {};
    const options = { host, port, ...tls, agent: false, method, path, headers } as RequestOptions;
    const sent = request(options);
    const answered = once(sent, 'response');
    sent.end(body);
    const [response] = (await answered) as [IncomingMessage];
    const { statusCode: status = 0 } = response;
    return { status, headers: response.headers, body: (await buffer(response)).toString() };
  }

  /** Uploads a text and resolves with the path to read it. */
  async function uploads(client: TestClient, name: string, text: string, type = ''): Promise<string> {
    const { put, get } = await slot(client, name, Buffer.byteLength(text), type && `content-type="${type}"`);
    expect((await asks('PUT', put, text, type ? { 'content-type': type } : {})).status).to.equal(201);
    return get;
  }

  const httpPort = () => stage.server.http?.port ?? 0;

  it('is found in service discovery, with the largest size (XEP-0363 §4)', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const items = '<iq type="get" to="localhost"><query xmlns="http://jabber.org/protocol/disco#items"/></iq>';
    expect((await juliet.asks(items)).raw).to.contain(`<item jid="${service}" name="File upload"/>`);
    const info = `<iq type="get" to="${service}"><query xmlns="http://jabber.org/protocol/disco#info"/></iq>`;
    expect((await juliet.asks(info)).raw)
      .to.contain('<identity category="store" type="file" ')
      .and.contain(`<feature var="${ns}"/>`)
      .and.match(
        /<x xmlns="jabber:x:data" type="result"><field var="FORM_TYPE" type="hidden"><value>urn:xmpp:http:upload:0</,
      )
      .and.contain('<field var="max-file-size"><value>1000016</value></field>');
  });

  it('moves a file from one user to everybody who is told of it', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const text = 'x'.repeat(300_000);
    const { put, get } = await slot(juliet, 'très cool.png', text.length, 'content-type="image/png"');
    expect(put).to.match(/^\/upload\/[\w-]{44}\/tr%C3%A8s%20cool\.png$/);
    expect(get).to.match(/^\/files\/[\w-]{22}\/tr%C3%A8s%20cool\.png$/);
    expect((await asks('GET', get)).status).to.equal(404);
    const stored = await asks('PUT', put, text, { 'content-type': 'image/png' });
    expect([stored.status, stored.headers['access-control-allow-origin']]).to.deep.equal([201, '*']);
    const { status, headers, body } = await asks('GET', get);
    expect([status, body === text]).to.deep.equal([200, true]);
    expect(headers).to.include({
      'content-type': 'image/png',
      'content-length': String(text.length),
      'content-disposition': "inline; filename*=UTF-8''tr%C3%A8s%20cool.png",
      'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'access-control-allow-origin': '*',
      'cache-control': 'private, max-age=86400',
      'cross-origin-resource-policy': 'cross-origin',
    });
    const head = await asks('HEAD', get);
    expect([head.status, head.headers['content-length'], head.headers['content-type'], head.body]).to.deep.equal([
      200,
      String(text.length),
      'image/png',
      '',
    ]);
  });

  it('offers what browsers could run only for saving', async () => {
    const { juliet } = await stage.enter(['juliet']);
    for (const type of ['text/html', 'image/svg+xml', 'application/javascript']) {
      const { headers } = await asks('GET', await uploads(juliet, 'x.html', '<script>alert(1)</script>', type));
      expect(headers['content-type']).to.equal('application/octet-stream');
      expect(headers['content-disposition']).to.equal("attachment; filename*=UTF-8''x.html");
    }
  });

  it('serves parts, and nothing to those who have it (RFC 9110 §13, §14)', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const path = await uploads(juliet, 'a.txt', '0123456789');
    const { etag = '' } = (await asks('GET', path)).headers;
    const part = await asks('GET', path, '', { range: 'bytes=2-4' });
    expect([part.status, part.body, part.headers['content-range'], part.headers['content-length']]).to.deep.equal([
      206,
      '234',
      'bytes 2-4/10',
      '3',
    ]);
    const none = await asks('GET', path, '', { range: 'bytes=10-' });
    expect([none.status, none.headers['content-range']]).to.deep.equal([416, 'bytes */10']);
    expect((await asks('GET', path, '', { range: 'bytes=2-4', 'if-range': etag })).status).to.equal(206);
    expect((await asks('GET', path, '', { range: 'bytes=2-4', 'if-range': '"other"' })).body).to.equal('0123456789');
    for (const tag of [etag, `"other", W/${etag}`, '*']) {
      const cached = await asks('GET', path, '', { 'if-none-match': tag });
      expect([cached.status, cached.headers.etag, cached.headers['content-length']]).to.deep.equal([
        304,
        etag,
        undefined,
      ]);
    }
    expect((await asks('GET', path, '', { 'if-none-match': '"other"' })).status).to.equal(200);
  });

  it('lets pages of every origin upload and read (CORS)', async () => {
    for (const path of ['/upload/unknown/a.png', '/files/unknown/a.png']) {
      const { status, headers } = await asks('OPTIONS', path);
      expect(status).to.equal(204);
      expect(headers).to.include({
        'access-control-allow-origin': '*',
        'access-control-allow-headers': 'Content-Type, Authorization',
        'access-control-max-age': '86400',
      });
    }
    expect((await asks('OPTIONS', '/upload/x/a')).headers['access-control-allow-methods']).to.contain('PUT');
    const refused = await asks('PUT', '/upload/unknown/a.png', 'x');
    expect([refused.status, refused.headers['access-control-allow-origin']]).to.deep.equal([404, '*']);
  });

  for (const [what, wanted, error] of [
    ['a file that is too large', slotRequest('a', 1_000_017), 'not-acceptable'],
    ['a file without a size', slotRequest('a', ''), 'bad-request'],
    ['a size that is no number', slotRequest('a', '0x10'), 'bad-request'],
    ['an empty file', slotRequest('a', 0), 'bad-request'],
    ['a file without a name', slotRequest('', 10), 'bad-request'],
    ['a type that is none', slotRequest('a', 10, 'content-type="&#10;"'), 'bad-request'],
    ['a slot of a user of the service', slotRequest('a', 10).replace(service, `x@${service}`), 'item-not-found'],
  ] as const)
    it(`refuses ${what} with ${error}`, async () => {
      const { juliet } = await stage.enter(['juliet']);
      const { raw } = await juliet.asks(wanted);
      expect(raw)
        .to.match(/type="error"/)
        .and.contain(`<${error} xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>`);
      if (error === 'not-acceptable')
        expect(raw).to.contain(`<file-too-large xmlns="${ns}"><max-file-size>1000016</max-file-size></file-too-large>`);
    });

  it('needs all bytes of a file, and a Content-Length', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const { put, get } = await slot(juliet, 'a', 10);
    const chunked = await connected(httpPort());
    chunked.write(
      requestText(`PUT ${put}`, ['Transfer-Encoding: chunked', 'Connection: close'], 'a\r\n0123456789\r\n0\r\n\r\n'),
    );
    expect(await remaining(chunked)).to.match(/^HTTP\/1\.1 411 /);
    expect((await asks('PUT', put, '012345678')).status).to.equal(413);
    expect((await asks('PUT', put, '0123456789a')).status).to.equal(413);
    expect((await asks('PUT', put, 'x'.repeat(1_000_017))).status).to.equal(413);
    const short = await connected(httpPort());
    short.write(requestText(`PUT ${put}`, ['Content-Length: 10'], '').concat('01234'));
    short.end();
    await remaining(short);
    expect((await asks('GET', get)).status).to.equal(404);
    // The slot is free again when the server has noticed the end of the connection.
    let status = 409;
    while (status === 409) ({ status } = await asks('PUT', put, '0123456789'));
    expect(status).to.equal(201);
    expect((await asks('PUT', put, '9876543210')).status).to.equal(409);
    expect((await asks('GET', get)).body).to.equal('0123456789');
  });

  it('takes only one of two uploads to a slot', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const { put, get } = await slot(juliet, 'a', 10);
    const first = await connected(httpPort());
    first.write(requestText(`PUT ${put}`, ['Expect: 100-continue', 'Content-Length: 10', 'Connection: close']));
    await once(first, 'data');
    expect((await asks('PUT', put, 'the second')).status).to.equal(409);
    first.write('the first.');
    expect(await remaining(first)).to.match(/^HTTP\/1\.1 201 /);
    expect((await asks('GET', get)).body).to.equal('the first.');
  });

  it('takes bytes behind a file for the next request', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const { put, get } = await slot(juliet, 'a', 3);
    const socket = await connected(httpPort());
    const next = requestText('GET /healthz', ['Connection: close']);
    socket.write(requestText(`PUT ${put}`, ['Content-Length: 3']).concat(`abc${next}`));
    expect(await remaining(socket)).to.match(/^HTTP\/1\.1 201 .*HTTP\/1\.1 200 .*\r\n\r\nok\n$/s);
    expect((await asks('GET', get)).body).to.equal('abc');
  });

  for (const path of [
    '/files/../ampere.db/x',
    '/files/%2e%2e%2fampere.db/x',
    '/files/..%2f..%2fampere.db/x',
    '/files//x',
    '/files/a%00b/x',
    '/files/incoming/x',
    '/upload/__proto__/x',
    '/upload/%2e%2e/%2e%2e/etc/passwd',
  ])
    it(`has nothing at ${path}`, async () => {
      const socket = await connected(httpPort());
      socket.write(requestText(`GET ${path}`, ['Connection: close']));
      expect(await remaining(socket)).to.match(/^HTTP\/1\.1 40[45] /);
    });

  it('says that the files of a removed account are gone', async () => {
    const juliet = await (await stage.account('juliet')).arrives();
    const path = await uploads(juliet, 'a', 'text');
    await juliet.gets('<iq type="set"><query xmlns="jabber:iq:register"><remove/></query></iq>', '<iq type="result"/>');
    expect((await asks('GET', path)).status).to.equal(410);
  });

  it('keeps files over a restart', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const path = await uploads(juliet, 'a', 'text');
    stage.leave();
    await stage.server.restart();
    expect((await asks('GET', path)).body).to.equal('text');
  });
});

describe('HTTP File Upload without an address that clients reach over TLS', () => {
  const stage = new Stage({ settings: { listen: { c2s: here, c2sTls: here, http: here } } });

  it('is not offered', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const items = '<iq type="get" to="localhost"><query xmlns="http://jabber.org/protocol/disco#items"/></iq>';
    expect((await juliet.asks(items)).raw).to.not.contain(service);
  });
});
