import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { type Letter, Party } from './party.ts';

const { AMPERE_STORM = '200' } = process.env;
const crowd = Number(AMPERE_STORM);
const atOnce = 25;

describe('everybody coming back at once after a restart (XEP-0198 §5)', function () {
  this.timeout(60_000 + crowd * 50);
  const stage = new Stage({ settings: { limits: { disabled: true }, tls: { required: false } } });

  /** Lets all arrive, some at a time. */
  async function allArrive(parties: readonly Party[]): Promise<void> {
    const { port } = stage.server.c2s;
    for (let start = 0; start < parties.length; start += atOnce) {
      await Promise.all(parties.slice(start, start + atOnce).map((party) => party.arrives(port)));
    }
  }

  it('finds every session, and everything that was on the way', async () => {
    const acknowledged: Letter[] = [];
    const notices = { acknowledged: (letters: readonly Letter[]) => void acknowledged.push(...letters) };
    const names = Array.from({ length: crowd }, (_, index) => `guest${index}`);
    for (const name of ['host', ...names]) await stage.server.addUser(`${name}@localhost`, `${name}-password`);
    const host = new Party('host', true, notices);
    const guests = names.map((name) => new Party(name, true, notices));
    await allArrive([host, ...guests]);
    for (const name of names) host.writes({ id: `to-${name}`, to: name });
    await host.readsAcknowledgments();
    expect(acknowledged.length).to.equal(crowd);
    await stage.server.restart();
    const began = performance.now();
    await allArrive(guests);
    const tookMs = Math.round(performance.now() - began);
    for (const guest of guests) await guest.empties();
    for (const party of [host, ...guests]) party.leaves();
    expect(guests.filter((guest) => !guest.resumed).map(({ name }) => name)).to.deep.equal([]);
    for (const guest of guests) expect(guest.received).to.deep.equal([`to-${guest.name}`]);
    console.log(`      ${crowd} sessions resumed in ${tookMs} ms, nothing lost and nothing repeated`);
  });
});
