import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import type { Settings } from '../support/test-server.ts';
import { WebSocketClient } from '../support/websocket-client.ts';
import { exchange } from '../web/http/raw-http.ts';

const here = [{ host: '127.0.0.1', port: 0 }];
const stranger = ['X-Forwarded-For: 203.0.113.7'];

/** A server with these settings for the web, and requests for its chat page. */
function staged(web: Settings['web']) {
  const stage = new Stage({
    settings: {
      listen: { c2s: here, c2sTls: here, components: [], http: here },
      web,
      s2s: { enabled: false },
      authentication: { scramIterations: 4096 },
      storage: { quickCheck: false, ballastBytes: 0 },
    },
  });
  const get = (path: string, headers: readonly string[] = []) =>
    exchange(stage.server.http?.port ?? 0, `GET ${path}`, '', headers);
  const statusOf = async (path: string, headers: readonly string[] = []) =>
    Number((await get(path, headers)).split(' ')[1]);
  const features = async (headers: Readonly<Record<string, string>>) =>
    (await WebSocketClient.connect(stage.server, { plain: true, headers })).opens('localhost');
  return { get, statusOf, features };
}

describe('The chat page', () => {
  describe('by default', () => {
    const { get, statusOf, features } = staged({});

    it('is there for browsers on this machine', async () => {
      const page = await get('/chat');
      expect(page)
        .to.match(/^HTTP\/1\.1 200 /)
        .and.contain('/assets/browser/chat/main.js');
      expect(page).to.match(
        /content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; .*frame-ancestors 'none'/,
      );
      expect(page)
        .to.contain('data-domain="localhost"')
        .and.match(/cross-origin-opener-policy: same-origin/);
    });

    it('is not there for others, and converse.js is not, either', async () => {
      expect(await statusOf('/chat', stranger)).to.equal(404);
      for (const path of ['/converse', '/converse/']) expect(await statusOf(path, stranger)).to.equal(404);
      expect(await statusOf('/converse')).to.equal(308);
    });

    it('may log in without TLS, because nobody is on the way', async () => {
      expect(await features({ host: 'localhost' }))
        .to.contain('SCRAM-SHA-256')
        .and.contain('HT-SHA-256-NONE');
      expect(await features({ host: 'chat.localhost' })).to.not.contain('SCRAM-SHA-256');
      const rebound = await features({ host: 'rebound.example' }).catch((error: Error) => error.message);
      expect(rebound).to.equal('Unexpected server response: 421');
      expect(await features({ host: 'localhost', 'x-forwarded-for': '203.0.113.7' })).to.not.contain('SCRAM-SHA-256');
    });

    it('tells how to install converse.js', async () => {
      expect(await get('/converse/')).to.match(/^HTTP\/1\.1 404 .*npm install --no-save converse\.js/s);
    });
  });

  describe('behind a proxy', () => {
    for (const web of [{ publicUrl: 'https://chat.example' }, { trustedProxies: ['127.0.0.1'] }])
      describe(`that the configuration shows by ${Object.keys(web)}`, () => {
        const { statusOf, features } = staged(web);

        it('is not there, though all requests come from this machine', async () => {
          expect(await statusOf('/chat')).to.equal(404);
          expect(await features({ host: 'localhost' })).to.not.contain('SCRAM-SHA-256');
        });
      });
  });

  describe('for everybody', () => {
    const { get, features } = staged({
      chat: 'everywhere',
      publicUrl: 'https://chat.example',
      uploadUrl: 'https://files.example',
    });

    it('is there, with files and streams from the addresses of the server', async () => {
      const page = await get('/chat', stranger);
      expect(page).to.match(/^HTTP\/1\.1 200 /);
      expect(page).to.match(/img-src 'self' blob: data: https:\/\/chat\.example https:\/\/files\.example;/);
      expect(page).to.match(/connect-src 'self' .*wss:\/\/chat\.example .*https:\/\/files\.example;/);
    });

    it('needs TLS all the same', async () => {
      expect(await features({ host: 'localhost' })).to.not.contain('SCRAM-SHA-256');
    });
  });

  describe('that is off', () => {
    const { statusOf } = staged({ chat: 'off' });

    it('is there for nobody', async () => {
      expect(await statusOf('/chat')).to.equal(404);
      expect(await statusOf('/converse')).to.equal(404);
    });
  });
});
