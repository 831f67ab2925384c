import { expect } from 'chai';
import { reloaded } from '../../src/config/reload.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';

type Settings = Parameters<ReturnType<typeof configSchema>['parse']>[0];

const read = (settings: Settings): Config => configSchema({ directory: '/', environment: {} }).parse(settings);

describe('A configuration that is read again', () => {
  const running = read({ domains: ['a.example', 'b.example'] });

  it('is taken over where that can be', () => {
    const next = read({
      domains: ['a.example', 'b.example'],
      administrators: ['romeo@a.example'],
      contact: { abuse: ['mailto:abuse@a.example'] },
      tls: { certificate: 'c.pem', key: 'k.pem' },
      log: { level: 'debug' },
      s2s: { deny: ['evil.example'], trustedAuthorities: 'ca.pem', dns: { tries: 3 }, backOff: { firstSeconds: 1 } },
      limits: {
        s2s: { stanzaBytes: 20_000 },
        peers: { links: 10 },
        c2s: { readBytesPerSecond: 5000, idlePingAfterSeconds: 60, stanzaBytes: 20_000, outgoingBufferBytes: 70_000 },
        unauthenticated: { elements: 16 },
        stanza: { depth: 20 },
        components: { elements: 100 },
        connections: { total: 100 },
        authentication: { failuresPerIp: 3 },
        strangers: { perSender: 1 },
        newAccounts: { hours: 1 },
        registration: { waiting: 1, perIp: 3, invitationsPerAccount: 1 },
      },
      authentication: { mechanisms: ['PLAIN'], fast: { enabled: false }, deviceDays: 0 },
      streamManagement: { resumeSeconds: 60, location: 'a.example' },
      registration: {
        inBand: true,
        approval: true,
        questions: [{ question: 'Which?', answers: ['This'] }],
        invitations: 'nobody',
        invitationDays: 1,
      },
      moderation: { blockLists: [{ service: 'lists.example' }] },
      sessions: { maxPerAccount: 1 },
      offline: { maxMessages: 1 },
      archive: { enabled: false, keepDays: 1, markers: false },
      rooms: { keepDays: 1, max: 1 },
      push: { enabled: false, perMinute: 1 },
      forwarding: { userCommand: false },
      roster: { maxItems: 1 },
      uploads: { enabled: false, keepDays: 1, maxBytesPerDay: 1, maxFileBytes: 1 },
      web: { publicUrl: 'https://a.example', origins: [], chat: 'off', console: { enabled: false }, hstsDays: 1 },
      shutdown: { drainSeconds: 1 },
      amp: { remoteUnsupported: { policy: 'strip' }, maxRules: 1, presencePrivacy: 'open' },
      externalServices: [{ type: 'stun', host: 'turn.example' }],
      components: { 'gate.example': { secret: 'x' } },
    });
    expect(reloaded(running, next)).to.deep.equal({ config: next, waiting: [] });
  });

  it('waits for the next start elsewhere, setting by setting', () => {
    const next = read({
      domains: ['a.example'],
      listen: { components: [{ host: '127.0.0.1', port: 1 }] },
      tls: { required: false },
      log: { format: 'json' },
      s2s: { enabled: false },
      limits: { http: { headersSeconds: 1 }, connections: { backlog: 1 } },
      rooms: { enabled: false, domains: ['r.example'] },
      amp: { enabled: false },
    });
    const { config, waiting } = reloaded(running, next);
    expect(config).to.deep.equal(running);
    expect(waiting).to.have.members([
      'domains',
      'listen.components',
      'tls.required',
      'log.format',
      's2s.enabled',
      'limits.http.headersSeconds',
      'limits.connections.backlog',
      'rooms.enabled',
      'rooms.domains',
      'amp.enabled',
    ]);
  });

  describe('with other addresses to listen on', () => {
    const here = (port: number, more: object = {}) => ({ host: '127.0.0.1', port, ...more });
    const before = read({ listen: { c2s: [here(1)], https: [here(2)] } });
    const result = (listen: object, running = before) => {
      const { config, waiting } = reloaded(running, read({ ...before, listen: { ...before.listen, ...listen } }));
      return { c2s: config.listen.c2s.map(({ host, port }) => `${host} ${port}`), waiting };
    };

    it('opens and closes ports', () => {
      expect(result({ c2s: [here(1), here(3)] })).to.deep.equal({ c2s: ['127.0.0.1 1', '127.0.0.1 3'], waiting: [] });
      expect(result({ c2s: [here(3)] })).to.deep.equal({ c2s: ['127.0.0.1 3'], waiting: [] });
    });

    for (const [what, listener] of [
      ['another address that takes an open one in', { host: '::', port: 1 }],
      ['an open port of another kind', here(2)],
      ['an open port behind a load balancer', here(1, { proxyProtocol: ['192.0.2.1'] })],
    ] as const) {
      it(`waits for the next start with ${what}`, () => {
        const listen = { c2s: [here(4), listener], https: [] };
        expect(result(listen)).to.deep.equal({ c2s: ['127.0.0.1 1'], waiting: ['listen.c2s'] });
      });
    }

    it('waits for the next start with a load balancer before edges', () => {
      const { waiting } = result({ c2s: [here(3, { proxyProtocol: ['192.0.2.1'] })] }, { ...before, edges: 1 });
      expect(waiting).to.include('listen.c2s');
    });
  });

  it('lifts no limit while the ports of the start are open', () => {
    const { config, waiting } = reloaded(running, read({ ...running, limits: { disabled: true } }));
    expect(config).to.deep.equal(running);
    expect(waiting).to.include('limits.disabled');
  });

  it('cannot give a domain to a component that is served until the next start', () => {
    const next = read({ domains: ['a.example'], components: { 'b.example': { secret: 'x' } } });
    const { config, waiting } = reloaded(running, next);
    expect(config.components).to.deep.equal({});
    expect(waiting).to.deep.equal(['domains', 'components["b.example"]']);
  });
});
