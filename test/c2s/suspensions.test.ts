import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { Suspensions } from '../../src/c2s/suspensions.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { SaslFailure } from '../../src/protocol/sasl-failure.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { openTemporaryStorage } from '../support/temporary-storage.ts';

const romeo = Jid.parse('romeo@a.example');
const hourMs = 3_600_000;

describe('Suspensions', () => {
  let opened: Awaited<ReturnType<typeof openTemporaryStorage>>;
  let clock: ManualClock;
  let removed: string[];
  beforeEach(async () => {
    clock = new ManualClock(Date.UTC(2026, 2, 1));
    removed = [];
    opened = await openTemporaryStorage();
    for (const jid of ['romeo@a.example', 'tybalt@a.example']) await opened.storage.accounts.create(jid, { scram: {} });
  });
  afterEach(() => opened.close());

  const made = async () => {
    const suspensions = new Suspensions({
      store: opened.storage.moderation,
      sessions: { of: () => [] },
      removeAccount: async (account) => {
        removed.push(account.toString());
        suspensions.forget(account);
        return opened.storage.accounts.remove(account.toString());
      },
      clock,
      log: new RecordingLog(),
    });
    await suspensions.load();
    return suspensions;
  };
  const textFor = (suspensions: Suspensions, account = romeo) => {
    try {
      suspensions.check(account);
    } catch (error) {
      if (error instanceof SaslFailure) return `${error.condition}: ${error.text}`;
      throw error;
    }
    return undefined;
  };

  it('refuse the user with the text of the operator, also after a restart, until the account is resumed', async () => {
    const before = await made();
    await before.suspend({ jid: romeo.toString(), atMs: 1, reason: 'banished' });
    for (const suspensions of [before, await made()]) {
      expect(textFor(suspensions)).to.equal('account-disabled: banished');
      expect(textFor(suspensions, Jid.parse('tybalt@a.example'))).to.equal(undefined);
    }
    const after = await made();
    expect(await after.resume(romeo.toString())).to.equal(true);
    expect(await after.resume(romeo.toString())).to.equal(false);
    expect([textFor(after), textFor(await made())]).to.deep.equal([undefined, undefined]);
  });

  it('end with the account: another one of the same name is not suspended', async () => {
    const suspensions = await made();
    await suspensions.suspend({ jid: romeo.toString(), atMs: 1 });
    expect(textFor(suspensions)).to.equal('account-disabled: the account is suspended');
    await opened.storage.accounts.remove(romeo.toString());
    suspensions.forget(romeo);
    await opened.storage.accounts.create(romeo.toString(), { scram: {} });
    expect([textFor(suspensions), textFor(await made())]).to.deep.equal([undefined, undefined]);
  });

  it('remove the account when its time has come, and not before', async () => {
    const suspensions = await made();
    const nowMs = clock.nowMs();
    await suspensions.suspend({ jid: 'tybalt@a.example', atMs: nowMs, removeAtMs: nowMs + 3 * hourMs });
    await suspensions.suspend({ jid: romeo.toString(), atMs: nowMs, removeAtMs: nowMs + hourMs });
    await suspensions.suspend({ jid: romeo.toString(), atMs: nowMs });
    suspensions.start();
    clock.advance(2 * hourMs);
    expect(removed).to.deep.equal([]);
    clock.advance(hourMs);
    while (removed.length === 0) await setImmediate();
    expect(removed).to.deep.equal(['tybalt@a.example']);
    suspensions.stop();
  });
});
