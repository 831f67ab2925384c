import { befriend, Stage } from '../support/conversation.ts';
import { expectTrees } from '../support/test-client.ts';
import { push, rosterGet, rosterOf, rosterSet } from './roster-patterns.ts';

const listening = { roster: true };

describe('Presence subscriptions (RFC 6121 §3)', () => {
  const stage = new Stage();

  it('a request and its approval (RFC 6121 §3.1)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet'], listening);

    romeo.sends(`<presence to="${juliet.bare}" type="subscribe" id="s1"/>`);
    await romeo.receives(push(juliet.bare, 'subscription="none" ask="subscribe"'));
    await juliet.receives(`<presence from="${romeo.bare}" to="${juliet.bare}" type="subscribe" id="s1">...</presence>`);
    await juliet.gets(rosterGet, rosterOf());

    juliet.sends(`<presence to="${romeo.bare}" type="subscribed"/>`);
    await juliet.receives(push(romeo.bare, 'subscription="from" ask="{none}"'));
    await romeo.receivesInAnyOrder(
      `<presence from="${juliet.bare}" to="${romeo.bare}" type="subscribed">...</presence>`,
      push(juliet.bare, 'subscription="to" ask="{none}"'),
      `<presence from="${juliet.jid}" type="{none}">...</presence>`,
    );
    await romeo.receivesNothing();
    await juliet.receivesNothing();
  });

  it('both ways (RFC 6121 §3.1.6)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    await befriend(romeo, juliet);
    await romeo.gets(
      rosterGet,
      rosterOf(`<item jid="${juliet.bare}" subscription="both" ask="{none}" approved="{none}"/>`),
    );
    await juliet.gets(rosterGet, rosterOf(`<item jid="${romeo.bare}" subscription="both" ask="{none}"/>`));
  });

  it('a request to a full JID is one to the bare JID (RFC 6121 §3.1.2)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet'], listening);
    romeo.sends(`<presence to="${juliet.jid}" type="subscribe"/>`);
    await romeo.receives(push(juliet.bare, 'subscription="none" ask="subscribe"'));
    await juliet.receives(`<presence from="${romeo.bare}" to="${juliet.bare}" type="subscribe">...</presence>`);
  });

  it('a denial (RFC 6121 §3.1.5)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet'], listening);
    romeo.sends(`<presence to="${juliet.bare}" type="subscribe"/>`);
    await romeo.receives(push(juliet.bare, 'ask="subscribe"'));
    await juliet.receives('<presence type="subscribe">...</presence>');

    juliet.sends(`<presence to="${romeo.bare}" type="unsubscribed"/>`);
    await romeo.receivesInAnyOrder(
      `<presence from="${juliet.bare}" type="unsubscribed">...</presence>`,
      push(juliet.bare, 'subscription="none" ask="{none}"'),
    );
    await juliet.receivesNothing();
    await juliet.gets(rosterGet, rosterOf());
  });

  it('a request is shown to every available resource, to no other, and waits for an answer (RFC 6121 §3.1.3)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const account = await stage.account('juliet');
    romeo.sends(
      `<presence to="${account.jid}" type="subscribe"><status>O, be some other name</status><nick xmlns="urn:example:nick">R</nick></presence>`,
      `<presence to="${account.jid}" type="subscribe"/>`,
    );
    await romeo.settles();
    const request = `<presence from="${romeo.bare}" type="subscribe"><status>O, be some other name</status><nick xmlns="urn:example:nick">R</nick>...</presence>`;

    const silent = await account.arrives({ presence: false, roster: true });
    const balcony = await account.arrives({ resource: 'balcony' });
    const self = `<presence from="${balcony.jid}">...</presence>`;
    expectTrees(balcony.arrival, self, request);
    const chamber = await account.arrives({ resource: 'chamber' });
    expectTrees(
      chamber.arrival,
      self,
      `<presence from="${chamber.jid}">...</presence>`,
      `<presence from="${romeo.bare}" type="subscribe">...</presence>`,
    );
    await silent.receivesNothing();

    romeo.sends(`<presence to="${account.jid}" type="subscribe"/>`);
    await romeo.settles();
    await balcony.drains();
    chamber.sends(`<presence to="${romeo.bare}" type="unsubscribed"/>`);
    await chamber.drains();
    const late = await account.arrives();
    expectTrees(late.arrival.filter((tree) => tree.attributes.get('type') === 'subscribe'));
  });

  it('a request that was taken back waits no longer (RFC 6121 §3.3.3)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const account = await stage.account('juliet');
    romeo.sends(
      `<presence to="${account.jid}" type="subscribe"/>`,
      `<presence to="${account.jid}" type="unsubscribe"/>`,
    );
    await romeo.drains();
    const juliet = await account.arrives();
    expectTrees(juliet.arrival, `<presence from="${juliet.jid}">...</presence>`);
  });

  it('a request to nobody stays without an answer (RFC 6121 §8.5.1)', async () => {
    const { romeo } = await stage.enter(['romeo'], listening);
    romeo.sends(`<presence to="nobody@${stage.domain}" type="subscribe"/>`);
    await romeo.receives(push(`nobody@${stage.domain}`, 'subscription="none" ask="subscribe"'));
    await romeo.receivesNothing();
  });

  it('a request by somebody who is approved is answered by the server (RFC 6121 §3.1.3)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet'], listening);
    await befriend(romeo, juliet);
    romeo.sends(`<presence to="${juliet.bare}" type="subscribe"/>`);
    await romeo.receives(`<presence from="${juliet.jid}" type="{none}">...</presence>`);
    await romeo.receivesNothing();
    await juliet.receivesNothing();
  });

  it('cancelled by who granted it (RFC 6121 §3.2)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet'], listening);
    await befriend(romeo, juliet);
    juliet.sends(`<presence to="${romeo.bare}" type="unsubscribed"/>`);
    await juliet.receives(push(romeo.bare, 'subscription="to"'));
    await romeo.receivesInAnyOrder(
      `<presence from="${juliet.jid}" type="unavailable">...</presence>`,
      `<presence from="${juliet.bare}" to="${romeo.bare}" type="unsubscribed">...</presence>`,
      push(juliet.bare, 'subscription="from"'),
    );
    juliet.sends('<presence><show>away</show></presence>');
    await juliet.receives(`<presence from="${juliet.jid}"><show>away</show>...</presence>`);
    await romeo.receivesNothing();
    romeo.sends('<presence><show>away</show></presence>');
    await juliet.receives(`<presence from="${romeo.jid}"><show>away</show>...</presence>`);
  });

  it('given up by who asked for it (RFC 6121 §3.3)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet'], listening);
    await befriend(romeo, juliet);
    romeo.sends(`<presence to="${juliet.bare}" type="unsubscribe"/>`);
    await juliet.receivesInAnyOrder(
      `<presence from="${romeo.bare}" to="${juliet.bare}" type="unsubscribe">...</presence>`,
      push(romeo.bare, 'subscription="to"'),
    );
    await romeo.receivesInAnyOrder(
      push(juliet.bare, 'subscription="from"'),
      `<presence from="${juliet.jid}" type="unavailable">...</presence>`,
    );
    await romeo.receivesNothing();
  });

  it('ended by the removal of the contact (RFC 6121 §2.5.2)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet'], listening);
    await befriend(romeo, juliet);
    romeo.sends(rosterSet(`<item jid="${juliet.bare}" subscription="remove"/>`).replace('<iq', '<iq id="r1"'));
    await romeo.receivesInAnyOrder(
      '<iq type="result" id="r1"/>',
      push(juliet.bare, 'subscription="remove"'),
      `<presence from="${juliet.jid}" type="unavailable">...</presence>`,
    );
    const news = await juliet.drains();
    const last = news.filter((tree) => tree.name === 'iq').slice(-1);
    expectTrees(last, push(romeo.bare, 'subscription="none"'));
    expectTrees(
      news.filter((tree) => tree.name === 'presence'),
      `<presence from="${romeo.bare}" type="unsubscribe">...</presence>`,
      `<presence from="${romeo.bare}" type="unsubscribed">...</presence>`,
      `<presence from="${romeo.jid}" type="unavailable">...</presence>`,
    );
    await romeo.gets(rosterGet, rosterOf());
  });

  it('pre-approved (RFC 6121 §3.4)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet'], listening);
    juliet.sends(`<presence to="${romeo.bare}" type="subscribed"/>`);
    await juliet.receives(push(romeo.bare, 'subscription="none" approved="true"'));
    await romeo.receivesNothing();

    romeo.sends(`<presence to="${juliet.bare}" type="subscribe"/>`);
    await juliet.receives(push(romeo.bare, 'subscription="from"'));
    await juliet.receivesNothing();
    expectTrees(
      await romeo.drains(),
      push(juliet.bare, 'subscription="none" ask="subscribe"'),
      `<presence from="${juliet.bare}" type="subscribed">...</presence>`,
      push(juliet.bare, 'subscription="to" ask="{none}"'),
      `<presence from="${juliet.jid}" type="{none}">...</presence>`,
    );
  });

  it('pre-approved, and the approval taken back (RFC 6121 §3.4.2)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet'], listening);
    juliet.sends(`<presence to="${romeo.bare}" type="subscribed"/>`);
    await juliet.receives(push(romeo.bare, 'subscription="none" approved="true"'));
    juliet.sends(`<presence to="${romeo.bare}" type="unsubscribed"/>`);
    await juliet.receives(push(romeo.bare, 'subscription="none" approved="{none}"'));
    romeo.sends(`<presence to="${juliet.bare}" type="subscribe"/>`);
    await juliet.receives('<presence type="subscribe">...</presence>');
  });

  it('announces pre-approval (RFC 6121 §3.4.1)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    expectTrees(
      romeo.features?.children.filter(({ ns }) => ns === 'urn:xmpp:features:pre-approval') ?? [],
      '<sub xmlns="urn:xmpp:features:pre-approval"/>',
    );
  });

  it('you cannot subscribe to yourself (RFC 6121 §3.1.2)', async () => {
    const { romeo } = await stage.enter(['romeo'], listening);
    romeo.sends(`<presence to="${romeo.bare}" type="subscribe"/>`);
    await romeo.drains();
    await romeo.gets(rosterGet, rosterOf());
  });

  it('pushes only to resources that asked for the roster (RFC 6121 §2.1.6)', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const account = await stage.account('romeo');
    const street = await account.arrives({ resource: 'street', roster: true });
    const garden = await account.arrives({ resource: 'garden' });
    await street.drains();
    garden.sends(`<presence to="${juliet.bare}" type="subscribe"/>`);
    await street.receives(push(juliet.bare, 'ask="subscribe"'));
    await garden.receivesNothing();
  });

  it('answers without a request change nothing (RFC 6121 §A.3)', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet'], listening);
    juliet.sends(
      `<presence to="${romeo.bare}" type="subscribed"/>`,
      `<presence to="${romeo.bare}" type="unsubscribed"/>`,
      `<presence to="${romeo.bare}" type="unsubscribe"/>`,
    );
    await juliet.drains();
    await romeo.receivesNothing();
    await romeo.gets(rosterGet, rosterOf());
  });

  it('waits for an answer even over a restart of the server (RFC 6121 §3.1.3)', async () => {
    const romeo = await stage.account('romeo');
    const juliet = await stage.account('juliet');
    const asking = await romeo.arrives();
    asking.sends(`<presence to="${juliet.jid}" type="subscribe"><status>thy hand</status></presence>`);
    await asking.settles();
    await stage.server.restart();
    const answering = await juliet.arrives();
    expectTrees(
      answering.arrival,
      `<presence from="${answering.jid}">...</presence>`,
      `<presence from="${romeo.jid}" type="subscribe"><status>thy hand</status>...</presence>`,
    );
    const again = await romeo.arrives();
    await again.gets(rosterGet, rosterOf(`<item jid="${juliet.jid}" subscription="none" ask="subscribe"/>`));
  });
});
