import { expect } from 'chai';
import { extensionOptions } from '../../src/config/extension-options.ts';
import { configSchema } from '../../src/config/schema.ts';

const schema = configSchema({ directory: '/', environment: {} });
const read = (amp: unknown) => schema.safeParse({ amp });
const policy = (...rules: object[]) => ({ policies: [{ name: 'p', rules }] });

/** Where and why a configuration of AMP is refused. */
function faults(amp: unknown): string[] {
  const { error } = read(amp);
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
}

describe('the configuration of AMP', () => {
  it('is strict by default, and has everything enabled (D-24)', () => {
    const { amp } = schema.parse({});
    expect(amp).to.deep.include({ enabled: true, presencePrivacy: 'strict', maxRules: 20, policies: [] });
    expect(amp.trusted).to.deep.equal({ jids: [], domains: [] });
    expect([amp.disabledActions, amp.disabledConditions, amp.reportsTo]).to.deep.equal([[], [], undefined]);
  });

  it('has its addresses prepared', () => {
    const { amp } = schema.parse({
      amp: { trusted: { jids: ['Romeo@Montague.Example'], domains: ['CAPULET.example'] }, reportsTo: 'Ops@x.Example' },
    });
    expect(amp.trusted).to.deep.equal({ jids: ['romeo@montague.example'], domains: ['capulet.example'] });
    expect(amp.reportsTo).to.equal('ops@x.example');
    expect(faults({ reportsTo: '@' })).to.deep.equal(['amp.reportsTo: "@" is not a valid address']);
  });

  it('accepts policies only if their rules can apply', () => {
    const rule = { action: 'drop', condition: 'deliver', value: 'stored' };
    expect(faults(policy(rule, { action: 'alert', maxAgeSeconds: 600 }))).to.deep.equal([]);
    const impossible = 'has a value that its condition does not know, or a word that is disabled';
    expect(faults(policy(rule, { ...rule, value: 'sometimes' }))).to.deep.equal([
      `amp.policies.0.rules.1: ${impossible}`,
    ]);
    expect(faults({ ...policy(rule), disabledActions: ['drop'] })).to.deep.equal([
      `amp.policies.0.rules.0: ${impossible}`,
    ]);
    expect(faults(policy({ action: 'drop' }))).to.deep.equal([
      'amp.policies.0.rules.0: needs a condition with its value, or maxAgeSeconds',
    ]);
    expect(faults(policy({ ...rule, maxAgeSeconds: 1 }))).to.deep.equal([
      'amp.policies.0.rules.0: has both a condition and maxAgeSeconds',
    ]);
    expect(faults(policy({ action: 'drop', maxAgeSeconds: 1e12 }))).to.have.length(1);
    expect(faults(policy())).to.have.length(1);
  });

  it('has no limit on replies if limits are disabled', () => {
    const config = schema.parse({});
    expect(extensionOptions(config).amp).to.equal(config.amp);
    const { replies } = extensionOptions({ ...config, limits: { ...config.limits, disabled: true } }).amp;
    expect(replies.perSecond).to.be.greaterThan(1e9);
  });
});
