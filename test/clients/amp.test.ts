import { expect } from 'chai';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { type ClientProgram, gloox, slixmpp, xmppJs } from './client-programs.ts';

const amp = 'http://jabber.org/protocol/amp';
const features = [
  amp,
  ...['alert', 'drop', 'error', 'notify'].map((action) => `${amp}?action=${action}`),
  ...['deliver', 'expire-at', 'match-resource'].map((condition) => `${amp}?condition=${condition}`),
];

/** Defines what a stock client that knows AMP can have the server do; romeo and juliet see each other, tybalt is a stranger. */
function describeRules(program: ClientProgram, more: (login: (local: string) => Promise<ClientProcess>) => void): void {
  describe(`${program.name}, with rules (XEP-0079)`, () => {
    let server: ServerProcess;
    const login = (local: string, as = program) =>
      ClientProcess.login(as, server, { jid: `${local}@localhost`, password: `${local}'s` });

    before(async function () {
      const reason = await program.missing();
      if (reason !== undefined) {
        console.log(`    skipped: ${reason}`);
        this.skip();
      }
      await program.command();
      server = await startServer();
      for (const local of ['romeo', 'juliet', 'tybalt']) await server.addUser(`${local}@localhost`, `${local}'s`);
      await befriend(await login('romeo', xmppJs), await login('juliet', xmppJs));
    });

    after(async () => {
      await server?.stop();
    });

    it('finds every action and condition (XEP-0079 §2.1.1)', async () => {
      await using romeo = await login('romeo');
      romeo.tell('amp-features', 'localhost');
      await romeo.expect('features-end');
      expect(romeo.heard('feature').map(([, feature]) => feature)).to.have.members(features);
      await romeo.quit();
    });

    it('is told of direct delivery', async () => {
      await using romeo = await login('romeo');
      await using juliet = await login('juliet', xmppJs);
      romeo.tell('rules', 'juliet@localhost', 'm1', 'here you are', 'notify deliver stored', 'notify deliver direct');
      await juliet.expect('message', 'romeo@localhost', 'here you are');
      await romeo.expect('report', 'notify', 'm1', 'localhost', 'notify deliver direct');
      await romeo.quit();
      await juliet.quit();
    });

    it('is told what has been stored, and has other things thrown away', async () => {
      await using romeo = await login('romeo');
      romeo.tell('rules', 'juliet@localhost', 'm1', 'dropped', 'drop deliver stored');
      romeo.tell('rules', 'juliet@localhost', 'm2', 'given back', 'error deliver stored');
      romeo.tell('rules', 'juliet@localhost', 'm3', 'given up', 'alert deliver stored');
      romeo.tell('rules', 'juliet@localhost', 'm4', 'kept', 'notify deliver stored');
      await romeo.expect('amp-error', 'failed-rules', 'm2', 'undefined-condition', 'error deliver stored');
      await romeo.expect('report', 'alert', 'm3', 'localhost', 'alert deliver stored');
      await romeo.expect('report', 'notify', 'm4', 'localhost', 'notify deliver stored');
      await using juliet = await login('juliet');
      await juliet.expect('message', 'romeo@localhost', 'kept');
      expect(juliet.heard('message')).to.have.length(1);
      await romeo.quit();
      await juliet.quit();
    });

    it('insists on a resource, or learns that it was the one', async () => {
      await using romeo = await login('romeo');
      await using juliet = await login('juliet', xmppJs);
      const [, there = ''] = juliet.heard('online')[0] ?? [];
      romeo.tell('rules', 'juliet@localhost/nowhere', 'm1', 'nobody', 'error match-resource other');
      await romeo.expect('amp-error', 'failed-rules', 'm1', 'undefined-condition', 'error match-resource other');
      romeo.tell('rules', there, 'm2', 'you', 'notify match-resource exact');
      await romeo.expect('report', 'notify', 'm2', 'localhost', 'notify match-resource exact');
      await juliet.expect('message', 'romeo@localhost', 'you');
      expect(juliet.heard('message')).to.have.length(1);
      await romeo.quit();
      await juliet.quit();
    });

    it('has messages expire, at once and in store', async () => {
      await using romeo = await login('romeo');
      const past = inSeconds(-3600);
      romeo.tell('rules', 'juliet@localhost', 'm1', 'too late', `error expire-at ${past}`);
      await romeo.expect('amp-error', 'failed-rules', 'm1', 'undefined-condition', `error expire-at ${past}`);
      const soon = inSeconds(4);
      romeo.tell('rules', 'juliet@localhost', 'm2', 'mayfly', 'notify deliver stored', `alert expire-at ${soon}`);
      await romeo.expect('report', 'notify', 'm2', 'localhost', 'notify deliver stored');
      await romeo.expect('report', 'alert', 'm2', 'localhost', `alert expire-at ${soon}`);
      await romeo.quit();
    });

    it('learns nothing of somebody it does not know (XEP-0079 §9)', async () => {
      await using tybalt = await login('tybalt');
      for (const whom of ['juliet', 'nobody']) {
        tybalt.tell('rules', `${whom}@localhost`, whom, 'hello', 'notify deliver direct');
        await tybalt.expect('amp-error', 'invalid-rules', whom, 'not-acceptable', 'notify deliver direct');
      }
      await tybalt.quit();
    });

    more(login);
  });
}

describeRules(gloox, () => {});

describeRules(slixmpp, (login) => {
  // Other libraries cannot say such things at all.
  it('is refused words that the server does not know (XEP-0079 §6.1)', async () => {
    await using romeo = await login('romeo');
    const attempts = [
      ['unsupported-actions', 'bad-request', 'explode deliver direct'],
      ['unsupported-conditions', 'bad-request', 'drop moon full'],
      ['invalid-rules', 'not-acceptable', 'drop deliver later'],
    ] as const;
    for (const [list, condition, rule] of attempts) {
      romeo.tell('rules', 'juliet@localhost', list, 'hello', rule);
      await romeo.expect('amp-error', list, list, condition, rule);
    }
    await romeo.quit();
  });
});

function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString();
}

async function befriend(romeo: ClientProcess, juliet: ClientProcess): Promise<void> {
  for (const [asking, answering, name, other] of [
    [romeo, juliet, 'romeo', 'juliet'],
    [juliet, romeo, 'juliet', 'romeo'],
  ] as const) {
    asking.tell('subscribe', `${other}@localhost`);
    await answering.expect('presence', `${name}@localhost`, 'subscribe');
    answering.tell('approve', `${name}@localhost`);
    await asking.expect('presence', `${other}@localhost`, 'available');
  }
  await romeo.quit();
  await juliet.quit();
}
