import { expect } from 'chai';
import { BoshClient } from '../support/bosh-client.ts';
import { type Account, Stage } from '../support/conversation.ts';
import { WebSocketClient } from '../support/websocket-client.ts';

const here = [{ host: '127.0.0.1', port: 0 }];

/** The elements that say how an authentication ended. */
const ends = { success: /<success /, blocked: /<temporary-auth-failure/, wrong: /<not-authorized/ } as const;

describe('Clients behind a trusted proxy', () => {
  const stage = new Stage({
    settings: {
      listen: { c2s: here, c2sTls: here, components: [], http: here },
      web: { trustedProxies: ['127.0.0.1'] },
      s2s: { enabled: false },
      authentication: { scramIterations: 4096 },
      limits: { authentication: { failuresPerIp: 2 } },
    },
  });

  const plain = ({ local }: Account, password: string) => {
    const initial = Buffer.from(`\0${local}\0${password}`).toString('base64');
    return `<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">${initial}</auth>`;
  };
  const from = (address: string) => ({
    plain: true,
    headers: { 'x-forwarded-for': address, 'x-forwarded-proto': 'https' },
  });

  async function throughWebSocket(address: string, account: Account, password = account.password): Promise<string> {
    const web = await WebSocketClient.connect(stage.server, from(address));
    await web.opens(stage.domain);
    web.says(plain(account, password));
    const answer = await web.hears(/^<(?:success|failure) /);
    web.socket.terminate();
    return answer;
  }

  async function throughBosh(address: string, account: Account, password = account.password): Promise<string> {
    const bosh = new BoshClient(stage.server, from(address));
    await bosh.opens();
    return (await bosh.says(plain(account, password))).text;
  }

  it('are blocked by the address that it names, whatever they connect through', async () => {
    const juliet = await stage.account('juliet');
    const [guesser, user] = ['203.0.113.7', '203.0.113.8'];
    expect(await throughWebSocket(guesser, juliet, 'a guess')).to.match(ends.wrong);
    expect(await throughBosh(guesser, juliet, 'another guess')).to.match(ends.wrong);
    expect(await throughWebSocket(guesser, juliet)).to.match(ends.blocked);
    expect(await throughBosh(guesser, juliet)).to.match(ends.blocked);
    expect(await throughWebSocket(user, juliet)).to.match(ends.success);
    expect(await throughBosh(user, juliet)).to.match(ends.success);
  });
});
