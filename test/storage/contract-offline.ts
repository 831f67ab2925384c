import { expect } from 'chai';
import type { NewArchivedMessage } from '../../src/storage/archive.ts';
import type { ArchivedCopy, DueMessage, NewOfflineMessage } from '../../src/storage/offline.ts';
import type { Subject } from './contract.ts';
import { rejection } from './rejection.ts';
import { ampleQuota, sampleMessage } from './samples.ts';

/** The contract of offline messages. */
export function describeOffline(subject: Subject): void {
  describe('offline messages', () => {
    describeKeeping(subject);
    describeQuota(subject);
    describeRemoving(subject);
    describeRules(subject);
    describeOutbox(subject);
    describeCopies(subject);
  });
}

function describeKeeping(subject: Subject): void {
  it('lists messages in order of arrival, whatever their time, page by page', async () => {
    const { offline } = subject.storage;
    const owner = await subject.newAccount();
    const messages = [sampleMessage('first', 3_000), sampleMessage('second', 1_000), sampleMessage('third', 2_000)];
    const ids = await Promise.all(messages.map((message) => offline.append(owner, message, ampleQuota)));
    const kept = messages.map((message, index) => ({ ...message, id: ids[index] }));
    expect(ids).to.deep.equal(ids.toSorted((a, b) => a - b));
    expect(await offline.list(owner, 0, 10)).to.deep.equal(kept);
    expect(await offline.list(owner, 0, 2)).to.deep.equal(kept.slice(0, 2));
    expect(await offline.list(owner, ids[1] ?? Number.NaN, 2)).to.deep.equal(kept.slice(2));
  });

  it('keeps every byte', async () => {
    const { offline } = subject.storage;
    const owner = await subject.newAccount();
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256));
    await offline.append(owner, { ...sampleMessage(''), bytes }, ampleQuota);
    await offline.append(owner, { ...sampleMessage(''), bytes: Buffer.alloc(0) }, ampleQuota);
    const kept = await offline.list(owner, 0, 10);
    expect(kept.map((message) => message.bytes.toString('base64'))).to.deep.equal([bytes.toString('base64'), '']);
    expect(await offline.count(owner)).to.deep.equal({ messages: 2, bytes: 100_000 });
  });

  it('keeps nothing for accounts that do not exist', async () => {
    const { offline } = subject.storage;
    const owner = 'nobody@x.example';
    expect((await rejection(offline.append(owner, sampleMessage('lost'), ampleQuota))).code).to.equal('not-found');
    expect((await rejection(offline.remove(owner, [1]))).code).to.equal('not-found');
    expect((await rejection(offline.removeAll(owner))).code).to.equal('not-found');
    expect(await offline.list(owner, 0, 10)).to.deep.equal([]);
    expect(await offline.count(owner)).to.deep.equal({ messages: 0, bytes: 0 });
  });
}

function describeQuota(subject: Subject): void {
  it('refuses the first message too many, also when all come at once', async () => {
    const { offline } = subject.storage;
    const owner = await subject.newAccount();
    const quota = { maxMessages: 3, maxBytes: 1_000 };
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () => offline.append(owner, sampleMessage('x'), quota)),
    );
    expect(outcomes.map(({ status }) => status)).to.deep.equal([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect((await rejection(offline.append(owner, sampleMessage('x'), quota))).code).to.equal('quota');
    expect(await offline.count(owner)).to.deep.equal({ messages: 3, bytes: 3 });
  });

  it('refuses the first byte too many', async () => {
    const { offline } = subject.storage;
    const owner = await subject.newAccount();
    const quota = { maxMessages: 100, maxBytes: 10 };
    await offline.append(owner, sampleMessage('123456'), quota);
    expect((await rejection(offline.append(owner, sampleMessage('12345'), quota))).code).to.equal('quota');
    await offline.append(owner, sampleMessage('1234'), quota);
    expect(await offline.count(owner)).to.deep.equal({ messages: 2, bytes: 10 });
  });
}

