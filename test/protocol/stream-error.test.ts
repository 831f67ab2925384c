import { expect } from 'chai';
import { ns } from '../../src/protocol/namespaces.ts';
import { type StreamCondition, StreamError } from '../../src/protocol/stream-error.ts';
import { xml } from '../../src/xml/element.ts';
import { serialize } from '../../src/xml/serialize.ts';

const made: readonly [error: StreamError, condition: StreamCondition][] = [
  [StreamError.badFormat(), 'bad-format'],
  [StreamError.badNamespacePrefix(), 'bad-namespace-prefix'],
  [StreamError.conflict(), 'conflict'],
  [StreamError.connectionTimeout(), 'connection-timeout'],
  [StreamError.hostGone(), 'host-gone'],
  [StreamError.hostUnknown(), 'host-unknown'],
  [StreamError.improperAddressing(), 'improper-addressing'],
  [StreamError.internalServerError(), 'internal-server-error'],
  [StreamError.invalidFrom(), 'invalid-from'],
  [StreamError.invalidNamespace(), 'invalid-namespace'],
  [StreamError.invalidXml(), 'invalid-xml'],
  [StreamError.notAuthorized(), 'not-authorized'],
  [StreamError.notWellFormed(), 'not-well-formed'],
  [StreamError.policyViolation(), 'policy-violation'],
  [StreamError.remoteConnectionFailed(), 'remote-connection-failed'],
  [StreamError.reset(), 'reset'],
  [StreamError.resourceConstraint(), 'resource-constraint'],
  [StreamError.restrictedXml(), 'restricted-xml'],
  [StreamError.systemShutdown(), 'system-shutdown'],
  [StreamError.undefinedCondition(), 'undefined-condition'],
  [StreamError.unsupportedEncoding(), 'unsupported-encoding'],
  [StreamError.unsupportedFeature(), 'unsupported-feature'],
  [StreamError.unsupportedStanzaType(), 'unsupported-stanza-type'],
  [StreamError.unsupportedVersion(), 'unsupported-version'],
];

const open = `<stream:error xmlns:stream="${ns.stream}">`;
const streams = `xmlns="${ns.streamErrors}"`;

describe('StreamError', () => {
  for (const [error, condition] of made) {
    it(`writes ${condition}`, () => {
      expect(serialize(error.element())).to.equal(`${open}<${condition} ${streams}/></stream:error>`);
    });
  }

  it('writes see-other-host with the host', () => {
    expect(serialize(StreamError.seeOtherHost('[2001:db8::1]:9222').element())).to.equal(
      `${open}<see-other-host ${streams}>[2001:db8::1]:9222</see-other-host></stream:error>`,
    );
  });

  it('writes text and the application condition', () => {
    const error = StreamError.policyViolation('too big', xml('stanza-too-big', { xmlns: 'urn:xmpp:errors' }));
    expect(serialize(error.element())).to.equal(
      `${open}<policy-violation ${streams}/><text ${streams} xml:lang="en">too big</text>` +
        `<stanza-too-big xmlns="urn:xmpp:errors"/></stream:error>`,
    );
    expect(error.message).to.equal('policy-violation: too big');
  });
});
