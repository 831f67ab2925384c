import { expect } from 'chai';
import type { Account } from '../../src/routing/account.ts';
import type { StubSession } from '../support/stub-session.ts';
import { item } from './memory-stores.ts';
import { RoutingBench } from './routing-bench.ts';

/** Writes that end when the test says so, in any order. */
class SlowDisk {
  readonly #writes: { resolve: () => void; reject: (error: Error) => void }[] = [];

  readonly wait = (): Promise<void> => new Promise((resolve, reject) => this.#writes.push({ resolve, reject }));

  async ends(write: number, error?: Error): Promise<void> {
    if (error) this.#writes[write]?.reject(error);
    else this.#writes[write]?.resolve();
    await new Promise(setImmediate);
  }
}

describe('Changes of rosters', () => {
  let bench: RoutingBench;
  let account: Account;
  let session: StubSession;
  let disk: SlowDisk;

  beforeEach(async () => {
    bench = new RoutingBench();
    session = await bench.connect('juliet@a.example/balcony');
    session.interests.add('roster');
    account = session.account;
    disk = new SlowDisk();
    bench.rosters.before = disk.wait;
  });

  const shown = () => account.roster.get('romeo@a.example');
  const noDisk = new Error('no disk');

  it('are in memory at once, and pushed when they are durable (RFC 6121 §2.1.6)', async () => {
    const saved = bench.routing.rosters.save(
      account,
      item('romeo@a.example', { name: 'Romeo', groups: ['Foes', 'Friends'] }),
    );
    expect(shown()?.name).to.equal('Romeo');
    await bench.settled();
    expect(session.taken()).to.deep.equal([]);
    await disk.ends(0);
    await saved;
    expect(session.taken()).to.deep.equal([
      '<iq from="juliet@a.example" to="juliet@a.example/balcony" id="*" type="set"><query xmlns="jabber:iq:roster" ver="1">' +
        '<item jid="romeo@a.example" name="Romeo" subscription="none"><group>Foes</group><group>Friends</group></item></query></iq>',
    ]);
    expect(shown()?.version).to.equal(1);
    expect(account.roster.version).to.equal(1);
  });

  it('contain the state of the contact and nothing else (RFC 6121 §2.1.2)', async () => {
    bench.rosters.before = () => Promise.resolve();
    for (const changes of [
      { subscription: 'to', ask: true, approved: true },
      { subscription: 'both', pendingIn: Buffer.from('<presence/>') },
    ] as const) {
      await bench.routing.rosters.save(account, item('romeo@a.example', changes));
    }
    expect(session.taken().map((text) => /<item[^>]*>/.exec(text)?.[0])).to.deep.equal([
      '<item jid="romeo@a.example" subscription="to" ask="subscribe" approved="true"/>',
      '<item jid="romeo@a.example" subscription="both"/>',
    ]);
  });

  it('are pushed to the sessions that asked for the roster, and to no others (RFC 6121 §2.1.6)', async () => {
    bench.rosters.before = () => Promise.resolve();
    const silent = await bench.online('juliet@a.example/chamber');
    const other = await bench.online('romeo@a.example/orchard');
    other.interests.add('roster');
    await bench.routing.rosters.save(account, item('romeo@a.example'));
    expect(session.taken()).to.have.length(1);
    expect(silent.taken()).to.deep.equal([]);
    expect(other.taken()).to.deep.equal([]);
  });

  it('are not pushed while the item is not in the roster (RFC 6121 §3.1.3)', async () => {
    bench.rosters.before = () => Promise.resolve();
    await bench.routing.rosters.save(
      account,
      item('romeo@a.example', { inRoster: false, pendingIn: Buffer.from('<presence/>') }),
    );
    await bench.routing.rosters.remove(account, 'romeo@a.example');
    await bench.routing.rosters.remove(account, 'never-there@a.example');
    expect(session.taken()).to.deep.equal([]);
    expect(bench.rosters.calls).to.have.length(3);
  });

  it('tell of a removal when it is durable (RFC 6121 §2.5.2)', async () => {
    account.roster.set(item('romeo@a.example'));
    const removed = bench.routing.rosters.remove(account, 'romeo@a.example');
    expect(shown()).to.equal(undefined);
    expect(session.taken()).to.deep.equal([]);
    await disk.ends(0);
    await removed;
    expect(session.taken().join()).to.contain('ver="1"><item jid="romeo@a.example" subscription="remove"/>');
  });

  it('do not restore an item that was removed while they were being written', async () => {
    const saved = bench.routing.rosters.save(account, item('romeo@a.example'));
    const removed = bench.routing.rosters.remove(account, 'romeo@a.example');
    await disk.ends(0);
    await disk.ends(1);
    await Promise.all([saved, removed]);
    expect(shown()).to.equal(undefined);
    expect(account.roster.size).to.equal(0);
    expect(bench.rosters.calls).to.deep.equal([
      'put juliet@a.example romeo@a.example',
      'remove juliet@a.example romeo@a.example',
    ]);
  });

  it('keep the latest of two, under its own version', async () => {
    const first = bench.routing.rosters.save(account, item('romeo@a.example', { name: 'first' }));
    const second = bench.routing.rosters.save(account, item('romeo@a.example', { name: 'second' }));
    await disk.ends(0);
    await first;
    expect(shown()?.name).to.equal('second');
    await disk.ends(1);
    await second;
    expect(shown()).to.include({ name: 'second', version: 2 });
    expect(
      session.taken().map((text) => /ver="(\d)"><item.* name="(\w+)"/.exec(text)?.slice(1, 3).join()),
    ).to.deep.equal(['1,first', '2,second']);
  });

  it('never lower the version of the roster', async () => {
    account.roster.version = 7;
    const saved = bench.routing.rosters.save(account, item('romeo@a.example'));
    await disk.ends(0);
    await saved;
    expect(account.roster.version).to.equal(7);
  });

  describe('that cannot be written', () => {
    const outcome = (work: Promise<void>) =>
      work.then(
        () => 'done',
        (error: unknown) => error,
      );

    it('are undone in memory and never pushed', async () => {
      for (const before of [undefined, item('romeo@a.example', { name: 'old', version: 3 })]) {
        if (before) account.roster.set(before);
        const saved = outcome(bench.routing.rosters.save(account, item('romeo@a.example', { subscription: 'both' })));
        await disk.ends(before ? 1 : 0, noDisk);
        expect(await saved).to.equal(noDisk);
        expect(shown()).to.equal(before);
      }
      expect(session.taken()).to.deep.equal([]);
    });

    it('do not undo later changes', async () => {
      const first = outcome(bench.routing.rosters.save(account, item('romeo@a.example', { name: 'first' })));
      const second = outcome(bench.routing.rosters.save(account, item('romeo@a.example', { name: 'second' })));
      await disk.ends(0, noDisk);
      await disk.ends(1);
      expect(await first).to.equal(noDisk);
      expect(await second).to.equal('done');
      expect(shown()?.name).to.equal('second');
    });

    it('leave the contact in the roster if it was a removal', async () => {
      const before = item('romeo@a.example', { subscription: 'both' });
      account.roster.set(before);
      const removed = outcome(bench.routing.rosters.remove(account, 'romeo@a.example'));
      await disk.ends(0, noDisk);
      expect(await removed).to.equal(noDisk);
      expect(shown()).to.equal(before);
      expect(session.taken()).to.deep.equal([]);
    });
  });
});
