import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { TestClient } from '../support/test-client.ts';
import { findTree } from '../support/xml-tree.ts';
import { logIn } from './chat-probe.ts';
import { ResilientClient, type SentMessage } from './resilient-client.ts';
import { ServerFixture, type ServerUnderTest } from './server-under-test.ts';

const messagesPerJump = 60;
const recipients = ['juliet', 'tybalt', 'laurence'];
const dayMs = 86_400_000;

/** The times that libfaketime sets the wall clock to while messages flow, each with a check of the result. */
const jumps: readonly (readonly [to: string, time: string, isThere: (atMs: number) => boolean])[] = [
  ['a year ahead', '+365d', (atMs) => atMs > Date.now() + 364 * dayMs],
  ['a year back', '-365d', (atMs) => atMs < Date.now() - 364 * dayMs],
  ['the last second of 32 bits', '@2038-01-19 03:14:06', (atMs) => new Date(atMs).getUTCFullYear() === 2038],
  ['a leap day', '@2028-02-28 23:59:59', (atMs) => new Date(atMs).getUTCFullYear() === 2028],
  ['the real time', '+0', (atMs) => Math.abs(atMs - Date.now()) < dayMs],
];

/** The environment in which libfaketime sets a process's clock from a file. The monotonic clock, used for deadlines, stays true. */
function fakedBy(file: string): NodeJS.ProcessEnv {
  const { stdout } = spawnSync('faketime', ['-f', '+0', 'env'], { encoding: 'utf8' });
  const [, library = ''] = /^LD_PRELOAD=(.*)$/m.exec(stdout) ?? [];
  const told = { FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1', TZ: 'UTC' };
  return { LD_PRELOAD: library, ...told, DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

describe('a wall clock that jumps under load', () => {
  const file = () => join(fixture.dataDir, 'time');
  const fixture = new ServerFixture();
  let server: ServerUnderTest;
  const start = async () => {
    server = await fixture.start(['romeo', 'observer', ...recipients], { env: fakedBy(file()) });
  };
  before(function () {
    if (spawnSync('faketime', ['--version']).error) this.skip();
  });
  beforeEach(async () => {
    await writeFile(file(), '+0\n');
    await start();
  });

  /** The server's time (XEP-0202). */
  async function timeOf(client: TestClient): Promise<number> {
    const answer = await client.asks('<iq type="get" to="localhost"><time xmlns="urn:xmpp:time"/></iq>');
    return Date.parse(findTree(answer, 'utc')?.text ?? '');
  }

  it('ends no session and loses no message', async () => {
    const acknowledged: SentMessage[] = [];
    const events = { acknowledged: (some: readonly SentMessage[]) => void acknowledged.push(...some) };
    const client = (name: string) => new ResilientClient(name, true, events);
    const [romeo, juliet, tybalt, laurence] = [client('romeo'), client('juliet'), client('tybalt'), client('laurence')];
    const observer = await logIn(server.port, 'observer');
    for (const one of [romeo, juliet, laurence]) await one.connects(server.port);
    // Laurence will resume his session, Tybalt is offline, and Juliet stays connected.
    laurence.disconnects();
    let written = 0;
    for (const [to, time, isThere] of jumps) {
      for (let count = 0; count < messagesPerJump; count++) {
        if (count === messagesPerJump / 2) await writeFile(file(), `${time}\n`);
        romeo.sends({ id: String(written), to: recipients[written % recipients.length] ?? '' });
        written += 1;
      }
      await romeo.readsAcknowledgments();
      await juliet.readsAll();
      expect(await timeOf(observer), to).to.satisfy(isThere);
    }
    await laurence.connects(server.port);
    expect(laurence.resumed).to.equal(true);
    await tybalt.connects(server.port);
    const received = new Map<string, readonly string[]>();
    for (const one of [juliet, laurence, tybalt]) {
      await one.readsAll();
      received.set(one.name, one.received);
    }
    for (const one of [romeo, juliet, laurence, tybalt]) one.disconnects();
    observer.disconnects();
    await server.stop();
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

  it('may end a session that waits for its client across a restart, and stores its messages', async () => {
    const acknowledged: SentMessage[] = [];
    const events = { acknowledged: (some: readonly SentMessage[]) => void acknowledged.push(...some) };
    const [romeo, juliet] = [new ResilientClient('romeo', true, events), new ResilientClient('juliet', true, events)];
    for (const time of ['+365d', '-365d']) {
      await juliet.connects(server.port);
      juliet.disconnects();
      await romeo.connects(server.port);
      for (let count = 0; count < 10; count++) romeo.sends({ id: `${time} ${count}`, to: 'juliet' });
      await romeo.readsAcknowledgments();
      romeo.disconnects();
      await writeFile(file(), `${time}\n`);
      await server.stop();
      await start();
    }
    await juliet.connects(server.port);
    await juliet.readsAll();
    juliet.disconnects();
    await server.stop();
    expect(new Set(juliet.received)).to.deep.equal(new Set(acknowledged.map(({ id }) => id)));
    expect(acknowledged.length).to.equal(20);
  });
});

/** The numbers from `first` below `end`, every third of them. */
function everyThird(first: number, end: number): number[] {
  return Array.from({ length: Math.ceil((end - first) / 3) }, (_, index) => first + 3 * index);
}
