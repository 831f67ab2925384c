import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { expectTrees, type TestClient } from '../support/test-client.ts';
import {
  answersTo,
  apart,
  bodiesOf,
  hearsNothing,
  message,
  messagesOf,
  nextMessages,
  refusal,
  report,
  signed,
  together,
  unavailable,
} from './amp-cast.ts';

describe('Messages that expire (XEP-0079 §3.3.2)', () => {
  const clock = new ManualClock(Date.UTC(2030, 1, 28, 23, 59, 30));
  // Minutes pass at once, while something may be on its way.
  const patient = { writeStallSeconds: 86_400, idlePingAfterSeconds: 86_400 };
  const stage = new Stage({ clock, settings: { limits: { disabled: true, c2s: patient } } });
  const inMs = (ms: number) => new Date(clock.nowMs() + ms).toISOString();

  for (const action of ['alert', 'error']) {
    it(`in the store are removed and reported, without a login: ${action} (D-13)`, async () => {
      const { romeo, juliet } = await apart(stage);
      const words = `${action} expire-at ${inMs(30_000)}`;
      expect(await answersTo(romeo, message(juliet.jid, [words]))).to.deep.equal([]);
      clock.advance(29_999);
      await hearsNothing(romeo);
      clock.advance(1);
      expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, words));
      expect(bodiesOf((await juliet.arrives()).arrival)).to.deep.equal([]);
      // In steps, so that written data can be sent: after a leap of the clock the connection would count as stalled.
      for (let step = 0; step < 3; step++) {
        clock.advance(20_000);
        await hearsNothing(romeo);
      }
    });
  }

  it('in the store are removed without a report: drop (D-13, D-14)', async () => {
    const { romeo, juliet } = await apart(stage);
    await answersTo(romeo, message(juliet.jid, [`drop expire-at ${inMs(30_000)}`]));
    clock.advance(30_000);
    expect(bodiesOf((await juliet.arrives()).arrival)).to.deep.equal([]);
    await hearsNothing(romeo);
  });

  it('are reported once and still delivered: notify (D-13)', async () => {
    const { romeo, juliet } = await apart(stage);
    const words = `notify expire-at ${inMs(30_000)}`;
    await answersTo(romeo, message(juliet.jid, [words]));
    clock.advance(30_000);
    expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, words));
    const balcony = await juliet.arrives();
    expect(bodiesOf(balcony.arrival)).to.deep.equal(['Good morrow']);
    await hearsNothing(balcony);
    await hearsNothing(romeo);
  });

  it('are delivered until their time comes, which ends their rules (N-27, D-12)', async () => {
    const { romeo, juliet } = await apart(stage);
    await answersTo(romeo, message(juliet.jid, [`alert expire-at ${inMs(30_000)}`]));
    clock.advance(29_999);
    const balcony = await juliet.arrives();
    expect(bodiesOf(balcony.arrival)).to.deep.equal(['Good morrow']);
    await hearsNothing(balcony);
    clock.advance(60_000);
    await hearsNothing(romeo);
  });

  it('are reported as stored, and dropped when their time comes (D-6)', async () => {
    const { romeo, juliet } = await apart(stage);
    romeo.sends(message(juliet.jid, ['notify deliver stored', `drop expire-at ${inMs(30_000)}`]));
    expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, 'notify deliver stored'));
    clock.advance(30_000);
    expect(bodiesOf((await juliet.arrives()).arrival)).to.deep.equal([]);
    await hearsNothing(romeo);
  });

  it('have all their rules tested, the second after the first (D-6)', async () => {
    const { romeo, juliet } = await apart(stage);
    const [first, second] = [`notify expire-at ${inMs(10_000)}`, `alert expire-at ${inMs(20_000)}`];
    await answersTo(romeo, message(juliet.jid, [first, second]));
    clock.advance(10_000);
    expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, first));
    clock.advance(10_000);
    expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, second));
    expect(bodiesOf((await juliet.arrives()).arrival)).to.deep.equal([]);
  });

  it('are not reported while a client has them and has not confirmed them (D-13)', async () => {
    const { romeo, juliet } = await apart(stage);
    const words = `alert expire-at ${inMs(30_000)}`;
    await answersTo(romeo, message(juliet.jid, [words]));
    const deaf = await juliet.connects('deaf');
    deaf.answersPings = false;
    deaf.sends('<presence/>');
    expect(bodiesOf(await deaf.drains())).to.deep.equal(['Good morrow']);
    const next = await apart(stage);
    const due = `alert expire-at ${inMs(30_001)}`;
    await answersTo(next.romeo, message(next.juliet.jid, [due]));
    clock.advance(30_001);
    // A message that came due later has been settled.
    expectTrees(await nextMessages(next.romeo, 1), report(next.romeo, next.juliet.jid, due));
    await hearsNothing(romeo);
    deaf.disconnects();
    const balcony = await juliet.arrives();
    expect(bodiesOf(balcony.arrival)).to.deep.equal([]);
    expectTrees(messagesOf(await romeo.drains()), report(romeo, juliet.jid, words));
  });

  for (const action of ['notify', 'alert', 'error', 'drop']) {
    it(`that have expired when they arrive are judged at once: ${action} (D-11)`, async () => {
      const { romeo, juliet, balcony } = await together(stage);
      const words = `${action} expire-at ${inMs(0)}`;
      romeo.sends(message(balcony.jid, [words]));
      if (action !== 'drop') expectTrees(await nextMessages(romeo, 1), report(romeo, balcony.jid, words));
      await hearsNothing(romeo);
      expect(messagesOf(await balcony.drains())).to.have.length(action === 'notify' ? 1 : 0);
      await balcony.closes();
      await romeo.drains();
      romeo.sends(message(juliet.jid, [words]));
      if (action !== 'drop') expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, words));
      await answersTo(romeo, '');
      expect(bodiesOf((await juliet.arrives()).arrival)).to.have.length(action === 'notify' ? 1 : 0);
    });
  }

  it('may name any time in UTC, however far or precise (D-10, D-15)', async () => {
    const { romeo, juliet } = await apart(stage);
    const moments = ['9999-12-31T23:59:59Z', '2999-01-01T00:00:00.123456789Z', '2999-01-01T00:00:00+00:00'];
    for (const moment of moments) await answersTo(romeo, message(juliet.jid, [`drop expire-at ${moment}`]));
    clock.advance(1000);
    expect(bodiesOf((await juliet.arrives()).arrival)).to.have.length(3);
  });

  it('are refused if the time has another form (D-10, N-26)', async () => {
    const { romeo, juliet } = await apart(stage);
    for (const moment of ['2030-03-01T00:00:00+02:00', '2030-03-01', '20300301T00:00:00', 'tomorrow', '']) {
      romeo.sends(message(juliet.jid, [`drop expire-at ${moment}`]));
      const words = [`drop expire-at ${moment}`];
      expectTrees(await nextMessages(romeo, 1), refusal(romeo, 'invalid-rules', words));
    }
  });

  it('by jabber:x:expire are dropped in the store (D-44)', async () => {
    const { romeo, juliet } = await apart(stage);
    const expire = (seconds: number) => `<x xmlns="jabber:x:expire" seconds="${seconds}"/>`;
    for (const seconds of [30, 60]) {
      const body = `<body>${seconds}</body>`;
      await answersTo(romeo, `<message to="${juliet.jid}" type="chat">${body}${expire(seconds)}</message>`);
    }
    clock.advance(30_000);
    expect(bodiesOf((await juliet.arrives()).arrival)).to.deep.equal(['60']);
  });

  describe('when the wall clock is set', () => {
    const dayMs = 86_400_000;

    it('are judged by the new time, within a minute without a login (D-13)', async () => {
      const { romeo, juliet } = await apart(stage);
      const words = `alert expire-at ${inMs(dayMs)}`;
      await answersTo(romeo, message(juliet.jid, [words]));
      clock.jumpTo(clock.nowMs() + 365 * dayMs);
      for (let half = 0; half < 2; half++) {
        await hearsNothing(romeo);
        clock.advance(30_000);
      }
      expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, words));
      expect(bodiesOf((await juliet.arrives()).arrival)).to.deep.equal([]);
    });

    it('are judged by the new time, at once if their recipient logs in (D-13)', async () => {
      const { romeo, juliet } = await apart(stage);
      await answersTo(romeo, message(juliet.jid, [`drop expire-at ${inMs(dayMs)}`]));
      await answersTo(romeo, message(juliet.jid, [`drop expire-at ${inMs(3 * dayMs)}`], { body: 'in time' }));
      clock.jumpTo(clock.nowMs() + 2 * dayMs);
      expect(bodiesOf((await juliet.arrives()).arrival)).to.deep.equal(['in time']);
    });

    it('do not expire early when it is set back, and later ones are not late', async () => {
      const { romeo, juliet } = await apart(stage);
      await answersTo(romeo, message(juliet.jid, [`drop expire-at ${inMs(30_000)}`], { body: 'long from now' }));
      clock.jumpTo(clock.nowMs() - 365 * dayMs);
      clock.advance(30_000);
      await hearsNothing(romeo);
      const words = `alert expire-at ${inMs(30_000)}`;
      await answersTo(romeo, message(juliet.jid, [words]));
      clock.advance(30_000);
      expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, words));
      expect(bodiesOf((await juliet.arrives()).arrival)).to.deep.equal(['long from now']);
    });
  });

  describe('whose sender has disconnected', () => {
    it('are reported to another resource of the sender, now or at its next login (D-23, N-46)', async () => {
      const { romeo, juliet } = await apart(stage);
      const sender = await stage.account('benvolio');
      const first = await sender.arrives({ resource: 'first' });
      await befriendWith(first, juliet.jid, await juliet.arrives());
      romeo.disconnects();
      const moments = ['alert', 'error'].map((action) => `${action} expire-at ${inMs(30_000)}`);
      for (const words of moments) await answersTo(first, message(juliet.jid, [words]));
      await first.closes();
      clock.advance(30_000);
      const second = await sender.connects('second');
      second.sends('<presence/>');
      // Whether the client comes before or after the reports, it gets them.
      const late = moments.map((words) =>
        report(first, juliet.jid, words)
          .replace(`to="${first.jid}"`, `to="${sender.jid}"`)
          .replace('</amp>', '</amp>...'),
      );
      expectTrees(await nextMessages(second, 2), ...late);
      await hearsNothing(second);
    });
  });
});

