import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { expectTrees } from '../support/test-client.ts';
import { apart, bodiesOf, message, report, signed, together, unavailable } from './amp-cast.ts';

describe('Rules about direct delivery (XEP-0079 §3.3.1)', () => {
  const stage = new Stage();

  it('notify: reports, and the message arrives signed (D-4, N-34, N-37, N-38)', async () => {
    const { romeo, balcony } = await together(stage);
    const words = ['notify deliver direct'];
    romeo.sends(message(balcony.bare, words));
    await romeo.receives(report(romeo, balcony.bare, 'notify deliver direct'), { strict: true });
    await balcony.receives(signed(romeo.jid, balcony.bare, words));
    await romeo.receivesNothing();
    await balcony.receivesNothing();
  });

  for (const action of ['alert', 'error']) {
    it(`${action}: reports, and the message does not arrive (N-31, N-33)`, async () => {
      const { romeo, balcony } = await together(stage);
      romeo.sends(message(balcony.jid, [`${action} deliver direct`]));
      await romeo.receives(report(romeo, balcony.jid, `${action} deliver direct`), { strict: true });
      await romeo.receivesNothing();
      await balcony.receivesNothing();
    });
  }

  it('drop: the message does not arrive, without a report (N-32)', async () => {
    const { romeo, balcony } = await together(stage);
    romeo.sends(message(balcony.jid, ['drop deliver direct']));
    await romeo.receivesNothing();
    await balcony.receivesNothing();
  });

  it('that are not met change nothing (N-18, N-19)', async () => {
    const { romeo, balcony } = await together(stage);
    const words = ['drop deliver stored', 'error deliver none', 'notify deliver direct', 'drop deliver direct'];
    romeo.sends(message(balcony.jid, words));
    await romeo.receives(report(romeo, balcony.jid, 'notify deliver direct'));
    await balcony.receives(signed(romeo.jid, balcony.jid, words));
    await romeo.receivesNothing();
  });
});

describe('Rules about storing (XEP-0079 §3.3.1)', () => {
  const stage = new Stage();

  it('notify: reports when the message is stored, and it arrives later with its rules (D-35, D-36)', async () => {
    const { romeo, juliet } = await apart(stage);
    const words = ['notify deliver stored'];
    romeo.sends(message(juliet.jid, words));
    await romeo.receives(report(romeo, juliet.jid, 'notify deliver stored'), { strict: true });
    await romeo.receivesNothing();
    const balcony = await juliet.arrives();
    const delay = '<delay xmlns="urn:xmpp:delay" from="localhost" stamp="*">*</delay>';
    expectTrees(
      balcony.arrival.filter(({ name }) => name === 'message'),
      signed(romeo.jid, juliet.jid, words, delay),
    );
    expect(await romeo.drains().then(bodiesOf)).to.deep.equal([]);
  });

  for (const action of ['alert', 'error', 'drop']) {
    it(`${action}: nothing is stored (D-33)`, async () => {
      const { romeo, juliet } = await apart(stage);
      romeo.sends(message(juliet.jid, [`${action} deliver stored`]));
      if (action !== 'drop') await romeo.receives(report(romeo, juliet.jid, `${action} deliver stored`));
      await romeo.receivesNothing();
      expect(bodiesOf((await juliet.arrives()).arrival)).to.deep.equal([]);
    });
  }
});

describe('Rules about not delivering (XEP-0079 §3.3.1)', () => {
  const stage = new Stage();
  const to = (jid: string) => message(jid, ['notify deliver none'], { type: 'groupchat' });

  it('notify: reports, then the usual error follows (D-4)', async () => {
    const { romeo, balcony } = await together(stage);
    romeo.sends(to(balcony.bare));
    await romeo.receives(report(romeo, balcony.bare, 'notify deliver none'), { strict: true });
    await romeo.receives(unavailable(romeo, balcony.bare));
    await romeo.receivesNothing();
  });

  for (const action of ['alert', 'error']) {
    it(`${action}: reports instead of the usual error (N-31, N-33)`, async () => {
      const { romeo, balcony } = await together(stage);
      romeo.sends(message(balcony.bare, [`${action} deliver none`], { type: 'groupchat' }));
      await romeo.receives(report(romeo, balcony.bare, `${action} deliver none`), { strict: true });
      await romeo.receivesNothing();
    });
  }

  it('drop: suppresses the usual error, too (N-32)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    romeo.sends(message(`nobody@${romeo.domain}`, ['drop deliver none']));
    await romeo.receivesNothing();
  });
});
