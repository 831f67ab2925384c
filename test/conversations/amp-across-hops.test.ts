import { expect } from 'chai';
import { FederatedServer, type FederatedServerOptions } from '../support/federated-server.ts';
import { expectTree, type TestClient } from '../support/test-client.ts';
import { amp, bodiesOf, message, report, rule, rules, stanzas } from './amp-cast.ts';

const a = 'a.example';
const b = 'b.example';
/** The domain of a server that does not exist. */
const nowhere = 'nowhere.example';
const everyOutcome = ['direct', 'stored', 'forward', 'gateway', 'none'].map((value) => `notify deliver ${value}`);

/** Two servers with a user each, for the tests of one `describe`. */
class TwoServers {
  romeo!: TestClient;
  juliet!: TestClient;
  #servers: FederatedServer[] = [];

  constructor(options: FederatedServerOptions) {
    before(async () => {
      this.#servers = await FederatedServer.startAll([a, b], 'dialback', {
        others: new Map([[nowhere, 1]]),
        ...options,
      });
    });
    beforeEach(async () => {
      users += 1;
      this.romeo = await this.server(a).arrives(`romeo${users}`);
      this.juliet = await this.server(b).arrives(`juliet${users}`);
    });
    afterEach(() => {
      this.romeo.disconnects();
      this.juliet.disconnects();
    });
    after(async () => {
      for (const server of this.#servers) await server.stop();
    });
  }

  server(domain: string): FederatedServer {
    return this.#servers.find((server) => server.domain === domain) ?? expect.fail();
  }
}

let users = 0;

const thin = (sender: TestClient, words: readonly string[]) =>
  `<message from="${sender.domain}" to="${sender.jid}" id="m1" type="error">${rules(...words)}` +
  `<error type="cancel" code="503"><service-unavailable xmlns="${stanzas}"/></error></message>`;

describe('AMP between two servers that support it', () => {
  const open = { presencePrivacy: 'open' as const };
  const stage = new TwoServers({ amp: { [a]: open, [b]: open } });

  it('is carried out by the recipient’s server, which reports (plan table row 31)', async () => {
    const { romeo, juliet } = stage;
    romeo.sends(message(juliet.bare, everyOutcome));
    const words = everyOutcome.map(rule).join('');
    await juliet.receives(
      `<message from="${romeo.jid}" to="${juliet.bare}" id="m1"><body>Good morrow</body>` +
        `<amp xmlns="${amp}" from="${romeo.jid}" to="${juliet.bare}">${words}</amp></message>`,
    );
    await romeo.receives(report(romeo, juliet.bare, 'notify deliver direct', b));
    await juliet.closes();
    romeo.sends(message(juliet.bare, everyOutcome));
    await romeo.receives(report(romeo, juliet.bare, 'notify deliver stored', b));
    romeo.sends(message(`nobody@${b}`, everyOutcome));
    await romeo.receives(report(romeo, `nobody@${b}`, 'notify deliver none', b));
    await romeo.receives(
      `<message type="error" from="nobody@${b}" id="m1"><error type="cancel"><service-unavailable xmlns="${stanzas}"/>...</error></message>`,
    );
  });

  for (const action of ['alert', 'error', 'drop']) {
    it(`${action} stops a message there`, async () => {
      const { romeo, juliet } = stage;
      romeo.sends(message(juliet.jid, [`${action} match-resource exact`]));
      romeo.sends(message(juliet.bare, ['notify deliver direct'], { body: 'after it' }));
      if (action !== 'drop') await romeo.receives(report(romeo, juliet.jid, `${action} match-resource exact`, b));
      await romeo.receives(report(romeo, juliet.bare, 'notify deliver direct', b));
      expect(bodiesOf(await juliet.drains())).to.deep.equal(['after it']);
    });
  }

  it('per hop reports at the first server that the message went on, and at the last one the outcome (N-10)', async () => {
    const { romeo, juliet } = stage;
    await juliet.closes();
    const ruleset = rules('notify deliver direct', 'notify deliver stored').replace('<amp', '<amp per-hop="true"');
    romeo.sends(`<message to="${juliet.bare}" id="m1" type="chat"><body>x</body>${ruleset}</message>`);
    await romeo.receives(report(romeo, juliet.bare, 'notify deliver direct', a));
    await romeo.receives(report(romeo, juliet.bare, 'notify deliver stored', b));
  });

  it('reports none for a message whose server cannot be reached (plan table row 28)', async () => {
    const { romeo } = stage;
    const to = `juliet@${nowhere}`;
    romeo.sends(message(to, ['alert deliver none']));
    await romeo.receives(report(romeo, to, 'alert deliver none', a));
    romeo.sends(message(to, ['notify deliver none']));
    await romeo.receives(report(romeo, to, 'notify deliver none', a));
    const error = await romeo.receives('<message type="error" id="m1">...</message>');
    expectTree(
      error,
      `<message type="error" from="${to}" to="${romeo.jid}" id="m1"><error type="*">...</error></message>`,
    );
    romeo.sends(message(to, ['drop deliver none']));
    await romeo.receivesNothing();
  });
});

describe('privacy of AMP between servers (XEP-0079 §9)', () => {
  const stage = new TwoServers({});

  it('strangers on other servers learn nothing about a recipient, whether the account exists or not (D-26)', async () => {
    const { romeo, juliet } = stage;
    for (const to of [juliet.bare, juliet.jid, `nobody@${b}`]) {
      romeo.sends(message(to, everyOutcome));
      const list = `<invalid-rules xmlns="${amp}">${everyOutcome.map(rule).join('')}</invalid-rules>`;
      const error = `<error type="modify" code="405"><not-acceptable xmlns="${stanzas}"/>${list}</error>`;
      await romeo.receives(
        `<message from="${b}" to="${romeo.jid}" id="m1" type="error">${rules(...everyOutcome)}${error}</message>`,
      );
    }
    await juliet.receivesNothing();
  });
});

describe('a next server that does not support AMP (XEP-0079 §2.2.4)', () => {
  const enabled = { presencePrivacy: 'open' as const };
  const without = { enabled: false };

  describe('bounces', () => {
    const stage = new TwoServers({ amp: { [a]: enabled, [b]: without } });

    it('only messages with rules, with its own form of error (N-21)', async () => {
      const { romeo, juliet } = stage;
      romeo.sends(message(juliet.bare, ['drop deliver stored']));
      await romeo.receives(thin(romeo, ['drop deliver stored']));
      romeo.sends(`<message to="${juliet.bare}"><body>without</body></message>`);
      await juliet.receives(`<message from="${romeo.jid}"><body>without</body>...</message>`);
    });

    it('nothing that a rule decides otherwise (plan table row 30)', async () => {
      const { romeo, juliet } = stage;
      romeo.sends(message(juliet.bare, ['error deliver none']));
      await romeo.receives(report(romeo, juliet.bare, 'error deliver none', a));
    });
  });

  describe('waits for disco#info', () => {
    const strip = { ...enabled, remoteUnsupported: { domains: { [b]: 'strip' as const } } };
    const stage = new TwoServers({ amp: { [a]: strip, [b]: without } });

    it('before later messages, so that none overtakes it (D-9)', async () => {
      const { romeo, juliet } = stage;
      romeo.sends(message(juliet.bare, ['drop deliver stored'], { body: '1' }));
      for (const body of ['2', '3']) romeo.sends(`<message to="${juliet.bare}"><body>${body}</body></message>`);
      for (const body of ['1', '2', '3']) {
        await juliet.receives(`<message from="${romeo.jid}" to="${juliet.bare}"><body>${body}</body></message>`);
      }
    });
  });
});
