import { expect } from 'chai';
import { Approvals } from '../../src/c2s/approvals.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import type { Registration } from '../../src/storage/accounts.ts';
import type { Suspension } from '../../src/storage/moderation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';

const dayMs = 86_400_000;
const [romeo, juliet] = [Jid.parse('romeo@a.example'), Jid.parse('juliet@a.example')];

describe('Approvals', () => {
  const clock = new ManualClock(Date.UTC(2026, 2, 1));
  let created: (readonly [string, Registration | undefined])[];
  let waiting: Suspension[];
  let told: string[];
  let options: { needsApproval: boolean; maxWaiting: number; keepMs: number };
  let approvals: Approvals;
  beforeEach(() => {
    [created, waiting, told] = [[], [], []];
    options = { needsApproval: true, maxWaiting: 2, keepMs: 14 * dayMs };
    approvals = new Approvals({
      options,
      registrar: {
        create: async (account, _password, registration) => void created.push([account.toString(), registration]),
      },
      suspensions: {
        get waiting() {
          return waiting.length;
        },
        begin: (suspension) => void waiting.push(suspension),
      },
      tell: (text) => void told.push(text),
      clock,
      log: new RecordingLog(),
    });
  });

  it('make an account that waits from its creation, and is removed if nobody approves it', async () => {
    await approvals.register(romeo, 'pw');
    const times = { atMs: clock.nowMs(), removeAtMs: clock.nowMs() + 14 * dayMs };
    const reason = 'the account waits for the approval of the operator';
    expect(created).to.deep.equal([['romeo@a.example', { approval: { reason, ...times } }]]);
    expect(waiting).to.deep.equal([{ jid: 'romeo@a.example', reason, ...times, awaitsApproval: true }]);
  });

  it('tell the administrators of the first account that waits', async () => {
    for (const account of [romeo, juliet]) await approvals.register(account, 'pw');
    expect(told).to.deep.equal(['romeo@a.example has registered and waits for approval.']);
  });

  it('refuse more accounts than may wait', async () => {
    for (const account of [romeo, juliet]) await approvals.register(account, 'pw');
    const refused = await approvals.register(Jid.parse('paris@a.example'), 'pw').catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(StanzaError).with.property('condition', 'resource-constraint');
    expect(created).to.have.length(2);
  });

  it('are not asked for where they are not needed', async () => {
    options.needsApproval = false;
    await approvals.register(romeo, 'pw');
    expect(created).to.deep.equal([['romeo@a.example', {}]]);
    expect([waiting, told]).to.deep.equal([[], []]);
  });
});
