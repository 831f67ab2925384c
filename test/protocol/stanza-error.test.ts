import { expect } from 'chai';
import { ns } from '../../src/protocol/namespaces.ts';
import { type StanzaCondition, StanzaError, type StanzaErrorType } from '../../src/protocol/stanza-error.ts';
import { xml } from '../../src/xml/element.ts';
import { parseElement } from '../../src/xml/parse-element.ts';
import { serialize } from '../../src/xml/serialize.ts';

const made: readonly [error: StanzaError, condition: StanzaCondition, type: StanzaErrorType][] = [
  [StanzaError.badRequest(), 'bad-request', 'modify'],
  [StanzaError.conflict(), 'conflict', 'cancel'],
  [StanzaError.featureNotImplemented(), 'feature-not-implemented', 'cancel'],
  [StanzaError.forbidden(), 'forbidden', 'auth'],
  [StanzaError.gone(), 'gone', 'cancel'],
  [StanzaError.internalServerError(), 'internal-server-error', 'cancel'],
  [StanzaError.itemNotFound(), 'item-not-found', 'cancel'],
  [StanzaError.jidMalformed(), 'jid-malformed', 'modify'],
  [StanzaError.notAcceptable(), 'not-acceptable', 'modify'],
  [StanzaError.notAllowed(), 'not-allowed', 'cancel'],
  [StanzaError.notAuthorized(), 'not-authorized', 'auth'],
  [StanzaError.policyViolation(), 'policy-violation', 'modify'],
  [StanzaError.recipientUnavailable(), 'recipient-unavailable', 'wait'],
  [StanzaError.redirect(), 'redirect', 'modify'],
  [StanzaError.registrationRequired(), 'registration-required', 'auth'],
  [StanzaError.remoteServerNotFound(), 'remote-server-not-found', 'cancel'],
  [StanzaError.remoteServerTimeout(), 'remote-server-timeout', 'wait'],
  [StanzaError.resourceConstraint(), 'resource-constraint', 'wait'],
  [StanzaError.serviceUnavailable(), 'service-unavailable', 'cancel'],
  [StanzaError.subscriptionRequired(), 'subscription-required', 'auth'],
  [StanzaError.undefinedCondition(), 'undefined-condition', 'cancel'],
  [StanzaError.unexpectedRequest(), 'unexpected-request', 'wait'],
];

const stanzas = `xmlns="${ns.stanzaErrors}"`;

describe('StanzaError', () => {
  for (const [error, condition, type] of made) {
    it(`writes and reads ${condition} of type ${type}`, () => {
      expect(serialize(error.element())).to.equal(`<error type="${type}"><${condition} ${stanzas}/></error>`);
      const read = StanzaError.fromElement(error.element());
      expect([read.condition, read.type, read.text, read.extra]).to.deep.equal([condition, type, undefined, undefined]);
    });
  }

  it('writes everything an error may say', () => {
    const error = StanzaError.undefinedCondition('too <late>', {
      type: 'modify',
      code: 500,
      by: 'capulet.example',
      extra: xml('failed-rules', { xmlns: ns.ampErrors }),
    });
    expect(serialize(error.element())).to.equal(
      `<error type="modify" by="capulet.example" code="500"><undefined-condition ${stanzas}/>` +
        `<text ${stanzas} xml:lang="en">too &lt;late&gt;</text><failed-rules xmlns="${ns.ampErrors}"/></error>`,
    );
    expect(error.message).to.equal('undefined-condition: too <late>');
  });

  it('writes the new address into gone and redirect', () => {
    const error = StanzaError.gone(undefined, { uri: 'xmpp:romeo@afterlife.example' });
    expect(serialize(error.element())).to.equal(
      `<error type="cancel"><gone ${stanzas}>xmpp:romeo@afterlife.example</gone></error>`,
    );
    expect(StanzaError.fromElement(error.element()).uri).to.equal('xmpp:romeo@afterlife.example');
  });

  it('reads back everything but the code', () => {
    const extra = xml('blocked', { xmlns: ns.blockingErrors });
    const error = new StanzaError('not-acceptable', { type: 'cancel', text: 'no', by: 'a.example', extra });
    const read = StanzaError.fromElement(error.element());
    expect([read.condition, read.type, read.text, read.by]).to.deep.equal([
      'not-acceptable',
      'cancel',
      'no',
      'a.example',
    ]);
    expect(read.extra?.is('blocked', ns.blockingErrors)).to.equal(true);
  });

  const strange: readonly [text: string, condition: StanzaCondition, type: StanzaErrorType][] = [
    [`<error/>`, 'undefined-condition', 'cancel'],
    [`<error type='odd'><forbidden ${stanzas}/></error>`, 'forbidden', 'auth'],
    [`<error type='wait'><made-up ${stanzas}/></error>`, 'undefined-condition', 'wait'],
    [`<error><constructor ${stanzas}/></error>`, 'undefined-condition', 'cancel'],
    [`<error type='__proto__'><gone xmlns='urn:other'/></error>`, 'undefined-condition', 'cancel'],
    [`<error type='cancel'><text ${stanzas}>only text</text></error>`, 'undefined-condition', 'cancel'],
  ];
  for (const [text, condition, type] of strange) {
    it(`makes sense of ${text}`, () => {
      const read = StanzaError.fromElement(parseElement(text));
      expect([read.condition, read.type]).to.deep.equal([condition, type]);
    });
  }
});
