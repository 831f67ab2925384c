import { expect } from 'chai';
import { federationOptions } from '../../src/config/federation-settings.ts';
import { defaultConfig } from '../../src/config/load-config.ts';
import { DialFailure } from '../../src/federation/dial-failure.ts';
import { DomainPolicies } from '../../src/federation/domain-policies.ts';
import { RemoteLinks } from '../../src/federation/remote-links.ts';
import type { Established } from '../../src/federation/server-stream-out.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';

const turn = () => new Promise(setImmediate);

describe('The links to other servers', () => {
  let links: RemoteLinks;
  let attempts: Map<string, PromiseWithResolvers<Established>>;
  let failed: string[];

  beforeEach(() => {
    attempts = new Map();
    failed = [];
    const usual = federationOptions(defaultConfig());
    const shares = { ...usual.shares, links: 4, newLinksPerAccount: 2 };
    const policies = new DomainPolicies({ ...usual, shares });
    links = new RemoteLinks({
      isHosted: (domain) => domain === 'a.example',
      policies,
      sender: ({ local }) => local,
      dialler: {
        dial: ({ remote }) => {
          const attempt = Promise.withResolvers<Established>();
          attempts.set(remote, attempt);
          return attempt.promise;
        },
      },
      bidirectional: () => undefined,
      hop: ({ remote }) => ({ domain: remote, offers: () => false, features: async () => new Set() }),
      copies: { add: () => expect.fail('nobody is owed word') },
      options: () => policies.options,
      clock: new ManualClock(),
      log: new RecordingLog(),
    });
  });

  /** What it is refused with; nothing if it is taken. */
  const sends = (user: string, remote: string): string | undefined => {
    const stanza = Stanza.message({ from: Jid.parse(`${user}@a.example/r`), to: Jid.parse(`x@${remote}`) });
    try {
      links.send(stanza, { failed: ({ condition }) => void failed.push(`${remote} ${condition}`) });
    } catch (error) {
      return error instanceof StanzaError ? error.condition : String(error);
    }
    return undefined;
  };
  const fails = async (remote: string) => {
    attempts.get(remote)?.reject(DialFailure.notFound('nobody'));
    await turn();
  };

  it('are opened only within the share of one account', async () => {
    expect(['1.example', '2.example', '3.example'].map((remote) => sends('mallory', remote))).to.deep.equal([
      undefined,
      undefined,
      'resource-constraint',
    ]);
    expect(sends('romeo', '3.example')).to.equal(undefined);
    expect(sends('mallory', '3.example')).to.equal(undefined);
    await fails('1.example');
    expect(sends('mallory', '4.example')).to.equal(undefined);
  });

  it('do not count in the share once they are open', async () => {
    const management = { full: false, transmit: () => undefined };
    const wire = { connection: { ended: false, congested: false } };
    // A link uses no more of a stream.
    const stream = { wire, management, ended: new Promise(() => undefined) };
    for (const remote of ['1.example', '2.example', '3.example', '4.example']) {
      expect(sends('romeo', remote)).to.equal(undefined);
      attempts.get(remote)?.resolve({ stream, proof: 'dialback', features: [] } as unknown as Established);
      await turn();
    }
  });

  it('of unreachable servers make room for others', async () => {
    for (const remote of ['1.example', '2.example', '3.example', '4.example']) {
      sends('mallory', remote);
      await fails(remote);
    }
    expect(failed).to.have.length(4);
    for (const user of ['a', 'b', 'c', 'd']) expect(sends(user, `with-${user}.example`)).to.equal(undefined);
    expect(sends('romeo', '5.example')).to.equal('resource-constraint');
  });
});
