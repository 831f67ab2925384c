import { befriend, Stage } from '../support/conversation.ts';
import { expectTrees } from '../support/test-client.ts';

describe('Presence (RFC 6121 §4)', () => {
  const stage = new Stage();

  /** Two accounts with mutual subscriptions, both offline. */
  async function friends() {
    const romeo = await stage.account('romeo');
    const juliet = await stage.account('juliet');
    const [one, other] = [await romeo.arrives(), await juliet.arrives()];
    await befriend(one, other);
    await one.closes();
    await other.drains();
    await other.closes();
    return { romeo, juliet };
  }

  it('initial presence goes to the own resources and to contacts, and theirs comes back (RFC 6121 §4.2)', async () => {
    const { romeo, juliet } = await friends();
    const balcony = await juliet.arrives({ resource: 'balcony', presence: '<presence><show>dnd</show></presence>' });
    expectTrees(
      balcony.arrival,
      `<presence from="${balcony.jid}" to="${balcony.jid}"><show>dnd</show></presence>`,
      `<presence from="${romeo.jid}" to="${balcony.jid}" type="unavailable"/>`,
    );

    const street = await romeo.arrives({ resource: 'street' });
    expectTrees(
      street.arrival,
      `<presence from="${street.jid}" to="${street.jid}"/>`,
      `<presence from="${balcony.jid}" to="${street.jid}"><show>dnd</show>...</presence>`,
    );
    await balcony.receives(`<presence from="${street.jid}" type="{none}">...</presence>`);
    await balcony.receivesNothing();
  });

  it('two resources of an account see each other (RFC 6121 §4.2.2)', async () => {
    const account = await stage.account('juliet');
    const balcony = await account.arrives({ resource: 'balcony' });
    const chamber = await account.arrives({ resource: 'chamber' });
    expectTrees(
      chamber.arrival,
      `<presence from="${chamber.jid}"/>`,
      `<presence from="${balcony.jid}" to="${chamber.jid}">...</presence>`,
    );
    await balcony.receives(`<presence from="${chamber.jid}" to="${balcony.jid}"/>`);
  });

  it('a session without presence receives none (RFC 6121 §4.2)', async () => {
    const { romeo, juliet } = await friends();
    const silent = await juliet.arrives({ presence: false });
    const street = await romeo.arrives();
    await silent.receivesNothing();
    expectTrees(
      street.arrival,
      `<presence from="${street.jid}"/>`,
      `<presence from="${juliet.jid}" type="unavailable"/>`,
    );
  });

  it('later presence goes to contacts and own resources, without probes (RFC 6121 §4.4)', async () => {
    const { romeo, juliet } = await friends();
    const street = await romeo.arrives();
    const balcony = await juliet.arrives({ resource: 'balcony' });
    const chamber = await juliet.arrives({ resource: 'chamber' });
    await street.drains();
    await balcony.drains();
    balcony.sends('<presence id="p2"><show>xa</show><status>asleep</status><priority>3</priority></presence>');
    const seen = `<presence from="${balcony.jid}"><show>xa</show><status>asleep</status><priority>3</priority>...</presence>`;
    await street.receives(seen);
    await chamber.receives(seen);
    await balcony.receives(seen);
    await balcony.receivesNothing();
    await street.receivesNothing();
  });

  it('unavailable presence, with its status, goes to everybody who saw the session (RFC 6121 §4.5)', async () => {
    const { romeo, juliet } = await friends();
    const street = await romeo.arrives();
    const balcony = await juliet.arrives({ resource: 'balcony' });
    const chamber = await juliet.arrives({ resource: 'chamber' });
    await street.drains();
    await balcony.drains();
    chamber.sends('<presence type="unavailable"><status>farewell</status></presence>');
    const farewell = `<presence from="${chamber.jid}" type="unavailable"><status>farewell</status>...</presence>`;
    await street.receives(farewell);
    await balcony.receives(farewell);
    await chamber.drains();
    balcony.sends('<presence/>');
    await balcony.receives(`<presence from="${balcony.jid}"/>`);
    await chamber.receivesNothing();
  });

  for (const [name, leave] of [
    ['a closed stream', 'closes'],
    ['a broken connection', 'disconnects'],
  ] as const) {
    it(`the server announces ${name} once (RFC 6121 §4.5.2)`, async () => {
      const { romeo, juliet } = await friends();
      const street = await romeo.arrives();
      const balcony = await juliet.arrives({ resource: 'balcony' });
      await street.drains();
      await balcony[leave]();
      await street.receives(`<presence from="${balcony.jid}" type="unavailable">...</presence>`);
      await street.receivesNothing();
    });
  }

  it('a session that was unavailable already is not announced again (RFC 6121 §4.5.2)', async () => {
    const { romeo, juliet } = await friends();
    const street = await romeo.arrives();
    const balcony = await juliet.arrives();
    balcony.sends('<presence type="unavailable"/>');
    await street.receives(`<presence from="${balcony.jid}">...</presence>`);
    await street.receives(`<presence from="${balcony.jid}" type="unavailable">...</presence>`);
    await balcony.drains();
    await balcony.closes();
    await street.receivesNothing();
  });

  it('users see only the presence that they are subscribed to (RFC 6121 §4.2.2, §11)', async () => {
    const romeo = await stage.account('romeo');
    const juliet = await stage.account('juliet');
    const [street, balcony] = [await romeo.arrives(), await juliet.arrives()];
    street.sends(`<presence to="${juliet.jid}" type="subscribe"/>`);
    await balcony.receives('<presence type="subscribe">...</presence>');
    balcony.sends(`<presence to="${romeo.jid}" type="subscribed"/>`);
    await balcony.settles();
    await street.drains();

    balcony.sends('<presence><show>chat</show></presence>');
    await street.receives(`<presence from="${balcony.jid}"><show>chat</show>...</presence>`);
    await balcony.drains();
    street.sends('<presence><show>away</show></presence>');
    await street.drains();
    await balcony.receivesNothing();
  });

  describe('priority (RFC 6121 §4.7.2.3)', () => {
    for (const priority of ['-128', '127', '0', '+5', '']) {
      it(`'${priority}' is valid`, async () => {
        const { romeo } = await stage.enter(['romeo']);
        romeo.sends(`<presence><priority>${priority}</priority></presence>`);
        await romeo.receives(`<presence from="${romeo.jid}"><priority>${priority}</priority></presence>`);
      });
    }

    for (const priority of ['128', '-129', '1.5', 'high', '99999999999999999999', '0x10']) {
      it(`'${priority}' is invalid`, async () => {
        const { romeo } = await stage.enter(['romeo']);
        romeo.sends(`<presence id="p"><priority>${priority}</priority></presence>`);
        await romeo.receives(
          '<presence type="error" id="p"><error type="modify"><bad-request xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></presence>',
        );
        await romeo.receivesNothing();
      });
    }
  });

  describe('directed presence (RFC 6121 §4.6)', () => {
    it('ends when the connection breaks (RFC 6121 §4.6.3)', async () => {
      const { romeo, juliet, nurse } = await stage.enter(['romeo', 'juliet', 'nurse']);
      romeo.sends(`<presence to="${juliet.jid}"><status>here</status></presence>`, `<presence to="${nurse.bare}"/>`);
      await juliet.receives(`<presence from="${romeo.jid}" to="${juliet.jid}"><status>here</status></presence>`);
      await nurse.receives(`<presence from="${romeo.jid}" to="${nurse.bare}"/>`);
      romeo.disconnects();
      await juliet.receives(`<presence from="${romeo.jid}" to="${juliet.jid}" type="unavailable"/>`);
      await nurse.receives(`<presence from="${romeo.jid}" type="unavailable"/>`);
      await juliet.receivesNothing();
    });

    it('ends when the sender becomes unavailable (RFC 6121 §4.6.3)', async () => {
      const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
      romeo.sends(`<presence to="${juliet.jid}"/>`, '<presence type="unavailable"><status>gone</status></presence>');
      await juliet.receives(`<presence from="${romeo.jid}" type="{none}"/>`);
      await juliet.receives(`<presence from="${romeo.jid}" type="unavailable"><status>gone</status></presence>`);
      await juliet.receivesNothing();
    });

    it('ends also if the session never sent initial presence (RFC 6121 §4.6.3)', async () => {
      const { juliet } = await stage.enter(['juliet']);
      const romeo = await (await stage.account('romeo')).connects();
      romeo.sends(`<presence to="${juliet.jid}"/>`);
      await juliet.receives(`<presence from="${romeo.jid}" type="{none}"/>`);
      romeo.disconnects();
      await juliet.receives(`<presence from="${romeo.jid}" type="unavailable"/>`);
    });

    it('ends only once (RFC 6121 §4.6.3)', async () => {
      const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
      romeo.sends(`<presence to="${juliet.jid}"/>`, `<presence to="${juliet.jid}" type="unavailable"/>`);
      await juliet.receives(`<presence from="${romeo.jid}" type="{none}"/>`);
      await juliet.receives(`<presence from="${romeo.jid}" type="unavailable"/>`);
      await romeo.settles();
      await romeo.closes();
      await juliet.receivesNothing();
    });

    it('is not updated by later broadcasts (RFC 6121 §4.6.2)', async () => {
      const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
      romeo.sends(`<presence to="${juliet.jid}"/>`);
      await juliet.receives(`<presence from="${romeo.jid}"/>`);
      romeo.sends('<presence><show>away</show></presence>');
      await romeo.drains();
      await juliet.receivesNothing();
    });

    it('to a contact who gets the broadcast anyway ends once (RFC 6121 §4.6.3)', async () => {
      const { romeo, juliet } = await friends();
      const balcony = await juliet.arrives();
      const street = await romeo.arrives();
      await balcony.drains();
      street.sends(`<presence to="${balcony.jid}"><status>thou</status></presence>`);
      await balcony.receives(`<presence from="${street.jid}"><status>thou</status></presence>`);
      street.disconnects();
      await balcony.receives(`<presence from="${street.jid}" type="unavailable"/>`);
      await balcony.receivesNothing();
    });
  });
});