function describeRemoving(subject: Subject): void {
  it('removes only the given messages of the owner, and makes room', async () => {
    const { offline } = subject.storage;
    const [owner, other] = [await subject.newAccount(), await subject.newAccount()];
    const quota = { maxMessages: 2, maxBytes: 100 };
    const first = await offline.append(owner, sampleMessage('one'), quota);
    const second = await offline.append(owner, sampleMessage('three'), quota);
    const foreign = await offline.append(other, sampleMessage('four'), quota);
    const removed = await offline.remove(owner, [first, first, foreign, 999_999_999]);
    expect(removed).to.deep.equal({ unarchived: { messages: 1, bytes: 3 }, archived: { messages: 0, bytes: 0 } });
    expect(await offline.count(owner)).to.deep.equal({ messages: 1, bytes: 5 });
    expect(await offline.count(other)).to.deep.equal({ messages: 1, bytes: 4 });
    const third = await offline.append(owner, sampleMessage('five'), quota);
    expect((await offline.list(owner, 0, 10)).map(({ id }) => id)).to.deep.equal([second, third]);
  });

  it('removes all, and never gives an id twice', async () => {
    const { offline } = subject.storage;
    const owner = await subject.newAccount();
    const before = await offline.append(owner, sampleMessage('one'), ampleQuota);
    await offline.removeAll(owner);
    expect(await offline.count(owner)).to.deep.equal({ messages: 0, bytes: 0 });
    expect(await offline.list(owner, 0, 10)).to.deep.equal([]);
    expect(await offline.append(owner, sampleMessage('two'), ampleQuota)).to.be.greaterThan(before);
  });
}

/** Every message that comes due by a moment, whoever it is for, a page at a time; only those of the given owners. */
async function dueBy(subject: Subject, untilMs: number, ...owners: string[]): Promise<DueMessage[]> {
  const found: DueMessage[] = [];
  for (;;) {
    const page = await subject.storage.offline.due({ untilMs, after: found.at(-1), limit: 2 });
    if (page.length === 0) return found.filter(({ owner }) => owners.includes(owner));
    found.push(...page);
  }
}

function watched(text: string, dueAtMs: number): NewOfflineMessage {
  return { ...sampleMessage(text), kept: { rules: `rules of ${text}`, dueAtMs } };
}

