import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { TestClient } from '../support/test-client.ts';
import { findTree } from '../support/xml-tree.ts';
import { logIn } from './pair.ts';
import { type Letter, Party } from './party.ts';
import { CrimeScene, type Victim } from './victim.ts';

const lettersPerJump = 60;
const recipients = ['juliet', 'tybalt', 'laurence'];
const dayMs = 86_400_000;

/** What the wall clock is set to while messages flow, as libfaketime is told it, and the years it may show then. */
const jumps: readonly (readonly [to: string, time: string, isThere: (atMs: number) => boolean])[] = [
  ['a year ahead', '+365d', (atMs) => atMs > Date.now() + 364 * dayMs],
  ['a year back', '-365d', (atMs) => atMs < Date.now() - 364 * dayMs],
  ['the last second of 32 bits', '@2038-01-19 03:14:06', (atMs) => new Date(atMs).getUTCFullYear() === 2038],
  ['a leap day', '@2028-02-28 23:59:59', (atMs) => new Date(atMs).getUTCFullYear() === 2028],
  ['the truth', '+0', (atMs) => Math.abs(atMs - Date.now()) < dayMs],
];

/** What makes a process believe what libfaketime reads in a file. Deadlines go by the monotonic clock, which nobody can set. */
function fakedBy(file: string): NodeJS.ProcessEnv {
  const { stdout } = spawnSync('faketime', ['-f', '+0', 'env'], { encoding: 'utf8' });
  const [, library = ''] = /^LD_PRELOAD=(.*)$/m.exec(stdout) ?? [];
  const told = { FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1', TZ: 'UTC' };
  return { LD_PRELOAD: library, ...told, DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

describe('a wall clock that jumps under load', () => {
  const file = () => join(scene.dataDir, 'time');
  const scene = new CrimeScene();
  let victim: Victim;
  const start = async () => {
    victim = await scene.start(['romeo', 'nurse', ...recipients], { env: fakedBy(file()) });
  };
  before(function () {
    if (spawnSync('faketime', ['--version']).error) this.skip();
  });
  beforeEach(async () => {
    await writeFile(file(), '+0\n');
    await start();
  });

  /** What the server says the time is (XEP-0202). */
  async function timeOf(client: TestClient): Promise<number> {
    const answer = await client.asks('<iq type="get" to="localhost"><time xmlns="urn:xmpp:time"/></iq>');
    return Date.parse(findTree(answer, 'utc')?.text ?? '');
  }

  it('costs no session and no message', async () => {
    const acknowledged: Letter[] = [];
    const notices = { acknowledged: (some: readonly Letter[]) => void acknowledged.push(...some) };
    const party = (name: string) => new Party(name, true, notices);
    const [romeo, juliet, tybalt, laurence] = [party('romeo'), party('juliet'), party('tybalt'), party('laurence')];
    const nurse = await logIn(victim.port, 'nurse');
    for (const one of [romeo, juliet, laurence]) await one.arrives(victim.port);
    // Laurence will come back to his session, Tybalt is away, and Juliet stays.
    laurence.leaves();
    let written = 0;
    for (const [to, time, isThere] of jumps) {
      for (let count = 0; count < lettersPerJump; count++) {
        if (count === lettersPerJump / 2) await writeFile(file(), `${time}\n`);
        romeo.writes({ id: String(written), to: recipients[written % recipients.length] ?? '' });
        written += 1;
      }
      await romeo.readsAcknowledgments();
      await juliet.empties();
      expect(await timeOf(nurse), to).to.satisfy(isThere);
    }
    await laurence.arrives(victim.port);
    expect(laurence.resumed).to.equal(true);
    await tybalt.arrives(victim.port);
    const received = new Map<string, readonly string[]>();
    for (const one of [juliet, laurence, tybalt]) {
      await one.empties();
      received.set(one.name, one.received);
    }
    for (const one of [romeo, juliet, laurence, tybalt]) one.leaves();
    nurse.disconnects();
    await victim.stop();
    const lost = acknowledged.filter(({ id, to }) => !received.get(to)?.includes(id));
    expect(lost).to.deep.equal([]);
    expect(acknowledged.length).to.equal(written);
    for (const [index, name] of recipients.entries()) {
      expect(received.get(name)?.map(Number), name).to.deep.equal(everyThird(index, written));
    }
    console.log(
      `      ${jumps.length} jumps: ${acknowledged.length} acknowledged, ${lost.length} lost, no session dropped`,
    );
  });

  it('over a restart may end what waits for a client, and what was in it is stored', async () => {
    const acknowledged: Letter[] = [];
    const notices = { acknowledged: (some: readonly Letter[]) => void acknowledged.push(...some) };
    const [romeo, juliet] = [new Party('romeo', true, notices), new Party('juliet', true, notices)];
    for (const time of ['+365d', '-365d']) {
      await juliet.arrives(victim.port);
      juliet.leaves();
      await romeo.arrives(victim.port);
      for (let count = 0; count < 10; count++) romeo.writes({ id: `${time} ${count}`, to: 'juliet' });
      await romeo.readsAcknowledgments();
      romeo.leaves();
      await writeFile(file(), `${time}\n`);
      await victim.stop();
      await start();
    }
    await juliet.arrives(victim.port);
    await juliet.empties();
    juliet.leaves();
    await victim.stop();
    expect(new Set(juliet.received)).to.deep.equal(new Set(acknowledged.map(({ id }) => id)));
    expect(acknowledged.length).to.equal(20);
  });
});

/** The numbers from `first` below `end`, every third of them. */
function everyThird(first: number, end: number): number[] {
  return Array.from({ length: Math.ceil((end - first) / 3) }, (_, index) => first + 3 * index);
}
