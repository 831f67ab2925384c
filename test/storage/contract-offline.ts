import { expect } from 'chai';
import type { Subject } from './contract.ts';
import { rejection } from './rejection.ts';
import { ampleQuota, sampleMessage } from './samples.ts';

/** The contract of offline messages. */
export function describeOffline(subject: Subject): void {
  describe('offline messages', () => {
    describeKeeping(subject);
    describeQuota(subject);
    describeRemoving(subject);
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
    await offline.remove(owner, [first, first, foreign, 999_999_999]);
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
