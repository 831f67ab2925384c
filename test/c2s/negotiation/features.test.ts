import { expect } from 'chai';
import { advertisedLimits } from '../../../src/c2s/negotiation/advertised-limits.ts';
import { bind } from '../../../src/c2s/negotiation/bind.ts';
import { Bind2 } from '../../../src/c2s/negotiation/bind2.ts';
import { channelBindingTypes } from '../../../src/c2s/negotiation/channel-binding-types.ts';
import { Fast } from '../../../src/c2s/negotiation/fast/fast.ts';
import { FastTokens } from '../../../src/c2s/negotiation/fast/fast-tokens.ts';
import { registration } from '../../../src/c2s/negotiation/registration.ts';
import { mechanismNames } from '../../../src/c2s/negotiation/sasl/mechanisms.ts';
import { sasl } from '../../../src/c2s/negotiation/sasl.ts';
import { type SaslServices, saslContext } from '../../../src/c2s/negotiation/sasl-services.ts';
import { sasl2 } from '../../../src/c2s/negotiation/sasl2.ts';
import { ScramUpgrades } from '../../../src/c2s/negotiation/scram-upgrades.ts';
import { starttls } from '../../../src/c2s/negotiation/starttls.ts';
import type { StreamFacts, StreamFeature } from '../../../src/c2s/negotiation/stream-feature.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import type { ScramHash } from '../../../src/storage/accounts.ts';
import type { ChannelBinding } from '../../../src/tls/channel-binding.ts';
import { limits, StreamBench } from '../stream-bench.ts';
import { contextOf, MemoryAccounts } from './sasl/fixture.ts';
import { StubStream } from './stub-stream.ts';

const identity = Jid.parse('juliet@a.example');
const exporter: ChannelBinding = { type: 'tls-exporter', advertised: true, data: () => Buffer.of(1) };
const endPoint: ChannelBinding = { type: 'tls-server-end-point', advertised: true, data: () => Buffer.of(2) };
const unique: ChannelBinding = { type: 'tls-unique', advertised: false, data: () => Buffer.of(3) };

/** The conditions a stream can be in. */
const conditions: Record<string, Partial<StreamFacts>> = {
  plain: {},
  tls: { secure: true, channelBindings: [exporter, endPoint, unique] },
  'tls without channel binding': { secure: true },
  authenticated: { secure: true, identity, channelBindings: [exporter] },
  'authenticated without tls': { identity },
};

function services(changes: Partial<SaslServices> = {}): SaslServices {
  const { credentials, pbkdf2 } = contextOf(new MemoryAccounts());
  return {
    enabled: mechanismNames,
    bindingTypes: ['tls-exporter', 'tls-server-end-point'],
    withoutTls: false,
    credentials,
    pbkdf2,
    guard: {
      admit() {},
      check() {},
      succeeded() {},
      failed() {},
      broken: (error) => {
        throw error;
      },
    },
    ...changes,
  };
}

const bench = new StreamBench();
const bind2 = new Bind2({
  sessions: bench.sessions,
  management: bench.management,
  features: [
    { name: 'enable', ns: 'urn:carbons', enable() {} },
    { name: 'disable', ns: 'urn:carbons', enable() {} },
  ],
  bound: () => Promise.resolve([]),
  secret: Buffer.alloc(32),
});

/** What SASL2 is made of, with these upgrades, and with or without tokens. */
function sasl2Parts(hashes: readonly ScramHash[] = [], tokens = false): Parameters<typeof sasl2>[1] {
  const upgrades = new ScramUpgrades({
    options: { scramUpgrades: hashes, scramIterations: 4096 },
    store: { addKeys: async () => {} },
  });
  const store = { tokens: async () => [], issueToken: async () => false, useToken: async () => false };
  const { clock, log, management } = bench;
  const record = (): never => expect.fail('no device was seen');
  const times = { lifetimeMs: 1000, rotateAfterMs: 1000 };
  const fast = new Fast(new FastTokens({ ...times, store, record, key: Buffer.alloc(32), clock, log }));
  return { bind: bind2, management, upgrades, fast: () => (tokens ? fast : undefined), seen() {} };
}