/** Juliet approves a subscription, and goes offline again. */
async function befriendWith(sender: TestClient, juliet: string, once: TestClient): Promise<void> {
  sender.sends(`<presence to="${juliet}" type="subscribe"/>`);
  await sender.drains();
  once.sends(`<presence to="${sender.bare}" type="subscribed"/>`);
  await once.drains();
  await once.closes();
  await sender.drains();
}

describe('Messages that expire while the server is down (D-13, N-41)', () => {
  const clock = new ManualClock(Date.UTC(2030, 0, 1));
  const stage = new Stage({ clock });
  const inMs = (ms: number) => new Date(clock.nowMs() + ms).toISOString();

  it('are removed and reported once after the start, however often it restarts', async () => {
    const { romeo, juliet } = await apart(stage);
    const account = romeo.bare;
    const [alert, drop] = [`alert expire-at ${inMs(30_000)}`, `drop expire-at ${inMs(30_000)}`];
    await answersTo(romeo, message(juliet.jid, [alert]));
    await answersTo(romeo, message(juliet.jid, [drop], { body: 'dropped' }));
    await answersTo(romeo, message(juliet.jid, [`drop expire-at ${inMs(300_000)}`], { body: 'kept' }));
    await stage.server.restart();
    clock.advance(30_000);
    await stage.server.restart();
    await stage.server.restart();
    const again = await login(stage, romeo);
    const wanted = report(romeo, juliet.jid, alert)
      .replace(`to="${romeo.jid}"`, `to="${account}"`)
      .replace('</amp>', '</amp><delay xmlns="urn:xmpp:delay" stamp="*">*</delay>');
    const found = messagesOf([...again.arrival, ...(await again.drains())]);
    expectTrees(found, wanted);
    expect(bodiesOf((await juliet.arrives()).arrival)).to.deep.equal(['kept']);
    await stage.server.restart();
    const third = await login(stage, romeo);
    expectTrees(messagesOf([...third.arrival, ...(await third.drains())]));
  });
});

