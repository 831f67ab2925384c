import { expect } from 'chai';
import { z } from 'zod';
import { operation } from '../../../src/routing/operation.ts';
import { OperationError } from '../../../src/routing/operation-error.ts';
import type { NewAdministration } from '../../../src/storage/administrations.ts';
import { Audit } from '../../../src/web/control/audit.ts';
import { operatorHeader, requesterOf } from '../../../src/web/control/requester.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RecordingLog } from '../../support/recording-log.ts';

describe('The audit log', () => {
  const requester = { operator: 'escalus', origin: 'command line' };
  const clock = new ManualClock(Date.UTC(2026, 2, 1));
  let added: NewAdministration[];
  let fails: boolean;
  let log: RecordingLog;
  let audit: Audit;
  beforeEach(() => {
    added = [];
    fails = false;
    log = new RecordingLog();
    const store = {
      add: async (entry: NewAdministration, keepFromMs: number) => {
        if (fails) throw new Error('the disk is full');
        expect(keepFromMs).to.equal(clock.nowMs() - 90 * 86_400_000);
        added.push(entry);
      },
      list: async () => [],
    };
    audit = new Audit({ store, clock, log });
  });

  const input = z.strictObject({ jid: z.string(), password: z.string().optional() });
  const change = operation({ method: 'PUT', path: '/thing', input, run: async () => ({}) });
  const read = operation({ method: 'GET', path: '/thing', input, run: async () => ({}) });
  const reveal = operation({ ...read, recorded: true, subject: ({ jid }) => `all of ${jid}` });
  const given = { jid: 'romeo@localhost', password: 'wherefore' };
  const entry = {
    atMs: clock.nowMs(),
    ...requester,
    operation: 'PUT /thing',
    subject: 'romeo@localhost',
    result: 'done',
  };

  it('has what was done, by whom, to whom, and no more of what was said', async () => {
    expect(await audit.recorded(requester, change, given, async () => 7)).to.equal(7);
    expect(added).to.deep.equal([entry]);
  });

  it('has what was refused, and why', async () => {
    const refuse = async () => {
      throw new OperationError('not-found', 'There is no account.');
    };
    const refused = await audit.recorded(requester, change, given, refuse).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(OperationError);
    expect(added).to.deep.equal([{ ...entry, result: 'There is no account.' }]);
  });

  it('has no operation that only reads, except one that reveals what is private', async () => {
    await audit.recorded(requester, read, given, async () => 0);
    expect(added).to.deep.equal([]);
    await audit.recorded(requester, reveal, given, async () => 0);
    expect(added).to.deep.equal([{ ...entry, operation: 'GET /thing', subject: 'all of romeo@localhost' }]);
  });

  it('has what an operation says of its result', async () => {
    const count = operation({
      ...{ method: 'POST', path: '/things', input },
      run: async () => 7,
      outcome: (things) => `done: ${things} things`,
    });
    await audit.recorded(requester, count, given, async () => 7);
    expect(added).to.deep.equal([{ ...entry, operation: 'POST /things', result: 'done: 7 things' }]);
  });

  it('has a request that does not make sense, too', async () => {
    await audit.recorded(requester, change, { nothing: 1 }, async () => 0);
    expect(added).to.deep.equal([{ ...entry, subject: undefined }]);
  });

  it('does not undo what was done if it has no room', async () => {
    fails = true;
    expect(await audit.recorded(requester, change, given, async () => 7)).to.equal(7);
    expect(log.alarms).to.have.length(1);
  });

  it('has a line in the log for each record, and at debug level for what is not recorded', async () => {
    const refuse = async () => {
      throw new OperationError('not-found', 'There is no account.');
    };
    await audit.recorded(requester, change, given, async () => 0);
    await audit.recorded(requester, change, given, refuse).catch(() => undefined);
    await audit.recorded(requester, read, given, async () => 0);
    const about = (path: string) => `"operation":"${path}","subject":"romeo@localhost","operator":"escalus"`;
    expect(log.lines.map((line) => line.replace(/,"origin".*?"(?=,|\})/, ''))).to.deep.equal([
      `info administration {${about('PUT /thing')}}`,
      `warn administration refused {${about('PUT /thing')},"reason":"There is no account."}`,
      `debug administration {${about('GET /thing')}}`,
    ]);
  });

  it('has what went wrong in the log alone', async () => {
    const fail = async () => {
      throw new TypeError('undefined is not a secret');
    };
    await audit.recorded(requester, change, given, fail).catch(() => undefined);
    expect(log.alarms.join()).to.contain('undefined is not a secret');
    expect(added).to.deep.equal([{ ...entry, result: 'unexpected failure' }]);
  });

  it('cuts names that are too long', async () => {
    await audit.recorded({ ...requester, operator: 'x'.repeat(1000) }, change, given, async () => 7);
    expect(added[0]?.operator).to.have.length(256);
  });

  const names: readonly (readonly [header: string | undefined, operator: string])[] = [
    [undefined, 'unknown'],
    ['', 'unknown'],
    ['root', 'root'],
    [encodeURIComponent('Ændrew as root'), 'Ændrew as root'],
    ['%ff', 'unknown'],
  ];
  for (const [header, operator] of names)
    it(`takes ${JSON.stringify(header)} for ${operator}`, () => {
      expect(requesterOf({ [operatorHeader]: header }).operator).to.equal(operator);
    });
});
