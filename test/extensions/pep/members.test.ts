import { expect } from 'chai';
import type { StubSession } from '../../support/stub-session.ts';
import { errorText } from '../bench.ts';
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

describe('members and subscribers of a node', () => {
  const bench = pepBench();
  const affiliations = (node: string, ...entries: readonly (readonly [string, string])[]) =>
    `<affiliations node='${node}'>${entries
      .map(([jid, affiliation]) => `<affiliation jid='${jid}' affiliation='${affiliation}'/>`)
      .join('')}</affiliations>`;
  const whitelist = { access_model: 'whitelist' };

  /** An owner with a closed node, and somebody who is a contact of his or a stranger. */
  async function cast(relation: 'contact' | 'stranger') {
    const [juliet, romeo] = [await bench.user(), await bench.user('romeo', '<presence/>')];
    if (relation === 'contact') await bench.befriend(juliet.account, romeo.account);
    await bench.does(juliet, publish('n', 'a', whitelist));
    return { juliet, romeo, owner: juliet.account.key, member: romeo.account.key };
  }
  const admit = (juliet: StubSession, jid: string, affiliation = 'member') =>
    bench.asks(juliet, ownerSet(affiliations('n', [jid, affiliation])));

  for (const relation of ['contact', 'stranger'] as const) {
    it(`a member who is a ${relation} is let in by a whitelist (XEP-0060 §4.5), and out again`, async () => {
      const { juliet, romeo, owner, member } = await cast(relation);
      const refused = relation === 'contact' ? 'closed-node' : 'service-unavailable';
      const items = async () => (await bench.asks(romeo, get(`<items node='n'/>`, owner)))[0];
      expect(await items()).to.contain(refused);
      expect((await admit(juliet, `${member}/any`))[0]).to.contain('type="result"');
      expect(await items()).to.contain('<item id="a">');
      await bench.does(romeo, set(`<subscribe node='n' jid='${member}'/>`, owner));
      await settled();
      notified(romeo);
      await bench.does(juliet, publish('n', 'b'));
      expect(notified(romeo)).to.deep.equal(['headline juliet n item b']);
      await admit(juliet, member, 'none');
      await bench.does(juliet, publish('n', 'c'));
      expect(notified(romeo)).to.deep.equal([]);
      expect(await items()).to.contain(refused);
    });
  }

  it('a member who is a contact hears of events that his client wants', async () => {
    const { juliet, romeo, member } = await cast('contact');
    await comesOnline(bench, romeo, 'n');
    await admit(juliet, member);
    await bench.does(juliet, publish('n', 'b'));
    await answersDisco(bench, romeo, ['n']);
    expect(notified(romeo)).to.deep.equal(['headline juliet n item b']);
  });

  it('are listed by the owner, and survive a restart (XEP-0060 §8.9.1)', async () => {
    const { juliet, owner, member } = await cast('stranger');
    await admit(juliet, member);
    bench.rebuild();
    const account = await bench.routing.accounts.get(juliet.account.jid);
    const again = account && (await bench.session(account, 'again'));
    if (!again) throw new Error('the account is not there');
    const [list] = await bench.asks(again, ownerGet(`<affiliations node='n'/>`));
    expect(list).to.contain(
      `<affiliations node="n"><affiliation jid="${owner}" affiliation="owner"/><affiliation jid="${member}" affiliation="member"/></affiliations>`,
    );
    const [config] = await bench.asks(again, ownerGet(`<configure node='n'/>`));
    expect(config).not.to.contain(member);
  });

  it('are members no more when their account is removed', async () => {
    const { juliet, romeo, owner, member } = await cast('stranger');
    const nurse = await bench.user('nurse');
    for (const jid of [member, nurse.account.key]) await admit(juliet, jid);
    await bench.does(romeo, set(`<subscribe node='n' jid='${member}'/>`, owner));
    bench.routing.hooks.accountRemoved(romeo.account.jid);
    // A change that was requested before.
    await admit(juliet, 'paris@x.example');
    await settled();
    for (const restarted of [false, true]) {
      if (restarted) bench.rebuild();
      const account = await bench.routing.accounts.get(juliet.account.jid);
      const [list] = await bench.asks(
        account && restarted ? await bench.session(account, 'again') : juliet,
        ownerGet(`<affiliations node='n'/>`),
      );
      expect(list).to.contain('paris@x.example').and.to.contain(nurse.account.key).and.not.to.contain(member);
    }
    expect(await bench.storage.pep.subscribers(owner, 'n')).to.deep.equal([]);
  });

  it('see their affiliations, and strangers without any learn nothing (XEP-0060 §5.7)', async () => {
    const { juliet, romeo, owner, member } = await cast('stranger');
    await bench.does(juliet, publish('m', 'a', whitelist));
    const ask = async (session: StubSession, node = '') =>
      (await bench.asks(session, get(`<affiliations ${node}/>`, owner)))[0];
    expect(await ask(juliet)).to.contain('<affiliation node="n" affiliation="owner"/><affiliation node="m"');
    expect(await ask(romeo)).to.match(errorText('cancel', 'service-unavailable'));
    await admit(juliet, member);
    expect(await ask(romeo)).to.contain('<affiliations><affiliation node="n" affiliation="member"/></affiliations>');
    expect(await ask(romeo, `node='m'`)).to.match(errorText('cancel', 'service-unavailable'));
    const contact = await bench.user('nurse');
    await bench.befriend(juliet.account, contact.account);
    expect(await ask(contact)).to.contain('<affiliations/>');
  });

  const refused: readonly (readonly [string, string, string, string])[] = [
    ['another affiliation', 'n', 'a@x.example', 'publisher'],
    ['the owner as a member', 'n', 'OWNER', 'member'],
    ['an address that is none', 'n', 'a b@c', 'member'],
    ['a private node', 'urn:xmpp:bookmarks:1', 'a@x.example', 'member'],
  ];
  for (const [what, node, jid, affiliation] of refused) {
    it(`are not ${what}, and nothing else of the request is done`, async () => {
      const { juliet, owner } = await cast('stranger');
      await bench.does(juliet, publish('urn:xmpp:bookmarks:1', 'a'));
      const entries = [
        ['b@x.example', 'member'],
        [jid.replace('OWNER', owner), affiliation],
      ] as const;
      const [answer] = await bench.asks(juliet, ownerSet(affiliations(node, ...entries)));
      expect(answer).to.contain('<not-acceptable ');
      expect((await bench.asks(juliet, ownerGet(`<affiliations node='${node}'/>`)))[0]).not.to.contain('x.example');
    });
  }

  it('have a limit, and no node without its owner’s consent', async () => {
    const { juliet, romeo, owner } = await cast('contact');
    const many = Array.from({ length: 600 }, (_, at) => [`member${at}@x.example`, 'member'] as const);
    expect((await bench.asks(juliet, ownerSet(affiliations('n', ...many))))[0]).to.contain('<resource-constraint ');
    expect((await bench.asks(juliet, ownerSet(affiliations('no', ['a@b', 'member']))))[0]).to.contain(
      '<item-not-found ',
    );
    expect((await bench.asks(romeo, ownerSet(affiliations('n', ['a@b', 'member']), owner)))[0]).to.contain(
      '<forbidden ',
    );
  });

  it('see their subscriptions, and strangers without any learn nothing (XEP-0060 §5.6)', async () => {
    const { juliet, romeo, owner, member } = await cast('stranger');
    const ask = async (session: StubSession, node = '') =>
      (await bench.asks(session, get(`<subscriptions ${node}/>`, owner)))[0];
    expect(await ask(romeo)).to.match(errorText('cancel', 'service-unavailable'));
    for (const node of ['o', 'p']) await bench.does(juliet, publish(node, 'a', { access_model: 'open' }));
    await bench.does(romeo, set(`<subscribe node='o' jid='${member}'/>`, owner));
    await bench.does(romeo, set(`<subscribe node='p' jid='${member}/home'/>`, owner));
    await settled();
    const one = `<subscription node="o" jid="${member}" subscription="subscribed"/>`;
    const two = `<subscription node="p" jid="${member}/home" subscription="subscribed"/>`;
    expect(await ask(romeo)).to.contain(`<subscriptions>${one}${two}</subscriptions>`);
    expect(await ask(romeo, `node='p'`)).to.contain(`<subscriptions node="p">${two}</subscriptions>`);
    expect(await ask(juliet)).to.contain('<subscriptions/>');
  });
});
