import { expect } from 'chai';
import type { StubSession } from '../../support/stub-session.ts';
import { errorText } from '../bench.ts';
import {
  answersDisco,
  comesOnline,
  form,
  get,
  notified,
  ownerGet,
  ownerSet,
  pepBench,
  publish,
  set,
  settled,
} from './pep-bench.ts';

const precondition = /^<iq [^>]*type="error"><error type="cancel"><conflict [^>]*\/><precondition-not-met /;

describe('the nodes of an account (XEP-0163), for its owner', () => {
  const bench = pepBench();
  const items = async (session: StubSession, node: string, attributes = '') => {
    const [answer = ''] = await bench.asks(session, get(`<items node='${node}' ${attributes}/>`));
    return [...answer.matchAll(/<item id="([^"]*)">/g)].map(([, id]) => id);
  };
  const configOf = async (session: StubSession, node: string) => {
    const [answer = ''] = await bench.asks(session, ownerGet(`<configure node='${node}'/>`));
    const fields = answer.matchAll(/var="pubsub#(\w+)"[^>]*>(?:<value>([^<]*)<\/value>)?/g);
    return Object.fromEntries(Array.from(fields, ([, name, value]) => [name, value]));
  };

  it('are made by the first publication, with the defaults of PEP (XEP-0163 §5)', async () => {
    const juliet = await bench.user();
    const [answer] = await bench.asks(juliet, publish('urn:tune', 'a'));
    expect(answer).to.contain('type="result"').and.to.contain('<publish node="urn:tune"><item id="a"/></publish>');
    expect(await configOf(juliet, 'urn:tune')).to.include({
      access_model: 'presence',
      max_items: '1',
      persist_items: '1',
      send_last_published_item: 'on_sub_and_presence',
    });
  });

  it('give an item without an id one (XEP-0060 §7.1.2)', async () => {
    const juliet = await bench.user();
    const item = `<publish node='n'><item><p xmlns='urn:p'/></item></publish>`;
    await bench.does(juliet, set(item));
    const id = /<item id="([\w-]{22})"\/>/.exec(String(juliet.sent[0]))?.[1];
    await bench.does(juliet, get(`<items node='n'/>`));
    expect(String(juliet.sent[1])).to.contain(`<item id="${id}"><p xmlns="urn:p"/></item>`);
  });

  it('keep the newest items, in the order of publication', async () => {
    const juliet = await bench.user();
    for (const id of ['a', 'b', 'c', 'a']) await bench.does(juliet, publish('n', id, { max_items: '3' }));
    expect(await items(juliet, 'n')).to.deep.equal(['b', 'c', 'a']);
    await bench.does(juliet, publish('n', 'd'));
    expect(await items(juliet, 'n')).to.deep.equal(['c', 'a', 'd']);
    expect(await items(juliet, 'n', `max_items='2'`)).to.deep.equal(['a', 'd']);
    const [some] = await bench.asks(juliet, get(`<items node='n'><item id='d'/><item id='x'/></items>`));
    expect(some).to.contain('<items node="n"><item id="d"><p xmlns="urn:p">d</p></item></items>');
  });

  it('survive a restart of the server', async () => {
    const juliet = await bench.user();
    await bench.does(juliet, publish('n', 'a', { access_model: 'open', max_items: 'max' }));
    bench.rebuild();
    const account = await bench.routing.accounts.get(juliet.account.jid);
    if (!account) throw new Error('the account is not there');
    const again = await bench.session(account, 'again');
    expect(await items(again, 'n')).to.deep.equal(['a']);
    expect(await configOf(again, 'n')).to.include({ access_model: 'open', max_items: 'max' });
  });

  it('do not keep what is not to be kept', async () => {
    const juliet = await bench.user();
    await comesOnline(bench, juliet, 'n');
    await bench.does(juliet, publish('n', 'a', { persist_items: '0' }));
    await settled();
    expect(await items(juliet, 'n')).to.deep.equal([]);
    const [answer] = await bench.asks(juliet, set(`<retract node='n'><item id='a'/></retract>`));
    expect(answer).to.contain(
      '<unsupported xmlns="http://jabber.org/protocol/pubsub#errors" feature="persistent-items"/>',
    );
  });

  describe('publish options (XEP-0060 §7.1.5)', () => {
    it('configure a new node, all of them', async () => {
      const juliet = await bench.user();
      const options = { access_model: 'whitelist', max_items: 'max', send_last_published_item: 'never', title: 'T' };
      await bench.does(juliet, publish('n', 'a', options));
      expect(await configOf(juliet, 'n')).to.include(options);
    });

    it('are met by the same values in other words', async () => {
      const juliet = await bench.user();
      await bench.does(juliet, publish('n', 'a', { max_items: 'max', persist_items: 'true' }));
      const [answer] = await bench.asks(juliet, publish('n', 'b', { max_items: '9999', persist_items: '1' }));
      expect(answer).to.contain('type="result"');
    });

    it('that are not met change nothing and publish nothing', async () => {
      const juliet = await bench.user();
      await bench.does(juliet, publish('n', 'a'));
      const [answer] = await bench.asks(juliet, publish('n', 'b', { access_model: 'open' }));
      expect(answer).to.match(precondition);
      expect(await items(juliet, 'n')).to.deep.equal(['a']);
      expect(await configOf(juliet, 'n')).to.include({ access_model: 'presence' });
    });

    it('with unknown fields or values create nothing', async () => {
      const juliet = await bench.user();
      for (const options of [{ item_expire: '10' }, { access_model: 'authorize' }, { persist_items: 'perhaps' }]) {
        const [answer] = await bench.asks(juliet, publish('n', 'a', options));
        expect(answer).to.contain('<not-acceptable ');
      }
      expect((await bench.asks(juliet, get(`<items node='n'/>`)))[0]).to.match(errorText('cancel', 'item-not-found'));
    });

    it('of two devices at once count one after the other', async () => {
      const account = await bench.account();
      const [home, phone] = [await bench.session(account, 'home'), await bench.session(account, 'phone')];
      await Promise.all([
        bench.does(home, publish('n', 'a', { access_model: 'open' })),
        bench.does(phone, publish('n', 'b', { access_model: 'whitelist' })),
      ]);
      expect(home.taken()[0]).to.contain('type="result"');
      expect(phone.taken()[0]).to.match(precondition);
    });
  });

  describe('that are private whatever is asked for (XEP-0223 §2, XEP-0402 §5)', () => {
    for (const node of ['urn:xmpp:bookmarks:1', 'storage:bookmarks', 'urn:xmpp:mds:displayed:0']) {
      it(node, async () => {
        const juliet = await bench.user();
        const [refused] = await bench.asks(juliet, publish(node, 'a', { access_model: 'open' }));
        expect(refused).to.contain('<unsupported-access-model ');
        await bench.does(juliet, publish(node, 'a'));
        expect(await configOf(juliet, node)).to.include({ access_model: 'whitelist', max_items: 'max' });
        const opened = ownerSet(
          `<configure node='${node}'>${form('node_config', { access_model: 'open' })}</configure>`,
        );
        expect((await bench.asks(juliet, opened))[0]).to.contain('<unsupported-access-model ');
        expect(await configOf(juliet, node)).to.include({ access_model: 'whitelist' });
      });
    }
  });

  const omemo: readonly (readonly [string, string])[] = [
    ['eu.siacs.conversations.axolotl.devicelist', '1'],
    ['eu.siacs.conversations.axolotl.bundles:31415', '1'],
    ['urn:xmpp:omemo:2:devices', '1'],
    ['urn:xmpp:omemo:2:bundles', 'max'],
  ];
  for (const [node, max_items] of omemo) {
    it(`make ${node} open to all (XEP-0384 §5.3)`, async () => {
      const juliet = await bench.user();
      await bench.does(juliet, publish(node, 'a'));
      expect(await configOf(juliet, node)).to.include({ access_model: 'open', max_items });
    });
  }

  it('are created with a configuration (XEP-0060 §8.1.3)', async () => {
    const juliet = await bench.user();
    const configure = `<configure>${form('node_config', { access_model: 'roster', title: 'T' })}</configure>`;
    expect((await bench.asks(juliet, set(`<create node='n'/>${configure}`)))[0]).to.contain('type="result"/>');
    expect(await configOf(juliet, 'n')).to.include({ access_model: 'roster', title: 'T' });
    expect((await bench.asks(juliet, set(`<create node='n'/>`)))[0]).to.match(errorText('cancel', 'conflict'));
  });

  it('are configured, retracted from, purged and deleted, and the devices that want to know are told', async () => {
    const account = await bench.account();
    const home = await bench.session(account, 'home');
    const [wanting, other] = [await bench.session(account, 'wanting'), await bench.session(account, 'other')];
    await comesOnline(bench, wanting, 'n');
    await comesOnline(bench, other, 'm');
    notified(wanting);
    for (const request of [
      publish('n', 'a', { max_items: '5', access_model: 'whitelist' }),
      publish('n', 'b'),
      set(`<retract node='n' notify='1'><item id='a'/></retract>`),
      ownerSet(`<configure node='n'>${form('node_config', { notify_config: '1', notify_retract: '0' })}</configure>`),
      set(`<retract node='n'><item id='b'/></retract>`),
      ownerSet(`<purge node='n'/>`),
      ownerSet(`<delete node='n'/>`),
    ]) {
      expect((await bench.asks(home, request))[0]).to.contain('type="result"');
      await answersDisco(bench, wanting, ['n']);
      await answersDisco(bench, other, ['m']);
    }
    expect(notified(wanting)).to.deep.equal([
      'headline juliet n item a',
      'headline juliet n item b',
      'headline juliet n retract a',
      'headline juliet n configuration',
      'headline juliet n purge',
      'headline juliet n delete',
    ]);
    expect(notified(other)).to.deep.equal([]);
    expect((await bench.asks(home, get(`<items node='n'/>`)))[0]).to.match(errorText('cancel', 'item-not-found'));
  });

  const wrong: readonly (readonly [string, string, string])[] = [
    ['a publication without a node', set(`<publish><item id='a'><p xmlns='p'/></item></publish>`), 'nodeid-required'],
    ['a publication without an item', set(`<publish node='n'/>`), 'item-required'],
    ['an item without a payload', set(`<publish node='n'><item id='a'/></publish>`), 'payload-required'],
    [
      'two payloads',
      set(`<publish node='n'><item id='a'><p xmlns='p'/><p xmlns='p'/></item></publish>`),
      'invalid-payload',
    ],
    [
      'a payload that is too large',
      set(`<publish node='n'><item id='a'><p xmlns='p'>${'x'.repeat(131_072)}</p></item></publish>`),
      'payload-too-big',
    ],
    ['a retraction without an id', set(`<retract node='n'><item/></retract>`), 'item-required'],
    ['a new node without a name', set('<create/>'), 'nodeid-required'],
    ['options of a subscription', set(`<options node='n' jid='a@b'/>`), 'feature="subscription-options"'],
    ['a list of subscribers', ownerGet(`<subscriptions node='n'/>`), 'feature="manage-subscriptions"'],
  ];
  for (const [what, request, detail] of wrong) {
    it(`refuse ${what}`, async () => {
      const juliet = await bench.user();
      const [answer] = await bench.asks(juliet, request);
      expect(answer).to.contain('type="error"').and.to.contain(detail);
    });
  }

  it('refuse what concerns a node or an item that is not there', async () => {
    const juliet = await bench.user();
    // Profanity wants the code.
    expect((await bench.asks(juliet, get(`<items node='n'/>`)))[0]).to.contain('<error type="cancel" code="404">');
    for (const request of [
      get(`<items node='n'/>`),
      set(`<retract node='n'><item id='a'/></retract>`),
      ownerGet(`<configure node='n'/>`),
      ownerSet(`<configure node='n'>${form('node_config', {})}</configure>`),
      ownerSet(`<purge node='n'/>`),
      ownerSet(`<delete node='n'/>`),
    ])
      expect((await bench.asks(juliet, request))[0]).to.match(errorText('cancel', 'item-not-found'));
    await bench.does(juliet, publish('n', 'a'));
    const [answer] = await bench.asks(juliet, set(`<retract node='n'><item id='b'/></retract>`));
    expect(answer).to.match(errorText('cancel', 'item-not-found'));
  });

  it('are 500 at most', async () => {
    const juliet = await bench.user();
    for (let at = 0; at < 500; at++) await bench.does(juliet, set(`<create node='n${at}'/>`));
    expect((await bench.asks(juliet, publish('more', 'a')))[0]).to.contain('<max-nodes-exceeded ');
    expect((await bench.asks(juliet, publish('n7', 'a')))[0]).to.contain('type="result"');
  });

  it('hold 8 MiB at most', async () => {
    const juliet = await bench.user();
    const large = 'x'.repeat(130_000);
    let full = '';
    for (let at = 0; at < 65 && full === ''; at++) {
      const [answer = ''] = await bench.asks(juliet, publish('n', `i${at}`, { max_items: 'max' }, large));
      if (!answer.includes('type="result"')) full = answer;
    }
    expect(full).to.contain('<resource-constraint ');
    // An answer with all of them would be too large for the connection of a client.
    const [answer = ''] = await bench.asks(juliet, get(`<items node='n'/>`));
    expect(answer.length).to.be.within(300_000, 600_000);
  });

  it('are announced (XEP-0163 §6.1)', async () => {
    const juliet = await bench.user();
    const query = `<query xmlns='http://jabber.org/protocol/disco#info'/>`;
    const [answer] = await bench.asks(juliet, `<iq type='get' id='d' to='${juliet.account.key}'>${query}</iq>`);
    expect(answer).to.contain('<identity category="pubsub" type="pep"/>');
    for (const feature of ['publish-options', 'config-node-max', 'item-ids', 'multi-items', 'auto-create'])
      expect(answer).to.contain(`<feature var="http://jabber.org/protocol/pubsub#${feature}"/>`);
  });
});