/** What a feature offers in a condition: element texts, or nothing. */
function offers(feature: StreamFeature, condition: string): string {
  const facts = new StubStream(conditions[condition]);
  return feature.needs(facts) ? feature.offer(facts).join('') : '-';
}

const register = (withoutTls: boolean, enabled = false) =>
  registration({
    options: { open: true, needsApproval: false, questions: [] },
    register: async () => {},
    redemption: { enabled, find: async () => undefined, register: async () => {} },
    limits: { perIp: 1, windowSeconds: 1 },
    withoutTls,
    clock: bench.clock,
  });

const scrams = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1'];
const plus = scrams.map((name) => `${name}-PLUS`);
const mechanisms = (...names: string[]) =>
  `<mechanisms xmlns="urn:ietf:params:xml:ns:xmpp-sasl">${names.map((name) => `<mechanism>${name}</mechanism>`).join('')}</mechanisms>`;
const managementElement = '<sm xmlns="urn:xmpp:sm:3"/>';
const bind2Element =
  '<bind xmlns="urn:xmpp:bind:0"><inline><feature var="urn:carbons"/><feature var="urn:xmpp:sm:3"/></inline></bind>';
const inline = `<inline>${managementElement}${bind2Element}</inline>`;
const authentication = (...names: string[]) =>
  `<authentication xmlns="urn:xmpp:sasl:2">${names.map((name) => `<mechanism>${name}</mechanism>`).join('')}${inline}</authentication>`;
const withParts =
  (...names: string[]) =>
  (...tokens: string[]) => {
    const elements = tokens.map((name) => `<mechanism>HT-SHA-256-${name}</mechanism>`).join('');
    const fast = elements && `<fast xmlns="urn:xmpp:fast:0">${elements}</fast>`;
    const upgrade = elements && '<upgrade xmlns="urn:xmpp:sasl:upgrade:0">UPGR-SCRAM-SHA-256</upgrade>';
    return authentication(...names).replace('</inline></auth', `${fast}</inline>${upgrade}</auth`);
  };
const bindings = (...types: string[]) =>
  `<sasl-channel-binding xmlns="urn:xmpp:sasl-cb:0">${types.map((type) => `<channel-binding type="${type}"/>`).join('')}</sasl-channel-binding>`;
const limitsElement = (bytes: number, idle = '') =>
  `<limits xmlns="urn:xmpp:stream-limits:0"><max-bytes>${bytes}</max-bytes>${idle}</limits>`;
const startTls = (required = '') =>
  required
    ? `<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls">${required}</starttls>`
    : '<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>';
const registerElement = '<register xmlns="http://jabber.org/features/iq-register"/>';
const byToken = `${registerElement}<register xmlns="urn:xmpp:ibr-token:0"/><register xmlns="urn:xmpp:invite"/>`;
const bindElement = '<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/>';

