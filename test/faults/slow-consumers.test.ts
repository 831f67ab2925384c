import { expect } from 'chai';
import { type Latencies, Pair } from './pair.ts';
import { type Letter, type Notices, Party } from './party.ts';
import { CrimeScene, type Figures, longestTurn, mebibytes, type Victim } from './victim.ts';

const { AMPERE_SLOW_CONSUMERS = '50' } = process.env;
const crowd = Number(AMPERE_SLOW_CONSUMERS);
/** What is written to each of them while they read, and then while they read nothing. */
const lettersRead = 50;
const lettersUnread = 400;
/** Of one message; all of them are longer than what the server may hold of them. */
const messageBytes = 1000;
const mostHeld = 10 * 2 ** 20;
/** The whole process, with what its memory management has not given back yet. */
const mostResident = 200 * 2 ** 20;
const writers = ['anna', 'bert', 'cora', 'dirk'];
const window = 50;

describe('clients that read nothing while they are written to (CVE-2008-1728, CVE-2010-0305)', () => {
  const names = Array.from({ length: crowd }, (_, index) => `reader${index}`);
  const scene = new CrimeScene();
  let victim: Victim;
  let pair: Pair;
  beforeEach(async () => {
    const streamManagement = { maxStanzas: 100 };
    const limits = { disabled: true, c2s: { outgoingBufferBytes: 262_144, idleCloseAfterSeconds: 5 } };
    const settings = { streamManagement, limits };
    victim = await scene.start(['romeo', 'juliet', ...writers, ...names], { settings });
    pair = new Pair(victim.port);
    await pair.meet();
  });

  it('cost little memory, disturb nobody, and have it all when they read again', async () => {
    const acknowledged: Letter[] = [];
    const notices = { acknowledged: (some: readonly Letter[]) => void acknowledged.push(...some) };
    const readers = names.map((name) => new Party(name, true, notices));
    for (const reader of readers) await reader.arrives(victim.port);
    const reading = readers.map((reader) => reader.reads(() => undefined));
    const before = await chatWhileAll(lettersRead, notices);
    for (const reader of readers) reader.leaves();
    await Promise.all(reading);
    for (const reader of readers) {
      await reader.arrives(victim.port);
      reader.stalls();
    }
    const during = await chatWhileAll(lettersUnread, notices);
    for (const reader of readers) {
      reader.leaves();
      await reader.arrives(victim.port);
      await reader.empties();
      reader.leaves();
    }
    pair.part();
    await victim.stop();
    const received = new Map(readers.map((reader) => [reader.name, new Set(reader.received)]));
    const lost = acknowledged.filter(({ id, to }) => !received.get(to)?.has(id));
    expect(lost).to.deep.equal([]);
    expect(acknowledged.length).to.equal(crowd * (lettersRead + lettersUnread));
    const unread = crowd * lettersUnread;
    const held = during.heapBytes - before.heapBytes;
    const resident = during.residentBytes - before.residentBytes;
    console.log(`      ${crowd} clients read: ${before.latencies} of others, ${longestTurn(before)}`);
    console.log(
      `      they read nothing of ${unread} messages (${mebibytes(unread * messageBytes)}): ${during.latencies} of others, ${longestTurn(during)}`,
    );
    console.log(
      `      ${mebibytes(held)} more held in memory, ${mebibytes(resident)} more resident; ${acknowledged.length} acknowledged, ${lost.length} lost`,
    );
    expect(held).to.be.below(mostHeld);
    expect(resident).to.be.below(mostResident);
  });

  /** Every writer writes to all readers while the pair chats. */
  async function chatWhileAll(letters: number, notices: Notices): Promise<Figures & { readonly latencies: Latencies }> {
    const writing = writers.map((name, part) => writes(name, part, letters, notices));
    const latencies = await pair.chatUntil(Promise.all(writing));
    return { ...(await victim.figures()), latencies };
  }

  /** One of the writers writes its part of the messages, and leaves when all are acknowledged. */
  async function writes(name: string, part: number, letters: number, notices: Notices): Promise<void> {
    const writer = new Party(name, true, notices);
    await writer.arrives(victim.port);
    for (let number = part; number < letters; number += writers.length) {
      for (const to of names) {
        writer.writes({ id: `${letters}-${number}-${to}`, to, padding: messageBytes });
        if (writer.unacknowledged >= window) await writer.readsAcknowledgments();
      }
    }
    await writer.readsAcknowledgments();
    writer.leaves();
  }
});
