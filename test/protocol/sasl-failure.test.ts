import { expect } from 'chai';
import { ns } from '../../src/protocol/namespaces.ts';
import { type SaslCondition, SaslFailure } from '../../src/protocol/sasl-failure.ts';
import { xml } from '../../src/xml/element.ts';
import { serialize } from '../../src/xml/serialize.ts';

const made: readonly [failure: SaslFailure, condition: SaslCondition][] = [
  [SaslFailure.aborted(), 'aborted'],
  [SaslFailure.accountDisabled(), 'account-disabled'],
  [SaslFailure.credentialsExpired(), 'credentials-expired'],
  [SaslFailure.encryptionRequired(), 'encryption-required'],
  [SaslFailure.incorrectEncoding(), 'incorrect-encoding'],
  [SaslFailure.invalidAuthzid(), 'invalid-authzid'],
  [SaslFailure.invalidMechanism(), 'invalid-mechanism'],
  [SaslFailure.malformedRequest(), 'malformed-request'],
  [SaslFailure.mechanismTooWeak(), 'mechanism-too-weak'],
  [SaslFailure.notAuthorized(), 'not-authorized'],
  [SaslFailure.temporaryAuthFailure(), 'temporary-auth-failure'],
];

describe('SaslFailure', () => {
  for (const [failure, condition] of made) {
    it(`writes ${condition}`, () => {
      expect(serialize(failure.element())).to.equal(`<failure xmlns="${ns.sasl}"><${condition}/></failure>`);
    });
  }

  it('writes text in the namespace of the failure', () => {
    expect(serialize(SaslFailure.accountDisabled('Call us').element())).to.equal(
      `<failure xmlns="${ns.sasl}"><account-disabled/><text xml:lang="en">Call us</text></failure>`,
    );
  });

  it('writes the failure of XEP-0388', () => {
    const failure = SaslFailure.aborted('Bye', xml('why', { xmlns: 'urn:else' }));
    expect(serialize(failure.element(ns.sasl2))).to.equal(
      `<failure xmlns="${ns.sasl2}"><aborted xmlns="${ns.sasl}"/><text xml:lang="en">Bye</text><why xmlns="urn:else"/></failure>`,
    );
  });
});
