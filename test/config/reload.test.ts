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
      tls: { certificate: 'c.pem', key: 'k.pem' },
      log: { level: 'debug' },
      s2s: { deny: ['evil.example'], trustedAuthorities: 'ca.pem', dns: { tries: 3 }, backOff: { firstSeconds: 1 } },
      limits: {
        s2s: { stanzaBytes: 20_000 },
        peers: { links: 10 },
        c2s: { readBytesPerSecond: 5000, idlePingAfterSeconds: 60 },
        strangers: { perSender: 1 },
        newAccounts: { hours: 1 },
        registration: { waiting: 1 },
      },
      registration: { inBand: true, approval: true, questions: [{ question: 'Which?', answers: ['This'] }] },
      moderation: { blockLists: [{ service: 'lists.example' }] },
      sessions: { maxPerAccount: 1 },
      offline: { maxMessages: 1 },
      archive: { keepDays: 1, markers: false },
      rooms: { keepDays: 1, max: 1 },
      push: { perMinute: 1 },
      roster: { maxItems: 1 },
      uploads: { keepDays: 1, maxBytesPerDay: 1 },
      shutdown: { drainSeconds: 1 },
      amp: { remoteUnsupported: { policy: 'strip' } },
      externalServices: [{ type: 'stun', host: 'turn.example' }],
      components: { 'gate.example': { secret: 'x' } },
    });
    expect(reloaded(running, next)).to.deep.equal({ config: next, waiting: [] });
  });

  it('waits for the next start elsewhere, setting by setting', () => {
    const next = read({
      domains: ['a.example'],
      listen: { s2s: [{ host: '127.0.0.1', port: 1 }] },
      tls: { required: false },
      log: { format: 'json' },
      s2s: { enabled: false },
      limits: { c2s: { elements: 100 } },
      registration: { invitations: 'nobody' },
      archive: { enabled: false },
      rooms: { domains: ['r.example'] },
      push: { enabled: false },
      uploads: { maxFileBytes: 1 },
      amp: { maxRules: 1 },
    });
    const { config, waiting } = reloaded(running, next);
    expect(config).to.deep.equal(running);
    expect(waiting).to.have.members([
      'domains',
      'listen.s2s',
      'tls.required',
      'log.format',
      's2s.enabled',
      'limits.c2s.elements',
      'registration.invitations',
      'archive.enabled',
      'rooms.domains',
      'push.enabled',
      'uploads.maxFileBytes',
      'amp.maxRules',
    ]);
  });

  it('cannot give a domain to a component that is served until the next start', () => {
    const next = read({ domains: ['a.example'], components: { 'b.example': { secret: 'x' } } });
    const { config, waiting } = reloaded(running, next);
    expect(config.components).to.deep.equal({});
    expect(waiting).to.deep.equal(['domains', 'components["b.example"]']);
  });
});
