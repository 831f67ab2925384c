import { expect } from 'chai';
import type { StubSession } from '../../support/stub-session.ts';
import {
  answersDisco,
  comesOnline,
  get,
  notified,
  ownerGet,
  ownerSet,
  pepBench,
  publish,
  set,
  settled,
} from './pep-bench.ts';

const relations = ['self', 'none', 'to', 'from', 'both', 'from in the group', 'to in the group'] as const;
type Relation = (typeof relations)[number];
const models = ['open', 'presence', 'roster', 'whitelist', 'no node'] as const;
type Model = (typeof models)[number];

/** Who may have what a node tells (XEP-0060 §4.5, XEP-0163 §5), said in another way than the server does. */
function expected(model: Model, relation: Relation): string {
  const maySeePresence = relation === 'self' || relation.startsWith('from') || relation === 'both';
  if (model === 'open') return 'granted';
  if (!maySeePresence) return 'service-unavailable';
  if (model === 'no node') return 'item-not-found';
  if (relation === 'self' || model === 'presence') return 'granted';
  if (model === 'whitelist') return 'closed-node';
  return relation.endsWith('in the group') ? 'granted' : 'not-in-roster-group';
}

describe('access to a node', () => {
  const bench = pepBench();
  const discoQuery = (kind: string, node: string, to: string) =>
    `<iq type='get' id='q' to='${to}'><query xmlns='http://jabber.org/protocol/disco#${kind}' node='${node}'/></iq>`;

  /** An owner with a node, and somebody who is or is not a contact of his. */
  async function cast(model: Model, relation: Relation): Promise<{ owner: StubSession; asker: StubSession }> {
    const owner = await bench.user('owner');
    const { account } = owner;
    const asker = relation === 'self' ? await bench.session(account, 'other') : await bench.user('asker');
    const [subscription, ...group] = relation.split(' ');
    if (subscription === 'to' || subscription === 'from' || subscription === 'both') {
      const item = account.roster.getOrBlank(asker.account.key);
      const groups = group.length > 0 ? ['Friends'] : ['Others'];
      await bench.routing.rosters.save(account, { ...item, subscription, groups, inRoster: true });
      const mirrored = { to: 'from', from: 'to', both: 'both' } as const;
      const other = asker.account.roster.getOrBlank(account.key);
      const back = mirrored[subscription];
      await bench.routing.rosters.save(asker.account, { ...other, subscription: back, inRoster: true });
    }
    const options = { access_model: model, roster_groups_allowed: 'Friends' };
    if (model !== 'no node') await bench.does(owner, publish('n', 'a', options));
    return { owner, asker };
  }

  /** `granted`, or the condition of the error, the most special one. */
  function outcome([answer = '']: readonly string[]): string {
    if (answer.includes('type="result"')) return 'granted';
    const [, detail] = /<([\w-]+) xmlns="[^"]*pubsub#errors"/.exec(answer) ?? [];
    const [, condition = answer] = /<error [^>]*><([\w-]+) /.exec(answer) ?? [];
    return detail ?? condition;
  }

  for (const model of models) {
    for (const relation of relations) {
      const access = expected(model, relation);
      it(`${model} to ${relation}: ${access}`, async () => {
        const { owner, asker } = await cast(model, relation);
        const to = owner.account.key;
        expect(outcome(await bench.asks(asker, get(`<items node='n'/>`, to)))).to.equal(access);

        const info = outcome(await bench.asks(asker, discoQuery('info', 'n', to)));
        const hidden = access === 'service-unavailable' ? access : 'item-not-found';
        expect(info).to.equal(access === 'granted' ? 'granted' : hidden);

        const [items = ''] = await bench.asks(asker, discoQuery('items', 'n', to));
        expect(items.includes('name="a"')).to.equal(access === 'granted');
        const all = `<iq type='get' id='q' to='${to}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`;
        const [list = ''] = await bench.asks(asker, all);
        expect(list.includes('node="n"')).to.equal(access === 'granted');

        const isNotified = access === 'granted' && !['none', 'to', 'to in the group'].includes(relation);
        await comesOnline(bench, asker, 'n');
        // A node that is open to all is shown to whoever sees the owner, too.
        const seesOwner = ['self', 'from', 'both', 'from in the group'].includes(relation);
        expect(notified(asker)).to.deep.equal(
          access === 'granted' && seesOwner ? ['headline owner n item a late'] : [],
        );
        if (model !== 'no node') await bench.does(owner, publish('n', 'b'));
        await answersDisco(bench, asker, ['n']);
        expect(notified(asker)).to.deep.equal(isNotified ? ['headline owner n item b'] : []);

        const subscribe = set(`<subscribe node='n' jid='${asker.account.key}'/>`, to);
        expect(outcome(await bench.asks(asker, subscribe))).to.equal(access);
        await settled();
        notified(asker);
        if (model !== 'no node') await bench.does(owner, publish('n', 'c'));
        await answersDisco(bench, asker, ['n']);
        expect(notified(asker)).to.deep.equal(access === 'granted' ? ['headline owner n item c'] : []);
      });
    }
  }

  describe('to a stranger', () => {
    const situations = ['no account', 'no node', 'a closed node', 'an open node that he is blocked from'] as const;
    const query = (kind: string) => `<query xmlns='http://jabber.org/protocol/disco#${kind}' node='n'/>`;
    const requests: readonly (readonly [string, string])[] = [
      ['items', get(`<items node='n'/>`)],
      ['a page of items', get(`<items node='n'/><set xmlns='http://jabber.org/protocol/rsm'><max>1</max></set>`)],
      ['malformed items', get('<items/>')],
      ['subscriptions', get('<subscriptions/>')],
      ['affiliations', get('<affiliations/>')],
      ['the options of a subscription', get(`<options node='n' jid='a@b'/>`)],
      ['a subscription', set(`<subscribe node='n' jid='a@b'/>`)],
      ['the end of a subscription', set(`<unsubscribe node='n' jid='a@b'/>`)],
      ['a publication', publish('n', 'x')],
      ['a new node', set(`<create node='n'/>`)],
      ['a configuration', ownerGet(`<configure node='n'/>`)],
      ['the members', ownerGet(`<affiliations node='n'/>`)],
      ['the deletion of the node', ownerSet(`<delete node='n'/>`)],
      ['disco#info of the node', `<iq type='get' id='q'>${query('info')}</iq>`],
      ['disco#items of the node', `<iq type='get' id='q'>${query('items')}</iq>`],
    ];

    for (const [what, request] of requests) {
      it(`${what}: the answer is the same, byte by byte, whatever there is`, async () => {
        const answers = new Map<string, string>();
        for (const situation of situations) {
          const [owner, eve] = [await bench.user('owner'), await bench.user('eve')];
          const model = situation === 'a closed node' ? 'presence' : 'open';
          if (situation.includes('a closed') || situation.includes('an open'))
            await bench.does(owner, publish('n', 'a', { access_model: model }));
          const block = `<block xmlns='urn:xmpp:blocking'><item jid='${eve.account.key}'/></block>`;
          if (situation.includes('blocked')) await bench.does(owner, `<iq type='set' id='b'>${block}</iq>`);
          const to = situation === 'no account' ? `nobody${owner.account.jid.local}@localhost` : owner.account.key;
          const [answer = ''] = await bench.asks(eve, request.replace('<iq ', `<iq to='${to}' `));
          answers.set(situation, answer.replaceAll(to, 'OWNER').replaceAll(String(eve.account.key), 'EVE'));
        }
        const isList = request.includes('disco#items');
        expect(answers.get('no account')).to.contain(isList ? 'type="result"' : '<service-unavailable ');
        expect(new Set(answers.values()).size, [...answers].join('\n')).to.equal(1);
      });
    }
  });
});