function describeRules(subject: Subject): void {
  it('finds the messages that have come due, the earliest first, page by page', async () => {
    const { offline } = subject.storage;
    const [owner, other] = [await subject.newAccount(), await subject.newAccount()];
    const late = await offline.append(owner, watched('late', 3_000), ampleQuota);
    await offline.append(owner, sampleMessage('never'), ampleQuota);
    const early = await offline.append(other, watched('early', 1_000), ampleQuota);
    const same = await offline.append(owner, watched('same', 3_000), ampleQuota);
    const ids = async (untilMs: number) => (await dueBy(subject, untilMs, owner, other)).map(({ id }) => id);
    expect(await ids(999)).to.deep.equal([]);
    expect(await ids(2_999)).to.deep.equal([early]);
    expect(await ids(3_000)).to.deep.equal([early, late, same]);
    const [first] = await offline.due({ untilMs: 9_000, owner, limit: 1 });
    expect(first).to.deep.equal({
      id: late,
      owner,
      bytes: Buffer.from('late'),
      rules: 'rules of late',
      dueAtMs: 3_000,
    });
    expect(await offline.due({ untilMs: 9_000, owner: 'nobody@x.example', limit: 1 })).to.deep.equal([]);
    expect((await offline.list(owner, 0, 10)).map(({ dueAtMs }) => dueAtMs)).to.deep.equal([3_000, undefined, 3_000]);
    await offline.remove(owner, [late, same]);
    await offline.removeAll(other);
    expect(await ids(9_000)).to.deep.equal([]);
  });

  it('knows when the next message comes due, beyond any timer', async () => {
    const { offline } = subject.storage;
    const owner = await subject.newAccount();
    expect(await offline.nextDueMs()).to.equal(undefined);
    const endOfTime = Date.parse('9999-12-31T23:59:59.999Z');
    await offline.append(owner, watched('x', endOfTime), ampleQuota);
    expect(await offline.nextDueMs()).to.equal(endOfTime);
    await offline.append(owner, watched('y', -1), ampleQuota);
    expect(await offline.nextDueMs()).to.equal(-1);
    await offline.removeAll(owner);
    expect(await offline.nextDueMs()).to.equal(undefined);
  });

  it('settles a due message once: removes it and reports in one step', async () => {
    const { offline, outbox } = subject.storage;
    const owner = await subject.newAccount();
    const id = await offline.append(owner, watched('twelve bytes', 1_000), ampleQuota);
    const reports = [Buffer.from('<one/>'), Buffer.from('<two/>')];
    const known = { id, rules: 'rules of twelve bytes', dueAtMs: 1_000 };
    expect(await offline.settle({ ...known, dueAtMs: 999 }, 'remove', reports)).to.equal(false);
    expect(await offline.settle({ ...known, rules: 'others' }, 'remove', reports)).to.equal(false);
    const outcomes = await Promise.all([1, 2].map(() => offline.settle(known, 'remove', reports)));
    expect(outcomes).to.deep.equal([true, false]);
    expect(await offline.count(owner)).to.deep.equal({ messages: 0, bytes: 0 });
    const entries = await outbox.list(0, 10);
    expect(entries.map(({ bytes }) => bytes.toString())).to.deep.equal(['<one/>', '<two/>']);
    await outbox.remove(entries.map((entry) => entry.id));
  });

  it('settles a due message by giving it other rules, or none', async () => {
    const { offline } = subject.storage;
    const owner = await subject.newAccount();
    const id = await offline.append(owner, watched('x', 1_000), ampleQuota);
    const known = { id, rules: 'rules of x', dueAtMs: 1_000 };
    expect(await offline.settle(known, { rules: 'others', dueAtMs: 2_000 }, [])).to.equal(true);
    expect(await offline.settle(known, 'remove', [])).to.equal(false);
    const [due] = await offline.due({ untilMs: 2_000, owner, limit: 10 });
    expect(due).to.deep.include({ id, rules: 'others', dueAtMs: 2_000 });
    expect(await offline.settle({ id, rules: 'others', dueAtMs: 2_000 }, {}, [])).to.equal(true);
    expect(await offline.due({ untilMs: 9_000, owner, limit: 10 })).to.deep.equal([]);
    expect(await offline.list(owner, 0, 10)).to.deep.equal([{ ...sampleMessage('x'), id }]);
  });
}

function describeOutbox(subject: Subject): void {
  it('takes reports with the message they are about, or not at all', async () => {
    const { offline, outbox } = subject.storage;
    const owner = await subject.newAccount();
    const message = { ...sampleMessage('x'), reports: [Buffer.from('<stored/>')] };
    await offline.append(owner, message, ampleQuota);
    await rejection(offline.append(owner, message, { maxMessages: 1, maxBytes: 100 }));
    await rejection(offline.append('nobody@x.example', message, ampleQuota));
    const entries = await outbox.list(0, 10);
    expect(entries.map(({ bytes }) => bytes.toString())).to.deep.equal(['<stored/>']);
    await outbox.remove(entries.map(({ id }) => id));
    expect(await outbox.list(0, 10)).to.deep.equal([]);
  });

  it('gives an entry away when it is kept for somebody, and keeps it when it cannot be', async () => {
    const { offline, outbox } = subject.storage;
    const owner = await subject.newAccount();
    const reports = [Buffer.from('<one/>'), Buffer.from('<two/>')];
    await offline.append(owner, { ...sampleMessage('x'), reports }, ampleQuota);
    const [one, two] = await outbox.list(0, 10);
    expect(await outbox.list(one?.id ?? 0, 10)).to.deep.equal([two]);
    expect(await outbox.list(0, 1)).to.deep.equal([one]);
    const moved = { ...sampleMessage('<one/>'), outboxId: one?.id };
    await rejection(offline.append(owner, moved, { maxMessages: 1, maxBytes: 100 }));
    expect(await outbox.list(0, 10)).to.deep.equal([one, two]);
    await offline.append(owner, moved, ampleQuota);
    expect(await outbox.list(0, 10)).to.deep.equal([two]);
    await outbox.remove([two?.id ?? 0, 999_999]);
  });
}