/** The client's user connects with another resource. */
async function login(stage: Stage, { bare }: TestClient): Promise<TestClient> {
  const client = await stage.client();
  const [username = ''] = bare.split('@');
  await client.opens();
  await client.authenticates({ username, password: `${username}-has-a-password` });
  await client.binds();
  await client.appears();
  return client;
}

describe('Messages for a full store (D-38, XEP-0160 §2)', () => {
  const stage = new Stage({ settings: { limits: { disabled: true }, offline: { maxMessages: 2, maxBytes: 10_000 } } });

  it('are planned as not delivered from the start', async () => {
    const { romeo, juliet } = await apart(stage);
    const words = ['alert deliver stored', 'notify deliver none'];
    const plain = `<message to="${juliet.jid}" type="chat"><body>plain</body></message>`;
    romeo.sends(plain, plain, message(juliet.jid, words));
    expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, 'notify deliver none'));
    expectTrees(await nextMessages(romeo, 1), unavailable(romeo, juliet.jid));
    await hearsNothing(romeo);
    const balcony = await juliet.arrives();
    expect(bodiesOf(balcony.arrival)).to.deep.equal(['plain', 'plain']);
    await hearsNothing(balcony);
    await balcony.closes();
    await answersTo(romeo, '');
    romeo.sends(message(juliet.jid, words));
    expectTrees(await nextMessages(romeo, 1), report(romeo, juliet.jid, 'alert deliver stored'));
    await hearsNothing(romeo);
  });

  it('are stored when others have expired', async () => {
    const { romeo, juliet } = await apart(stage);
    const soon = new Date(Date.now() + 30).toISOString();
    for (const id of ['a', 'b']) romeo.sends(message(juliet.jid, [`alert expire-at ${soon}`], { id }));
    expect((await nextMessages(romeo, 2)).map(({ attributes }) => attributes.get('id'))).to.have.members(['a', 'b']);
    await answersTo(romeo, message(juliet.jid, ['notify deliver stored']));
    const balcony = await juliet.arrives();
    expectTrees(
      messagesOf(balcony.arrival),
      signed(romeo.jid, juliet.jid, ['notify deliver stored'], '<delay xmlns="urn:xmpp:delay" stamp="*">*</delay>'),
    );
  });
});
