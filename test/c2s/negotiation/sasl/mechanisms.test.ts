import { expect } from 'chai';
import { mechanismNames, mechanismsFor, startExchange } from '../../../../src/c2s/negotiation/sasl/mechanisms.ts';
import type { ChannelBinding } from '../../../../src/tls/channel-binding.ts';
import { contextOf, failureOf, MemoryAccounts } from './fixture.ts';

const binding: ChannelBinding = { type: 'tls-exporter', advertised: true, data: () => Buffer.alloc(32) };
const untold: ChannelBinding = { type: 'tls-unique', advertised: false, data: () => Buffer.alloc(12) };

describe('mechanismsFor', () => {
  const scram = ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1'];
  const plus = scram.map((name) => `${name}-PLUS`);

  it('offers everything where everything is possible, strongest first', () => {
    const offered = mechanismsFor({ enabled: mechanismNames, secure: true, channelBindings: [binding] });
    expect(offered).to.deep.equal([...plus, ...scram, 'PLAIN']);
  });

  it('offers -PLUS only where clients are told of a channel binding', () => {
    for (const channelBindings of [[], [untold]]) {
      const offered = mechanismsFor({ enabled: mechanismNames, secure: true, channelBindings });
      expect(offered).to.deep.equal([...scram, 'PLAIN']);
    }
    const offered = mechanismsFor({ enabled: mechanismNames, secure: true, channelBindings: [untold, binding] });
    expect(offered).to.deep.equal([...plus, ...scram, 'PLAIN']);
  });

  it('offers PLAIN only under TLS', () => {
    expect(mechanismsFor({ enabled: mechanismNames, secure: false, channelBindings: [] })).to.deep.equal(scram);
    expect(mechanismsFor({ enabled: ['PLAIN'], secure: false, channelBindings: [] })).to.deep.equal([]);
  });

  it('offers what the administrator allows, in its own order', () => {
    const enabled = ['PLAIN', 'X-UNKNOWN', 'SCRAM-SHA-1', 'SCRAM-SHA-256'];
    const offered = mechanismsFor({ enabled, secure: true, channelBindings: [binding] });
    expect(offered).to.deep.equal(['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN']);
  });
});

describe('startExchange', () => {
  const accounts = new MemoryAccounts();

  it('refuses what nobody offers, and what was not offered here', async () => {
    const strangers = ['ANONYMOUS', 'EXTERNAL', 'DIGEST-MD5', 'CRAM-MD5', 'X-OAUTH2', 'OAUTHBEARER', 'GSSAPI', ''];
    const misspelt = ['plain', 'Plain', 'PLAIN ', 'scram-sha-1', 'SCRAM-SHA-1-plus', 'constructor', '__proto__'];
    for (const name of [...strangers, ...misspelt, ...mechanismNames]) {
      const context = contextOf(accounts, { offered: mechanismNames.filter((offered) => offered !== name) });
      expect((await failureOf(() => startExchange(name, context))).condition, name).to.equal('invalid-mechanism');
    }
  });

  it('refuses a name that is offered but not known', async () => {
    const context = contextOf(accounts, { offered: ['X-OWN', 'constructor'] });
    for (const name of context.offered) {
      expect((await failureOf(() => startExchange(name, context))).condition).to.equal('invalid-mechanism');
    }
  });

  it('refuses PLAIN without TLS even if it was offered', async () => {
    const context = contextOf(accounts, { secure: false });
    expect((await failureOf(() => startExchange('PLAIN', context))).condition).to.equal('encryption-required');
  });
});
