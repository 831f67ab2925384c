import { expect } from 'chai';
import { ChatProbe, type Latencies } from './chat-probe.ts';
import { type ClientEvents, ResilientClient, type SentMessage } from './resilient-client.ts';
import { type Figures, longestTurn, mebibytes, ServerFixture, type ServerUnderTest } from './server-under-test.ts';

const { AMPERE_SLOW_CONSUMERS = '50' } = process.env;
const crowd = Number(AMPERE_SLOW_CONSUMERS);
/** The messages to each client while it reads, and then while it reads nothing. */
const messagesRead = 50;
const messagesUnread = 400;
/** The size of one message. All together exceed what the server may hold in memory. */
const messageBytes = 1000;
const mostHeld = 10 * 2 ** 20;
/** Of the whole process, with memory not yet returned to the system. */
const mostResident = 200 * 2 ** 20;
const writers = ['anna', 'bert', 'cora', 'dirk'];
const window = 50;

describe('clients that read nothing while they are written to (CVE-2008-1728, CVE-2010-0305)', () => {
  const names = Array.from({ length: crowd }, (_, index) => `reader${index}`);
  const fixture = new ServerFixture();
  let server: ServerUnderTest;
  let probe: ChatProbe;
  beforeEach(async () => {
    const streamManagement = { maxStanzas: 100 };
    const limits = { disabled: true, c2s: { outgoingBufferBytes: 262_144, idleCloseAfterSeconds: 5 } };
    const settings = { streamManagement, limits };
    server = await fixture.start(['romeo', 'juliet', ...writers, ...names], { settings });
    probe = new ChatProbe(server.port);
    await probe.logIn();
  });

  it('cost little memory, disturb no other client, and get everything when they read again', async () => {
    const acknowledged: SentMessage[] = [];
    const events = { acknowledged: (some: readonly SentMessage[]) => void acknowledged.push(...some) };
    const readers = names.map((name) => new ResilientClient(name, true, events));
    for (const reader of readers) await reader.connects(server.port);
    const reading = readers.map((reader) => reader.reads(() => undefined));
    const before = await chatWhileAll(messagesRead, events);
    for (const reader of readers) reader.disconnects();
    await Promise.all(reading);
    for (const reader of readers) {
      await reader.connects(server.port);
      reader.stopsReading();
    }
    const during = await chatWhileAll(messagesUnread, events);
    for (const reader of readers) {
      reader.disconnects();
      await reader.connects(server.port);
      await reader.readsAll();
      reader.disconnects();
    }
    probe.disconnect();
    await server.stop();
    const received = new Map(readers.map((reader) => [reader.name, new Set(reader.received)]));
    const lost = acknowledged.filter(({ id, to }) => !received.get(to)?.has(id));
    expect(lost).to.deep.equal([]);
    expect(acknowledged.length).to.equal(crowd * (messagesRead + messagesUnread));
    const unread = crowd * messagesUnread;
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

  /** Every writer sends to all readers while the probe chats. */
  async function chatWhileAll(
    messages: number,
    events: ClientEvents,
  ): Promise<Figures & { readonly latencies: Latencies }> {
    const writing = writers.map((name, part) => writes(name, part, messages, events));
    const latencies = await probe.chatUntil(Promise.all(writing));
    return { ...(await server.figures()), latencies };
  }

  /** One writer sends its part of the messages, and disconnects when all are acknowledged. */
  async function writes(name: string, part: number, messages: number, events: ClientEvents): Promise<void> {
    const writer = new ResilientClient(name, true, events);
    await writer.connects(server.port);
    for (let number = part; number < messages; number += writers.length) {
      for (const to of names) {
        writer.sends({ id: `${messages}-${number}-${to}`, to, padding: messageBytes });
        if (writer.unacknowledged >= window) await writer.readsAcknowledgments();
      }
    }
    await writer.readsAcknowledgments();
    writer.disconnects();
  }
});
