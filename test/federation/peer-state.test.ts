import { expect } from 'chai';
import { isLegalStep, type PeerState, phaseOf } from '../../src/federation/peer-state.ts';

const names: readonly PeerState['name'][] = [
  'opening',
  'negotiating',
  'securing',
  'authenticating',
  'open',
  'closing',
  'closed',
];

describe('The steps of a stream between servers (RFC 6120 §4.3)', () => {
  const legal: Readonly<Record<PeerState['name'], string>> = {
    opening: 'negotiating securing closing closed',
    negotiating: 'opening securing authenticating open closing closed',
    securing: 'opening closing closed',
    authenticating: 'opening closing closed',
    open: 'closing closed',
    closing: 'closed',
    closed: '',
  };
  for (const from of names) {
    it(`from ${from}: ${legal[from] || 'none'}`, () => {
      expect(names.filter((to) => isLegalStep(from, to)).join(' ')).to.equal(legal[from]);
    });
  }

  it('lead to stanzas only when it is open', () => {
    expect(names.filter((name) => phaseOf({ name }) === 'bound')).to.deep.equal(['open']);
  });
});
