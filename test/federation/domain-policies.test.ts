import { expect } from 'chai';
import { federationOptions } from '../../src/config/federation-settings.ts';
import { defaultConfig } from '../../src/config/load-config.ts';
import { DomainPolicies } from '../../src/federation/domain-policies.ts';
import type { FederationOptions } from '../../src/federation/federation-options.ts';

const usual = federationOptions(defaultConfig());
const policies = (options: Partial<FederationOptions> = {}) => new DomainPolicies({ ...usual, ...options });

describe('the policies for domains', () => {
  it('allow all domains by default', () => {
    expect(policies().allows('a.example')).to.equal(true);
  });

  it('allow only listed domains if there is a list, and no denied ones', () => {
    const listed = policies({ allow: ['a.example', 'b.example'], deny: ['b.example'] });
    expect(['a.example', 'b.example', 'c.example'].map((domain) => listed.allows(domain))).to.deep.equal([
      true,
      false,
      false,
    ]);
    expect(policies({ allow: [] }).allows('a.example')).to.equal(false);
  });

  it('match whole labels', () => {
    const below = policies({ deny: ['*.a.example', 'b.example'] });
    const denied = [
      'x.a.example',
      'x.y.a.example',
      'a.example',
      'xa.example',
      'b.example',
      'x.b.example',
      'xb.example',
    ];
    expect(denied.filter((domain) => !below.allows(domain))).to.deep.equal([
      'x.a.example',
      'x.y.a.example',
      'b.example',
    ]);
  });

  it('of a domain replace the general ones', () => {
    const limits = { ...usual.limits, idBytes: 1 };
    const own = policies({
      domains: new Map([
        ['a.example', { authentication: 'certificate', limits }],
        ['b.example', { tlsRequired: false }],
      ]),
    });
    const of = (domain: string) => [own.authentication(domain), own.tlsRequired(domain), own.limits(domain)];
    expect(of('a.example')).to.deep.equal(['certificate', true, limits]);
    expect(of('b.example')).to.deep.equal(['dialback', false, usual.limits]);
    expect(of('c.example')).to.deep.equal(['dialback', true, usual.limits]);
  });
});
