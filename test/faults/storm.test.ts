import { expect } from 'chai';
import { type Letter, Party } from './party.ts';
import { CrimeScene, longestTurn, mebibytes } from './victim.ts';

const { AMPERE_STORM = '2000' } = process.env;
const crowd = Number(AMPERE_STORM);
const perAccount = 20;
const atOnce = 25;

describe('everybody coming back at once after a restart (XEP-0198 §5)', function () {
  this.timeout(60_000 + crowd * 50);
  const accounts = Array.from({ length: Math.ceil(crowd / perAccount) }, (_, index) => `guest${index}`);
  const resources = Array.from({ length: perAccount }, (_, index) => String(index));
  const names = accounts.flatMap((account) => resources.map((resource) => `${account}/${resource}`)).slice(0, crowd);
  const scene = new CrimeScene();

  /** Has all do something, some at a time. */
  async function all(parties: readonly Party[], does: (party: Party) => Promise<void>): Promise<void> {
    for (let start = 0; start < parties.length; start += atOnce) {
      await Promise.all(parties.slice(start, start + atOnce).map(does));
    }
  }

  it('finds every session and everything that was on the way, and leaves no memory behind', async () => {
    const acknowledged: Letter[] = [];
    const notices = { acknowledged: (letters: readonly Letter[]) => void acknowledged.push(...letters) };
    const host = new Party('host', true, notices);
    const guests = names.map((name) => new Party(name, true, notices));
    const first = await scene.start(['host', ...accounts]);
    await host.arrives(first.port);
    const base = await first.figures();
    await all(guests, (guest) => guest.arrives(first.port));
    for (const name of names) host.writes({ id: `to-${name}`, to: name });
    await host.readsAcknowledgments();
    expect(acknowledged.length).to.equal(crowd);
    await first.stop();
    const second = await scene.start([]);
    const began = performance.now();
    await all(guests, (guest) => guest.arrives(second.port));
    const tookMs = Math.round(performance.now() - began);
    const full = await second.figures();
    await all(guests, (guest) => guest.empties());
    expect(guests.filter((guest) => !guest.resumed).map(({ name }) => name)).to.deep.equal([]);
    for (const guest of guests) expect(guest.received).to.deep.equal([`to-${guest.name}`]);
    await all(guests, (guest) => guest.saysGoodbye());
    host.leaves();
    const empty = await second.figures();
    await second.stop();
    expect(empty.heapBytes).to.be.below(base.heapBytes * 1.1);
    console.log(
      `      ${crowd} sessions resumed in ${tookMs} ms, ${longestTurn(full)}, nothing lost and nothing repeated`,
    );
    const heaps = [base, full, empty].map(({ heapBytes }) => mebibytes(heapBytes));
    console.log(
      `      memory before they came ${heaps[0]}, with all of them ${heaps[1]}, when they had gone ${heaps[2]}`,
    );
  });
});
