import { expect } from 'chai';
import { type Browser, checkHostMeta } from '../../src/check/check-host-meta.ts';
import { configSchema } from '../../src/config/schema.ts';
import { hostMetaFiles } from '../../src/web/host-meta.ts';
import { Workplace } from './run.ts';

const shared = { 'access-control-allow-origin': '*' };
const everywhere = [{ host: '::', port: 5222 }];

describe('check of host-meta (XEP-0156)', () => {
  let answers: Map<string, () => Response>;
  let dead: Set<string>;

  const browser: Browser = {
    fetch: async (url, options) => {
      const answer = answers.get(`${options?.method ?? 'GET'} ${url}`);
      if (!answer) throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
      return answer();
    },
    connect: async (url) => {
      if (dead.has(url)) throw new Error('no WebSocket can be opened');
    },
  };

  const found = async (settings: object = {}) => {
    const input = {
      domains: ['a.example'],
      listen: { c2s: everywhere },
      web: { publicUrl: 'https://w.example' },
      ...settings,
    };
    const findings = await checkHostMeta(configSchema({ directory: '/', environment: {} }).parse(input), browser);
    return findings.map(({ level, topic, message }) => `${level} ${topic}: ${message}`);
  };

  const serve = (path: string, content: string, headers: Readonly<Record<string, string>> = shared) =>
    answers.set(`GET https://a.example/.well-known/${path}`, () => new Response(content, { headers }));

  beforeEach(() => {
    answers = new Map();
    dead = new Set();
    const [xml, json] = hostMetaFiles('https://w.example');
    serve('host-meta', xml.content);
    serve('host-meta.json', json.content);
    for (const path of ['http-bind', 'upload/token/name'])
      answers.set(`OPTIONS https://w.example/${path}`, () => new Response(null, { status: 204, headers: shared }));
  });

  it('is content if all of it works', async () => {
    expect(await found()).to.deep.equal([
      'ok web: Clients in browsers find a.example at https://w.example/http-bind and wss://w.example/xmpp-websocket.',
    ]);
  });

  it('reads what others have written', async () => {
    serve(
      'host-meta',
      `<?xml version='1.0'?><!-- by hand --><x:XRD xmlns:x='http://docs.oasis-open.org/ns/xri/xrd-1.0'>
       <x:Link href = 'wss://w.example/xmpp-websocket' rel='urn:xmpp:alt-connections:websocket' />
       <x:Link rel='urn:xmpp:alt-connections:xbosh' href='https://w.example/http-bind'></x:Link></x:XRD>`,
    );
    expect((await found())[0]).to.match(/^ok /);
  });

  it('says where the file must be, if it is not there', async () => {
    answers.delete('GET https://a.example/.well-known/host-meta');
    const [says = '', ...more] = await found();
    expect(more).to.deep.equal([]);
    expect(says)
      .to.match(/^warning web: https:\/\/a\.example\/\.well-known\/host-meta cannot be read: connect ECONNREFUSED\./)
      .and.include('"ampere web host-meta"');
  });

  for (const [what, change, says] of [
    [
      'another status',
      () => answers.set('GET https://a.example/.well-known/host-meta', () => new Response('', { status: 404 })),
      /answered with 404/,
    ],
    ['no CORS', () => serve('host-meta.json', '{"links":[]}', {}), /host-meta\.json lacks the header/],
    ['something else than JSON', () => serve('host-meta.json', '<html>'), /host-meta\.json cannot be read/],
    ['JSON without links', () => serve('host-meta.json', '{}'), /it has no list of links/],
    [
      'a WebSocket without TLS',
      () => serve('host-meta', hostMetaFiles('http://w.example')[0].content),
      /names no WebSocket with TLS/,
    ],
    [
      'a WebSocket that does not answer',
      () => dead.add('wss://w.example/xmpp-websocket'),
      /sent to wss:.*no WebSocket can be opened/,
    ],
    [
      'BOSH that does not answer',
      () => answers.delete('OPTIONS https://w.example/http-bind'),
      /sent to https:.*ECONNREFUSED/,
    ],
    [
      'BOSH that pages may not use',
      () => answers.set('OPTIONS https://w.example/http-bind', () => new Response('')),
      /pages may not read/,
    ],
  ] as const) {
    it(`warns of ${what}`, async () => {
      change();
      const all = await found();
      expect(all.join('\n')).to.match(says);
      expect(all.every((line) => line.startsWith('warning'))).to.equal(true);
    });
  }

  it('warns if a proxy does not pass uploads on', async () => {
    answers.set('OPTIONS https://w.example/upload/token/name', () => new Response('', { status: 404 }));
    expect((await found()).at(-1)).to.equal(
      'warning web: Clients upload files to https://w.example, which does not answer as it should: status 404.',
    );
    expect(await found({ uploads: { enabled: false } })).to.have.length(1);
  });

  it('warns if clients outside have no address', async () => {
    expect((await found({ web: {} })).join()).to.match(
      /^warning web: Clients in browsers cannot connect: .*listen\.https/,
    );
  });

  it('asks nobody for a server on loopback, or without a name', async () => {
    answers.clear();
    expect(await found({ listen: {} })).to.deep.equal([]);
    expect(await found({ domains: ['localhost', '192.0.2.1'] })).to.deep.equal([]);
  });
});

describe('web host-meta', () => {
  const workplace = new Workplace();

  it('prints both files, or one', async () => {
    workplace.configure({ web: { publicUrl: 'https://w.example' } });
    const [xml, json] = hostMetaFiles('https://w.example');
    expect(await workplace.done('web', 'host-meta')).to.equal(
      `/.well-known/host-meta:\n${xml.content}\n/.well-known/host-meta.json:\n${json.content}`,
    );
    expect(await workplace.done('web', 'host-meta', '--format', 'xml')).to.equal(xml.content);
    expect(await workplace.done('web', 'host-meta', '--format', 'json')).to.equal(json.content);
  });

  it('says what is missing', async () => {
    workplace.configure();
    expect(await workplace.run(['web', 'host-meta'])).to.include({ code: 4, out: '' });
  });
});