/** Accounts with archives, and messages that are stored and archived by one call. */
class Copies {
  readonly #subject: Subject;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  async newOwner(): Promise<{ owner: string; archive: number }> {
    const owner = await this.#subject.newAccount();
    return { owner, archive: (await this.#subject.storage.archive.open(owner))?.archive ?? expect.fail() };
  }

  /** A message of `sender` to `recipient`, both of them archives. */
  message(text: string, sender: number, recipient: number): NewOfflineMessage & { copy: ArchivedCopy } {
    const message: NewArchivedMessage = {
      id: this.#subject.storage.archive.newId(),
      bytes: Buffer.from(text),
      sender: { archive: sender, peer: 'recipient@x.example' },
      recipient: { archive: recipient, peer: 'sender@x.example' },
    };
    return { ...sampleMessage(text), copy: { id: message.id, message, suffices: false } };
  }

  async archived(archive: number): Promise<string> {
    const all = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };
    return (await this.#subject.storage.archive.page(archive, all, 10, 'first')).map(({ bytes }) => bytes).join(' ');
  }
}

function describeCopies(subject: Subject): void {
  const copies = new Copies(subject);

  it('takes a message into the archives of its ends and into the store, and counts it apart', async () => {
    const { offline, accounts } = subject.storage;
    const [from, to] = [await copies.newOwner(), await copies.newOwner()];
    const message = copies.message('hark', from.archive, to.archive);
    const id = await offline.append(to.owner, message, { maxMessages: 1, maxBytes: 100 });
    const plain = await offline.append(to.owner, sampleMessage('x'), { maxMessages: 1, maxBytes: 100 });
    for (const { archive } of [from, to]) expect(await copies.archived(archive)).to.equal('hark');
    const usages = { unarchived: { messages: 1, bytes: 1 }, archived: { messages: 1, bytes: 4 } };
    expect((await accounts.load(to.owner))?.stored).to.deep.equal(usages);
    expect(await offline.count(to.owner)).to.deep.equal({ messages: 2, bytes: 5 });
    expect(await offline.remove(to.owner, [id, plain])).to.deep.equal(usages);
    expect((await accounts.load(to.owner))?.stored?.archived).to.deep.equal({ messages: 0, bytes: 0 });
    expect(await copies.archived(to.archive)).to.equal('hark');
  });

  it('leaves a message to the archive of its sender alone if there is no room, or no recipient', async () => {
    const { offline } = subject.storage;
    const [from, to] = [await copies.newOwner(), await copies.newOwner()];
    const full = { maxMessages: 0, maxBytes: 0 };
    const message = copies.message('hark', from.archive, to.archive);
    expect((await rejection(offline.append(to.owner, message, full))).code).to.equal('quota');
    const late = copies.message('late', from.archive, to.archive);
    expect((await rejection(offline.append('nobody@x.example', late, ampleQuota))).code).to.equal('not-found');
    expect(await copies.archived(from.archive)).to.equal('hark late');
    expect(await copies.archived(to.archive)).to.equal('');
  });

  it('leaves a message to the archives if that is enough and there is no room, with its reports', async () => {
    const { offline, outbox } = subject.storage;
    const [from, to] = [await copies.newOwner(), await copies.newOwner()];
    const full = { maxMessages: 0, maxBytes: 0 };
    const reports = [Buffer.from('<stored/>')];
    const { copy, ...message } = copies.message('hark', from.archive, to.archive);
    const enough = { ...message, reports, copy: { ...copy, suffices: true } };
    expect(await offline.append(to.owner, enough, full)).to.equal(0);
    expect(await offline.list(to.owner, 0, 10)).to.deep.equal([]);
    expect(await copies.archived(to.archive)).to.equal('hark');
    const entries = await outbox.list(0, 10);
    expect(entries.map(({ bytes }) => bytes.toString())).to.deep.equal(['<stored/>']);
    await outbox.remove(entries.map(({ id }) => id));
    const timed = copies.message('timed', from.archive, to.archive);
    const expiring = { ...timed, kept: { rules: 'r', dueAtMs: 1 }, copy: { ...timed.copy, suffices: true } };
    expect((await rejection(offline.append(to.owner, expiring, full))).code).to.equal('quota');
  });

  it('withholds what the archive still has, and nothing else', async () => {
    const { offline, archive } = subject.storage;
    const [from, to] = [await copies.newOwner(), await copies.newOwner()];
    const [gone, before, after] = ['gone', 'before', 'after'].map((text) =>
      copies.message(text, from.archive, to.archive),
    );
    if (!gone || !before || !after) expect.fail();
    for (const message of [gone, before, sampleMessage('plain'), after])
      await offline.append(to.owner, message, ampleQuota);
    const shown = async () => {
      const list = await offline.list(to.owner, 0, 10, { beforeId: after.copy.id });
      return list.map(({ bytes }) => bytes.toString()).join(' ');
    };
    expect(await shown()).to.equal('plain after');
    await archive.remove(to.archive, gone.copy.id);
    expect(await shown()).to.equal('gone plain after');
    const all = { removeBeforeId: 0, maxMessages: 1_000_000, indexBeforeId: archive.newId() };
    while (await archive.tidy(all));
    expect(await shown()).to.equal('gone plain after');
    await archive.remove(to.archive, before.copy.id);
    expect(await shown()).to.equal('gone before plain after');
  });

  it('finds the stored messages that archived ones are', async () => {
    const { offline } = subject.storage;
    const [from, to] = [await copies.newOwner(), await copies.newOwner()];
    const messages = ['1', '2', '3'].map((text) => copies.message(text, from.archive, to.archive));
    const ids: number[] = [];
    for (const message of messages) ids.push(await offline.append(to.owner, message, ampleQuota));
    await offline.append(to.owner, sampleMessage('plain'), ampleQuota);
    const archived = messages.map(({ copy }) => copy.id);
    expect(await offline.idsOf(to.owner, { upToId: archived[1] ?? 0 })).to.deep.equal(ids.slice(0, 2));
    expect(await offline.idsOf(to.owner, { ids: [archived[2] ?? 0, 1] })).to.deep.equal(ids.slice(2));
    expect(await offline.idsOf('nobody@x.example', { upToId: 9 })).to.deep.equal([]);
  });

  it('removes an expired message from the archive of its owner, and from no other', async () => {
    const { offline, accounts } = subject.storage;
    const [from, to] = [await copies.newOwner(), await copies.newOwner()];
    const kept = { rules: 'r', dueAtMs: 1 };
    const message = copies.message('short', from.archive, to.archive);
    await offline.append(to.owner, { ...message, kept }, ampleQuota);
    const [due] = await offline.due({ untilMs: 1, owner: to.owner, limit: 1 });
    expect(due?.archivedId).to.equal(message.copy.id);
    expect(due && (await offline.settle(due, 'remove', []))).to.equal(true);
    expect(await copies.archived(to.archive)).to.equal('');
    expect(await copies.archived(from.archive)).to.equal('short');
    expect((await accounts.load(to.owner))?.stored?.archived).to.deep.equal({ messages: 0, bytes: 0 });
  });
}
