import type { Claim } from '../../src/routing/extension.ts';

/** A feature of the suite, with the specifications that provide it. */
interface Feature {
  readonly name: string;
  readonly specs: readonly string[];
  /** Whether a server needs it at the level Advanced only. */
  readonly advanced?: true;
}

/** What XEP-0479 §2 asks of servers; features of clients alone are left out. */
const categories: Readonly<Record<string, readonly Feature[]>> = {
  Core: [
    { name: 'Core features', specs: ['RFC 6120'] },
    { name: 'TLS', specs: ['RFC 7590'] },
    { name: 'Direct TLS', specs: ['XEP-0368'], advanced: true },
    { name: 'Feature discovery', specs: ['XEP-0030'] },
    { name: 'Feature broadcasts', specs: ['XEP-0115'], advanced: true },
    { name: 'Server extensibility', specs: ['XEP-0114'] },
    { name: 'Event publishing', specs: ['XEP-0163'], advanced: true },
  ],
  Web: [{ name: 'Web connection mechanisms', specs: ['RFC 7395', 'XEP-0206', 'XEP-0124'] }],
  IM: [
    { name: 'Core features', specs: ['RFC 6121'] },
    { name: 'User avatar compatibility', specs: ['XEP-0398', 'XEP-0153'], advanced: true },
    { name: 'vcard-temp', specs: ['XEP-0054'] },
    { name: 'Outbound message synchronization', specs: ['XEP-0280'] },
    { name: 'User blocking', specs: ['XEP-0191'], advanced: true },
    { name: 'Group chat', specs: ['XEP-0045', 'XEP-0249'] },
    {
      name: 'Advanced group chat',
      specs: ['XEP-0048', 'XEP-0313', 'XEP-0402', 'XEP-0410'],
      advanced: true,
    },
    { name: 'Persistent storage of private data via PubSub', specs: ['XEP-0223'], advanced: true },
    { name: 'Private XML storage', specs: ['XEP-0049'], advanced: true },
    { name: 'Stream management', specs: ['XEP-0198'], advanced: true },
    { name: 'History storage and retrieval', specs: ['XEP-0313'], advanced: true },
    { name: 'File upload', specs: ['XEP-0363'] },
  ],
  Mobile: [
    { name: 'Stream management', specs: ['XEP-0198'] },
    { name: 'Client state indication', specs: ['XEP-0352'] },
    { name: 'Third-party push notifications', specs: ['XEP-0357'], advanced: true },
  ],
  'A/V calling': [{ name: 'STUN/TURN server discovery', specs: ['XEP-0215'] }],
};

/** All specifications of the suite. */
export const suiteSpecs: readonly string[] = Object.values(categories)
  .flat()
  .flatMap(({ specs }) => specs);

/** The suite as a table: for each feature, whether the claims cover it. */
export function suiteTable(claims: readonly Claim[]): string {
  const claimed = new Map(claims.map(({ spec, status }) => [spec, status]));
  const rows = Object.entries(categories).flatMap(([category, features]) =>
    features.map(({ name, specs, advanced }) => {
      const level = advanced ? 'Advanced Server' : 'Server';
      const verdict = specs.every((spec) => claimed.has(spec)) ? 'yes' : 'no';
      return `| ${category} | ${name} | ${specs.join(', ')} | ${level} | ${verdict} |\n`;
    }),
  );
  return `${suiteHeading}${rows.join('')}`;
}

const suiteHeading = `
## Compliance suite

What XEP-0479 (XMPP Compliance Suites 2023) asks of servers. A feature is there if the server implements all of its specifications.
Each works in a server without configuration, but for two: a component needs a secret of its own, and the server has no STUN or TURN server to
name to clients that make calls.

| Category | Feature | Specifications | Level | Implemented |
| --- | --- | --- | --- | --- |
`;
