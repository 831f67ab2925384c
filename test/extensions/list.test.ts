import { expect } from 'chai';
import { xml } from '../../src/xml/element.ts';
import { serialize } from '../../src/xml/serialize.ts';
import { allExtensions } from './all-extensions.ts';
import { Bench, errorText } from './bench.ts';

describe('the list of extensions', () => {
  const bench = new Bench(allExtensions);

  it('begins with the screen that blocks', () => {
    expect(bench.routing.hooks.extensions[0]?.name).to.equal('blocking');
  });

  it('has every name and every iq once', () => {
    const { extensions: all } = bench.routing.hooks;
    const names = all.map(({ name }) => name);
    const handled = all.flatMap(({ iq }) => iq ?? []);
    const keys = handled.flatMap(({ scopes, type, name, ns }) =>
      scopes.map((scope) => `${scope} ${type} ${name} ${ns}`),
    );
    expect(new Set(names).size).to.equal(names.length);
    expect(new Set(keys).size).to.equal(keys.length);
  });

  it('is what the domain says of itself (XEP-0030)', async () => {
    const juliet = await bench.user();
    const query = `<query xmlns='http://jabber.org/protocol/disco#info'/>`;
    const [answer] = await bench.asks(juliet, `<iq type='get' id='d' to='localhost'>${query}</iq>`);
    for (const feature of ['urn:xmpp:blocking', 'msgoffline', 'urn:xmpp:ping', 'jabber:iq:register', 'vcard-temp']) {
      expect(answer).to.contain(`<feature var="${feature}"/>`);
    }
  });

  it('offers nothing before authentication', () => {
    expect(
      bench.routing.hooks.extensions.flatMap((one) => one.streamFeatures?.('unauthenticated') ?? []),
    ).to.deep.equal([]);
  });

  describe('whatever a client sends', () => {
    const hostile: readonly (readonly [string, Record<string, string>])[] = [
      ['nothing', {}],
      ['an empty node, version and JID', { node: '', ver: '', jid: '' }],
      ['names of object properties', { __proto__x: '1', constructor: '1', toString: '1', hasOwnProperty: '1' }],
      ['long values', { node: 'x'.repeat(10_000), ver: '9'.repeat(10_000), jid: 'x'.repeat(10_000) }],
      ['control characters in disguise', { node: '\u202e\t\n', ver: '\u0085', jid: '\ufffd' }],
    ];
    const children = [
      [],
      [xml('item')],
      [xml('item', { jid: '' }), xml('item', { jid: '@' })],
      [xml('remove'), xml('username'), xml('password')],
      [xml('group'), xml('x', { xmlns: 'jabber:x:data' })],
      [xml('item', { xmlns: '' }, 'text')],
    ];

    for (const [what, attributes] of hostile) {
      it(`answers every request once, and never with a fault of its own: ${what}`, async () => {
        const handlers = bench.routing.hooks.extensions.flatMap(({ iq }) => iq ?? []);
        expect(handlers.length).to.be.greaterThan(20);
        for (const { name, ns, type } of handlers) {
          for (const to of ['', 'localhost', 'nobody@localhost']) {
            for (const content of children) {
              const juliet = await bench.user();
              const payload = serialize(xml(name, { ...attributes, xmlns: ns }, ...content));
              const answers = await bench.asks(
                juliet,
                `<iq type='${type}' id='q' ${to && `to='${to}'`}>${payload}</iq>`,
              );
              const mine = answers.filter((answer) => answer.includes(' id="q"'));
              expect(mine, payload).to.have.length(1);
              expect(mine[0], payload).not.to.match(errorText('cancel', 'internal-server-error'));
            }
          }
        }
        expect(bench.log.alarms).to.deep.equal([]);
      });
    }
  });
});