/** [feature; what it offers in each of the conditions above] */
const table: readonly (readonly [title: string, feature: StreamFeature, ...offers: string[]])[] = [
  ['STARTTLS, required (RFC 6120 §5.3.1)', starttls({ required: true }), startTls('<required/>'), '-', '-', '-', '-'],
  ['STARTTLS, not required', starttls({ required: false }), startTls(), '-', '-', '-', '-'],
  [
    'SASL (RFC 6120 §6.3.3)',
    sasl(services()),
    '-',
    mechanisms(...plus, ...scrams, 'PLAIN'),
    mechanisms(...scrams, 'PLAIN'),
    '-',
    '-',
  ],
  [
    'SASL, also without TLS: then PLAIN is not among it',
    sasl(services({ withoutTls: true })),
    mechanisms(...scrams),
    mechanisms(...plus, ...scrams, 'PLAIN'),
    mechanisms(...scrams, 'PLAIN'),
    '-',
    '-',
  ],
  [
    'SASL with what the operator allows',
    sasl(services({ enabled: ['PLAIN', 'SCRAM-SHA-1-PLUS'] })),
    '-',
    mechanisms('SCRAM-SHA-1-PLUS', 'PLAIN'),
    mechanisms('PLAIN'),
    '-',
    '-',
  ],
  [
    'SASL2 with resumption and Bind 2 (XEP-0388 §2.2)',
    sasl2(services(), sasl2Parts()),
    '-',
    authentication(...plus, ...scrams, 'PLAIN'),
    authentication(...scrams, 'PLAIN'),
    '-',
    '-',
  ],
  [
    'Tokens and upgrades with SASL2, under TLS only (XEP-0484 §3.1, XEP-0480 §2.1)',
    sasl2(services({ enabled: ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-1'], withoutTls: true }), sasl2Parts(['SHA-256'], true)),
    withParts('SCRAM-SHA-1')(),
    withParts('SCRAM-SHA-1-PLUS', 'SCRAM-SHA-1')('EXPR', 'ENDP', 'NONE'),
    withParts('SCRAM-SHA-1')('NONE'),
    '-',
    '-',
  ],
  [
    'Channel bindings (XEP-0440 §2)',
    channelBindingTypes(services()),
    '-',
    bindings('tls-exporter', 'tls-server-end-point'),
    '-',
    '-',
    '-',
  ],
  [
    'Channel bindings the operator allows',
    channelBindingTypes(services({ bindingTypes: ['tls-server-end-point'] })),
    '-',
    bindings('tls-server-end-point'),
    '-',
    '-',
    '-',
  ],
  [
    'Channel bindings without a mechanism for them',
    channelBindingTypes(services({ enabled: ['SCRAM-SHA-1'] })),
    '-',
    '-',
    '-',
    '-',
    '-',
  ],
  ['Registration (XEP-0077 §8)', register(false), '-', registerElement, registerElement, '-', '-'],
  ['Registration with an invitation (XEP-0445 §3)', register(false, true), '-', byToken, byToken, '-', '-'],
  ['Registration, also without TLS', register(true), registerElement, registerElement, registerElement, '-', '-'],
  ['Resource binding (RFC 6120 §7.4)', bind(bench.sessions), '-', '-', '-', bindElement, bindElement],
  ['Stream management (XEP-0198 §2)', bench.management.feature(), '-', '-', '-', managementElement, managementElement],
  [
    'Limits (XEP-0478)',
    advertisedLimits(limits),
    limitsElement(5000),
    limitsElement(5000),
    limitsElement(5000),
    limitsElement(10_000, '<idle-seconds>100</idle-seconds>'),
    limitsElement(10_000, '<idle-seconds>100</idle-seconds>'),
  ],
];

describe('What is offered in the stream features (RFC 6120 §4.3.2)', () => {
  for (const [title, feature, ...expected] of table) {
    it(title, () => {
      expect(Object.keys(conditions).map((condition) => offers(feature, condition))).to.deep.equal(expected);
    });
  }

  it('is STARTTLS alone where TLS is required, and only there (RFC 6120 §5.3.1)', () => {
    expect(table.filter(([, feature]) => feature.exclusive).map(([title]) => title)).to.deep.equal([
      'STARTTLS, required (RFC 6120 §5.3.1)',
    ]);
  });
});

describe('The mechanisms on a stream', () => {
  const bindingsIn = (allowed: readonly string[]) =>
    saslContext(services({ bindingTypes: allowed }), new StubStream(conditions['tls'])).channelBindings.map(
      ({ type }) => type,
    );

  it('may use the channel bindings the operator allows, and the one nobody is told of (XEP-0440 §2)', () => {
    expect(bindingsIn(['tls-exporter', 'tls-server-end-point'])).to.deep.equal([
      'tls-exporter',
      'tls-server-end-point',
      'tls-unique',
    ]);
    expect(bindingsIn(['tls-exporter'])).to.deep.equal(['tls-exporter', 'tls-unique']);
  });

  it('are those that were offered', () => {
    const context = saslContext(services({ enabled: ['PLAIN', 'SCRAM-SHA-1'], withoutTls: true }), new StubStream());
    expect([context.offered, context.secure, context.domain]).to.deep.equal([['SCRAM-SHA-1'], false, 'a.example']);
  });
});
