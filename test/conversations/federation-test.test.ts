import { expect } from 'chai';
import { testPeer } from '../../src/web/control/server-operations.ts';
import { anchor, certificate, dns, names } from '../federation/certificate-maker.ts';
import { FederatedServer } from '../support/federated-server.ts';
import { freePort } from '../support/free-port.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ScriptedServer, serverHeader } from '../support/scripted-server.ts';

describe('The connection test to another server', () => {
  let server: FederatedServer;
  let peer: ScriptedServer;
  let closed: number;
  let clock: ManualClock;

  before(async () => {
    peer = await ScriptedServer.start('peer.example');
    closed = await freePort();
    clock = new ManualClock();
    const others = new Map([
      ['peer.example', peer.port],
      ['closed.example', closed],
    ]);
    const settings = { tlsRequired: false, establishSeconds: 20 };
    const components = { 'a.example': { 'gate.a.example': { secret: 'x' } } };
    [server] = (await FederatedServer.startAll(['a.example'], 'dialback', {
      others,
      settings,
      components,
      clock,
    })) as [FederatedServer];
  });

  after(async () => {
    await server.stop();
    peer.stop();
  });

  const tests = async (domain: string, from?: string) => {
    const { steps, reached } = await server.administration.call(testPeer, { remote: domain, local: from });
    return { reached, steps: steps.map(({ step, ok, detail }) => `${ok ? 'ok' : 'failed'} ${step} ${detail}`) };
  };
  const refusal = (domain: string, from?: string) =>
    tests(domain, from).then(
      () => undefined,
      (error: unknown) => String(error),
    );

  it('reports an established stream, also from a component', async () => {
    for (const from of [undefined, 'gate.a.example']) {
      const { reached, steps } = await tests('peer.example', from);
      expect([reached, steps.at(-1)]).to.deep.equal([true, 'ok authentication authenticated by dialback']);
    }
  });

  it('waits for a server that is slow to start TLS, but not forever (RFC 6120 §5.4.2.3)', async () => {
    const identity = await certificate({ san: names(dns('peer.example')) }, await anchor('nobody'));
    peer.tls = { cert: identity.certificate, key: identity.key.export({ type: 'pkcs8', format: 'pem' }) };
    // The server has been there for a while.
    clock.advance(60_000);
    const waits = (ms: number) => {
      peer.script = ({ name }) => {
        if (name === 'starttls') clock.advance(ms);
        return name === 'starttls' && ms > 10_000;
      };
      return tests('peer.example');
    };
    expect((await waits(9_000)).reached).to.equal(true);
    expect((await waits(11_000)).steps.at(-1)).to.match(/the connection was lost before its answer to STARTTLS$/);
    [peer.tls, peer.script] = [undefined, undefined];
  });

  it('reports that there is no connection', async () => {
    expect(await tests('closed.example')).to.deep.equal({
      reached: false,
      steps: [
        `ok addresses 127.0.0.1 port ${closed}, STARTTLS (s2s.overrides)`,
        `failed connection 127.0.0.1 port ${closed}: 127.0.0.1: ECONNREFUSED`,
      ],
    });
  });

  it('refuses domains that are served here, by accounts or by a component', async () => {
    for (const domain of ['a.example', 'gate.a.example'])
      expect(await refusal(domain)).to.contain(`${domain} is served here`);
    expect(await refusal('peer.example', 'b.example')).to.contain('b.example is not served here');
  });

  describe('reports what did not arrive', () => {
    /** Has the peer fall silent where something is due, and tells when it has. */
    const silences: Record<string, (silent: () => void) => void> = {
      'its stream header': (silent) => {
        peer.welcome = silent;
      },
      'its stream features': (silent) => {
        peer.welcome = (_, client) => {
          client.sends(serverHeader('from="peer.example" id="x"'));
          silent();
        };
      },
      'its answer to our dialback key': (silent) => {
        peer.script = ({ name }) => {
          if (name === 'result') silent();
          return name === 'result';
        };
      },
    };

    afterEach(() => {
      [peer.welcome, peer.script] = [undefined, undefined];
    });

    // Nobody but the server knows when it has read a header.
    for (const due of ['its stream header', 'its answer to our dialback key']) {
      it(`in time: ${due}`, async () => {
        const silent = new Promise<void>((resolve) => silences[due]?.(resolve));
        const testing = tests('peer.example');
        await silent;
        clock.advance(20_000);
        const { steps } = await testing;
        expect(steps.at(-1)).to.match(new RegExp(`^failed stream .*: timed out: ${due} did not arrive$`));
      });
    }

    for (const [due, fallsSilent] of Object.entries(silences)) {
      it(`before the connection was lost: ${due}`, async () => {
        fallsSilent(() => peer.drops());
        const { steps } = await tests('peer.example');
        expect(steps.at(-1)).to.match(new RegExp(`^failed stream .*: the connection was lost before ${due}$`));
      });
    }
  });
});
