import { expect } from 'chai';
import { readRequest } from '../../../src/extensions/amp/element/parse.ts';
import { Refusal } from '../../../src/extensions/amp/element/refusal.ts';
import { refusalReply } from '../../../src/extensions/amp/element/replies.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import { ampXml, capulet, juliet, message, romeo, rule, ruleXml, understood } from './cast.ts';
import { actions } from './plan-tables.ts';
import { reportXml, thinErrorXml } from './report-xml.ts';

const envelope = { by: capulet, to: romeo, id: 'm1', sender: romeo, recipient: juliet };

function report(words: string, changes = {}): string | undefined {
  const [fired] = understood(words);
  return fired?.action.report?.(fired.written, { ...envelope, ...changes }).toString();
}

describe('reports (N-2, N-22, N-36, N-37, N-38)', () => {
  for (const action of actions.filter((name) => name !== 'drop')) {
    it(`${action} has the status, the rule, the sender and the recipient`, () => {
      const words = `${action} deliver stored`;
      expect(report(words)).to.equal(reportXml(action, words, 'juliet@capulet.example'));
    });
  }

  it('alert has the form of XEP-0079 §5.3 (N-31)', () => {
    const hamlet = { by: Jid.parse('hamlet.lit'), id: 'chatty2', recipient: Jid.parse('francisco@hamlet.lit') };
    const bernardo = Jid.parse('bernardo@hamlet.lit/elsinore');
    expect(report('alert deliver stored', { ...hamlet, to: bernardo, sender: bernardo })).to.equal(
      '<message from="hamlet.lit" to="bernardo@hamlet.lit/elsinore" id="chatty2">' +
        '<amp xmlns="http://jabber.org/protocol/amp" status="alert" from="bernardo@hamlet.lit/elsinore" to="francisco@hamlet.lit">' +
        '<rule action="alert" condition="deliver" value="stored"/></amp></message>',
    );
  });

  it('error has the form of XEP-0079 §6.2.5, with the failed rules in their own namespace (N-33)', () => {
    expect(report('error match-resource other')).to.equal(
      '<message from="capulet.example" to="romeo@montague.example/orchard" id="m1" type="error">' +
        '<amp xmlns="http://jabber.org/protocol/amp" status="error" from="romeo@montague.example/orchard" to="juliet@capulet.example">' +
        '<rule action="error" condition="match-resource" value="other"/></amp>' +
        '<error type="modify" code="500"><undefined-condition xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>' +
        '<failed-rules xmlns="http://jabber.org/protocol/amp#errors">' +
        '<rule action="error" condition="match-resource" value="other"/></failed-rules></error></message>',
    );
  });

  it('notify has no type (N-34)', () => expect(report('notify deliver direct')).not.to.contain(' type='));

  it('drop has no report (N-32)', () => expect(report('drop deliver stored')).to.equal(undefined));

  it('goes to the bare JID of a sender who has disconnected, and names the full one (D-23)', () => {
    expect(report('notify deliver stored', { to: romeo.bare() })).to.equal(
      reportXml('notify', 'notify deliver stored', 'juliet@capulet.example').replace(
        'to="romeo@montague.example/orchard"',
        'to="romeo@montague.example"',
      ),
    );
  });

  it('has no id if the message had none, which only an operator’s rules allow', () => {
    expect(report('alert deliver none', { id: undefined })).to.match(/^<message from="[^"]+" to="[^"]+"><amp /);
  });
});

describe('refusals of whole requests', () => {
  const good = 'drop deliver stored';

  function answer(content: string, attributes?: string): string {
    const request = readRequest(message(content, attributes));
    if (!(request instanceof Refusal)) throw new Error('not refused');
    const { id } = message(content, attributes);
    return refusalReply(request, { by: capulet, to: romeo, id }).toString();
  }

  it('no id', () => {
    expect(answer(ampXml([good]), '')).to.equal(thinErrorXml('modify', 400, 'bad-request', [ruleXml(good)], ''));
  });

  it('an empty id, which is repeated', () => {
    expect(answer(ampXml([good]), "id=''")).to.equal(
      thinErrorXml('modify', 400, 'bad-request', [ruleXml(good)], ' id=""'),
    );
  });

  it('no rules', () => expect(answer(ampXml([]))).to.equal(thinErrorXml('modify', 400, 'bad-request', [])));

  it('two <amp/>: the rules of both', () => {
    const other = 'alert deliver none';
    expect(answer(ampXml([good]) + ampXml([other]))).to.equal(
      thinErrorXml('modify', 400, 'bad-request', [ruleXml(good), ruleXml(other)]),
    );
  });

  it('a bad per-hop', () => {
    expect(answer(ampXml([good], ' per-hop="maybe"'))).to.equal(
      thinErrorXml('modify', 400, 'bad-request', [ruleXml(good)]),
    );
  });

  it('a next server without AMP (N-21)', () => {
    const refusal = Refusal.unsupportedAhead([rule(good)]);
    expect(refusalReply(refusal, { by: capulet, to: romeo, id: 'm1' }).toString()).to.equal(
      thinErrorXml('cancel', 503, 'service-unavailable', [ruleXml(good)]),
    );
  });
});
