import { expect } from 'chai';
import { ResilientClient, type SentMessage } from './resilient-client.ts';
import { longestTurn, mebibytes, ServerFixture } from './server-under-test.ts';

const { AMPERE_STORM = '2000' } = process.env;
const crowd = Number(AMPERE_STORM);
const perAccount = 20;
const atOnce = 25;

describe('all clients reconnecting at once after a restart (XEP-0198 §5)', function () {
  this.timeout(60_000 + crowd * 50);
  const accounts = Array.from({ length: Math.ceil(crowd / perAccount) }, (_, index) => `guest${index}`);
  const resources = Array.from({ length: perAccount }, (_, index) => String(index));
  const names = accounts.flatMap((account) => resources.map((resource) => `${account}/${resource}`)).slice(0, crowd);
  const fixture = new ServerFixture();

  /** Runs an action for all clients, a few at a time. */
  async function all(
    clients: readonly ResilientClient[],
    does: (client: ResilientClient) => Promise<void>,
  ): Promise<void> {
    for (let start = 0; start < clients.length; start += atOnce) {
      await Promise.all(clients.slice(start, start + atOnce).map(does));
    }
  }

  it('find every session and every message, and leave no memory in use', async () => {
    const acknowledged: SentMessage[] = [];
    const events = { acknowledged: (messages: readonly SentMessage[]) => void acknowledged.push(...messages) };
    const host = new ResilientClient('host', true, events);
    const guests = names.map((name) => new ResilientClient(name, true, events));
    const first = await fixture.start(['host', ...accounts]);
    await host.connects(first.port);
    const base = await first.figures();
    await all(guests, (guest) => guest.connects(first.port));
    for (const name of names) host.sends({ id: `to-${name}`, to: name });
    await host.readsAcknowledgments();
    expect(acknowledged.length).to.equal(crowd);
    await first.stop();
    const second = await fixture.start([]);
    const began = performance.now();
    await all(guests, (guest) => guest.connects(second.port));
    const tookMs = Math.round(performance.now() - began);
    const full = await second.figures();
    await all(guests, (guest) => guest.readsAll());
    expect(guests.filter((guest) => !guest.resumed).map(({ name }) => name)).to.deep.equal([]);
    for (const guest of guests) expect(guest.received).to.deep.equal([`to-${guest.name}`]);
    await all(guests, (guest) => guest.closes());
    host.disconnects();
    const empty = await second.figures();
    await second.stop();
    expect(empty.heapBytes).to.be.below(base.heapBytes * 1.1);
    console.log(
      `      ${crowd} sessions resumed in ${tookMs} ms, ${longestTurn(full)}, nothing lost and nothing repeated`,
    );
    const heaps = [base, full, empty].map(({ heapBytes }) => mebibytes(heapBytes));
    console.log(
      `      memory before they connected ${heaps[0]}, with all of them ${heaps[1]}, after they left ${heaps[2]}`,
    );
  });
});
