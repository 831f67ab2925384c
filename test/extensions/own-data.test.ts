import { expect } from 'chai';
import { privateXml } from '../../src/extensions/private-xml.ts';
import { vcard } from '../../src/extensions/vcard.ts';
import type { Element } from '../../src/xml/element.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench, errorText } from './bench.ts';

describe('Private XML Storage (XEP-0049)', () => {
  const bench = new Bench(({ storage }) => ({ extensions: [privateXml(storage.privateXml)] }));
  const ask = (session: StubSession, type: 'get' | 'set', content: string, to = '') =>
    bench.asks(session, `<iq type='${type}' id='x' ${to}><query xmlns='jabber:iq:private'>${content}</query></iq>`);

  it('gives back what was stored, by name and namespace', async () => {
    const juliet = await bench.user();
    const one = `<prefs xmlns='urn:one' a='1'>text &amp; <b xmlns='urn:b'/></prefs>`;
    expect((await ask(juliet, 'set', one))[0]).to.contain('type="result"/>');
    await ask(juliet, 'set', `<prefs xmlns='urn:two'>other</prefs>`);
    expect((await ask(juliet, 'get', `<prefs xmlns='urn:one'/>`))[0]).to.contain(
      '<query xmlns="jabber:iq:private"><prefs xmlns="urn:one" a="1">text &amp; <b xmlns="urn:b"/></prefs></query>',
    );
  });

  it('keeps prefixes that were declared outside', async () => {
    const juliet = await bench.user();
    const set = `<iq xmlns:p='urn:p' type='set' id='x'><query xmlns='jabber:iq:private'><p:prefs p:a='1'/></query></iq>`;
    await bench.does(juliet, set);
    const [answer] = await ask(juliet, 'get', `<prefs xmlns='urn:p'/>`);
    expect(answer).to.contain('<p:prefs').and.to.contain('xmlns:p="urn:p"').and.to.contain('p:a="1"');
  });

  it('replaces what was stored before', async () => {
    const juliet = await bench.user();
    await ask(juliet, 'set', `<prefs xmlns='urn:one'>old</prefs>`);
    await ask(juliet, 'set', `<prefs xmlns='urn:one'>new</prefs>`);
    expect((await ask(juliet, 'get', `<prefs xmlns='urn:one'/>`))[0]).to.contain('>new</prefs>');
  });

  it('gives an empty element for what was never stored', async () => {
    const juliet = await bench.user();
    expect((await ask(juliet, 'get', `<prefs xmlns='urn:one'/>`))[0]).to.contain(
      '<query xmlns="jabber:iq:private"><prefs xmlns="urn:one"/></query>',
    );
  });

  it('stores several elements of one namespace', async () => {
    const juliet = await bench.user();
    await ask(juliet, 'set', `<a xmlns='urn:one'>1</a><b xmlns='urn:one'>2</b>`);
    expect((await ask(juliet, 'get', `<b xmlns='urn:one'/>`))[0]).to.contain('<b xmlns="urn:one">2</b>');
  });

  const wrong: readonly (readonly ['get' | 'set', string, string])[] = [
    ['get', 'nothing', ''],
    ['set', 'nothing', ''],
    ['get', 'two elements', `<a xmlns='urn:one'/><b xmlns='urn:one'/>`],
    ['set', 'two namespaces', `<a xmlns='urn:one'/><a xmlns='urn:two'/>`],
    ['set', 'the same twice', `<a xmlns='urn:one'/><a xmlns='urn:one'/>`],
    ['get', 'an element without a namespace of its own', '<a/>'],
    ['set', 'an element without a namespace of its own', '<a/>'],
    ['set', 'an element in no namespace', `<a xmlns=''/>`],
    ['set', 'an element of the stream', `<message xmlns='jabber:client'/>`],
  ];
  for (const [type, what, content] of wrong) {
    it(`refuses to ${type} ${what} (XEP-0049 §2.3)`, async () => {
      const juliet = await bench.user();
      expect((await ask(juliet, type, content))[0]).to.match(errorText('modify', 'not-acceptable'));
    });
  }

  it('is private, whether the other exists or not', async () => {
    const juliet = await bench.user();
    const romeo = await bench.user('romeo');
    await ask(romeo, 'set', `<a xmlns='urn:one'>secret</a>`);
    for (const type of ['get', 'set'] as const) {
      for (const to of [romeo.account.key, 'romeo0@localhost']) {
        const [answer] = await ask(juliet, type, `<a xmlns='urn:one'/>`, `to='${to}'`);
        expect(answer).to.match(errorText('auth', 'forbidden'));
      }
    }
    expect((await ask(romeo, 'get', `<a xmlns='urn:one'/>`))[0]).to.contain('secret');
  });
});

describe('vcard-temp (XEP-0054)', () => {
  const photos = {
    shown: (_owner: unknown, _reader: unknown, card?: Element) => card,
    taken: (_: unknown, card: Element) => card,
  };
  const bench = new Bench(({ storage }) => ({ extensions: [vcard({ store: storage.vcards, photos })] }));
  const card = `<vCard xmlns='vcard-temp'><FN>Juliet</FN></vCard>`;
  const set = (session: StubSession, xml: string, to = '') =>
    bench.asks(session, `<iq type='set' id='v' ${to && `to='${to}'`}>${xml}</iq>`);
  const get = (session: StubSession, to = '') =>
    bench.asks(session, `<iq type='get' id='v' ${to && `to='${to}'`}><vCard xmlns='vcard-temp'/></iq>`);

  it('shows the own one, once there is one (XEP-0054 §3.1)', async () => {
    const juliet = await bench.user();
    expect((await get(juliet))[0]).to.match(errorText('cancel', 'item-not-found'));
    expect((await set(juliet, card))[0]).to.contain('type="result"/>');
    expect((await get(juliet))[0]).to.contain('<vCard xmlns="vcard-temp"><FN>Juliet</FN></vCard></iq>');
  });

  it('shows it to everybody', async () => {
    const juliet = await bench.user();
    const romeo = await bench.user('romeo');
    await set(juliet, card);
    expect((await get(romeo, juliet.account.key))[0]).to.contain('<FN>Juliet</FN>');
  });

  it('makes no difference between no vCard and no account (XEP-0054 §3.3)', async () => {
    const juliet = await bench.user();
    const romeo = await bench.account('romeo');
    const [none] = await get(juliet, romeo.key);
    const [nobody] = await get(juliet, 'romeo0@localhost');
    expect(none).to.match(errorText('cancel', 'service-unavailable'));
    expect(none?.replace(/romeo\d+/, '')).to.equal(nobody?.replace(/romeo\d+/, ''));
  });

  it('is written by its owner alone (XEP-0054 §3.2)', async () => {
    const juliet = await bench.user();
    const romeo = await bench.user('romeo');
    for (const to of [romeo.account.key, 'romeo0@localhost']) {
      expect((await set(juliet, card, to))[0]).to.match(errorText('auth', 'forbidden'));
    }
    expect((await get(romeo))[0]).to.match(errorText('cancel', 'item-not-found'));
  });

  it('is not larger than a limit', async () => {
    const juliet = await bench.user();
    const [answer] = await set(juliet, `<vCard xmlns='vcard-temp'><DESC>${'&lt;'.repeat(70_000)}</DESC></vCard>`);
    expect(answer).to.match(errorText('wait', 'resource-constraint'));
  });
});
