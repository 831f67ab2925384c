import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { ControlClient } from '../../../src/cli/control-client.ts';
import { type Server, startServer } from '../../../src/compose/server.ts';
import { configSchema } from '../../../src/config/schema.ts';
import type { SendRequest } from '../../../src/extensions/amp/operator/message-operations.ts';
import { explainMessage, sendMessage } from '../../../src/extensions/amp/operator/message-operations.ts';
import { addUser, listForwards, removeForward, setForward } from '../../../src/web/control/user-operations.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RecordingLog } from '../../support/recording-log.ts';

const juliet = 'juliet@localhost';
const romeo = 'romeo@localhost';

/** A whole server that nobody is connected to. */
describe('sending and explaining messages through the control socket (XEP-0079)', () => {
  let directory: string;
  let clock: ManualClock;
  let log: RecordingLog;
  let server: Server;

  async function start(settings: object = {}): Promise<void> {
    const common = {
      s2s: { enabled: false },
      listen: { c2s: [], c2sTls: [], http: [], https: [], proxy: [] },
      authentication: { scramIterations: 4096 },
    };
    const config = configSchema({ directory, environment: {} }).parse({ ...common, ...settings });
    clock = new ManualClock(Date.UTC(2026, 2, 1, 12));
    log = new RecordingLog();
    server = await startServer(config, { log, clock });
    for (const jid of [juliet, romeo]) await server.administration.call(addUser, { jid: jid, password: 'wherefore' });
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ampere-messages-'));
  });
  afterEach(async () => {
    await server.stop();
    expect(log.alarms).to.deep.equal([]);
    await rm(directory, { recursive: true });
  });

  const control = async () =>
    (await ControlClient.connect(join(directory, 'data'))) ?? expect.fail('no control socket');
  const send = async (more: Partial<SendRequest> = {}) =>
    (await control()).call(sendMessage, { to: juliet, body: 'hello', waitMs: 30_000, ...more });
  const explain = async (from = 'localhost/console') => {
    const { plan, decision } = await (await control()).call(explainMessage, { from, to: juliet });
    return { ...plan, decision };
  };
  /** Turns the loop until something has been logged. */
  const logged = async (words: string) => {
    while (!log.lines.some((line) => line.includes(words))) await setImmediate();
  };
  const deliver = (action: string, value: string) => ({ action, condition: 'deliver', value });

  it('sends, and learns what has become of it', async () => {
    await start();
    expect(await send()).to.include({ outcome: 'stored' });
    expect(await send({ rules: [deliver('drop', 'stored')] })).to.deep.include({
      outcome: 'refused',
      rule: deliver('alert', 'stored'),
    });
    expect(await send({ rules: [deliver('error', 'stored')] })).to.include({ error: 'undefined-condition' });
    expect(await send({ to: 'nobody@localhost' })).to.include({ outcome: 'refused', error: 'service-unavailable' });
    expect(await send({ to: 'romeo@elsewhere.invalid' })).to.include({ error: 'remote-server-not-found' });
    expect(await send({ rules: [deliver('drop', 'later')] })).to.include({
      outcome: 'refused',
      error: 'not-acceptable',
    });
  });

  it('waits until a message has expired (D-13)', async () => {
    await start();
    const done = send({ expireInMs: 10_000 });
    await logged('notify deliver stored');
    clock.advance(10_000);
    expect(await done).to.include({ outcome: 'expired' });
  });

  it('may ask about users whatever the privacy, as the server itself (D-26)', async () => {
    await start({ amp: { presencePrivacy: 'drop-only' } });
    expect(await send()).to.include({ outcome: 'stored' });
  });

  for (const from of [romeo, `${romeo}/orchard`, 'mobile@sms.localhost']) {
    it(`nor has who is told in the name of ${from} to be a friend: the operator is told, and nobody else (D-26)`, async () => {
      await start({ offline: { maxMessages: 2 }, components: { 'sms.localhost': { secret: 'wherefore' } } });
      expect(await send({ from })).to.include({ outcome: 'stored' });
      expect(await send({ from, to: 'nobody@localhost' })).to.include({ error: 'service-unavailable' });
      expect(await send({ from, rules: [deliver('drop', 'stored')] })).to.include({ outcome: 'refused' });
      const done = send({ from, expireInMs: 10_000 });
      await logged(`"outcome":"stored","from":"${from}`);
      while (log.lines.filter((line) => line.includes('notify deliver stored')).length < 2) await setImmediate();
      clock.advance(10_000);
      expect(await done).to.include({ outcome: 'expired' });
      const room = await (await control()).call(explainMessage, { from: juliet, to: romeo });
      expect(room.plan, 'nothing has been stored for the sender').to.include({ deliver: 'stored' });
    });
  }

  it('does not send as a user who is not there', async () => {
    await start();
    const refusal = await send({ from: 'mercutio@localhost' }).catch(({ code }: { code: string }) => code);
    expect(refusal).to.equal('not-found');
  });

  it('is never told too much (D-32)', async () => {
    await start({ amp: { replies: { perSecond: 1, burst: 1 } } });
    for (let count = 0; count < 3; count += 1) expect(await send()).to.include({ outcome: 'stored' });
  });

  it('learns of a full store and of a forward', async () => {
    await start({ offline: { maxMessages: 1 } });
    await send();
    expect(await send()).to.include({ outcome: 'refused', error: 'service-unavailable' });
    await server.administration.call(setForward, { jid: juliet, target: romeo });
    expect(await send()).to.include({ outcome: 'forwarded' });
    await server.administration.call(removeForward, { jid: juliet });
    expect((await server.administration.call(listForwards, { limit: 10 })).forwards).to.deep.equal([]);
    expect(await send()).to.include({ outcome: 'refused' });
  });

  it('gives up when nobody says anything', async () => {
    await start({ amp: { enabled: false } });
    const done = send();
    await explain();
    clock.advance(30_000);
    expect(await done).to.include({ outcome: 'unknown' });
  });

  it('says what would happen, and nothing happens (N-17)', async () => {
    await start({ offline: { maxMessages: 1 } });
    expect(await explain()).to.deep.equal({ deliver: 'stored', destinations: [juliet], decision: 'keep' });
    expect(await explain()).to.include({ deliver: 'stored' });
    await send();
    expect(await explain()).to.include({ deliver: 'none', error: 'service-unavailable' });
    await server.administration.call(setForward, { jid: juliet, target: romeo });
    expect(await explain()).to.deep.include({ deliver: 'forward', destinations: [romeo] });
  });

  it('says what would happen to a message of its own, which may ask everything (D-26)', async () => {
    await start();
    const rules = [deliver('notify', 'stored')];
    const asked = await (await control()).call(explainMessage, { from: 'localhost/console', to: juliet, rules });
    expect(asked).to.deep.include({ decision: 'keep' });
    expect(asked.reports).to.deep.equal([{ status: 'notify', to: 'localhost/console', when: 'after-effect' }]);
  });

  it('says what policies and privacy would do to a sender (D-26)', async () => {
    const policy = { name: 'nothing stored', match: {}, rules: [deliver('drop', 'stored')] };
    await start({ amp: { policies: [policy] } });
    expect(await explain(romeo)).to.include({ decision: 'stop' });
    const rules = [deliver('notify', 'stored')];
    const asked = { from: romeo, to: juliet, rules };
    const { decision, refusal } = await (await control()).call(explainMessage, asked);
    expect(decision).to.equal('refuse');
    expect(refusal).to.contain('<invalid-rules');
    const own = await (await control()).call(explainMessage, { ...asked, to: `${romeo}/phone` });
    expect(own.rulesets.map(({ policy: name }) => name)).to.deep.equal([undefined, 'nothing stored']);
  });
});
