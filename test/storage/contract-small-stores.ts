import { expect } from 'chai';
import type { Subject } from './contract.ts';
import { rejection } from './rejection.ts';

/** The contract of vCards, private XML, blocklists, secrets, and stanzas on their way out. */
export function describeSmallStores(subject: Subject): void {
  it('keeps one vCard for each account', async () => {
    const { vcards } = subject.storage;
    const owner = await subject.newAccount();
    expect(await vcards.get(owner)).to.equal(undefined);
    await vcards.set(owner, '<vCard>1</vCard>');
    await vcards.set(owner, '<vCard>\u{1f339}</vCard>');
    expect(await vcards.get(owner)).to.equal('<vCard>\u{1f339}</vCard>');
    expect((await rejection(vcards.set('nobody@x.example', '<vCard/>'))).code).to.equal('not-found');
  });

  it('keeps private XML by name and namespace', async () => {
    const { privateXml } = subject.storage;
    const owner = await subject.newAccount();
    await privateXml.set(owner, 'a', 'urn:1', '<a1/>', 1000);
    await privateXml.set(owner, 'a', 'urn:2', '<a2/>', 1000);
    await privateXml.set(owner, 'b', 'urn:1', '<b1/>', 1000);
    await privateXml.set(owner, 'a', 'urn:1', '<a1>new</a1>', 1000);
    expect(await privateXml.get(owner, 'a', 'urn:1')).to.equal('<a1>new</a1>');
    expect(await privateXml.get(owner, 'a', 'urn:2')).to.equal('<a2/>');
    expect(await privateXml.get(owner, 'b', 'urn:2')).to.equal(undefined);
    expect((await rejection(privateXml.set(owner, 'c', 'urn:1', '<c/>', 20))).code).to.equal('quota');
    expect(await privateXml.get(owner, 'c', 'urn:1')).to.equal(undefined);
    expect((await rejection(privateXml.set('nobody@x.example', 'a', 'urn:1', '<a/>', 1000))).code).to.equal(
      'not-found',
    );
  });

  it('blocks and unblocks', async () => {
    const { blocklists, accounts } = subject.storage;
    const owner = await subject.newAccount();
    const blocked = async () => (await accounts.load(owner))?.blocked;
    await blocklists.add(owner, ['a@x.example', 'b.example', 'c@x.example/r']);
    await blocklists.add(owner, ['b.example', 'd.example']);
    expect(await blocked()).to.deep.equal(['a@x.example', 'b.example', 'c@x.example/r', 'd.example']);
    await blocklists.remove(owner, ['b.example', 'unknown.example']);
    expect(await blocked()).to.deep.equal(['a@x.example', 'c@x.example/r', 'd.example']);
    await blocklists.clear(owner);
    expect(await blocked()).to.deep.equal([]);
    expect((await rejection(blocklists.add('nobody@x.example', ['a.example']))).code).to.equal('not-found');
    expect((await rejection(blocklists.remove('nobody@x.example', ['a.example']))).code).to.equal('not-found');
    expect((await rejection(blocklists.clear('nobody@x.example'))).code).to.equal('not-found');
  });

  it('keeps what is on its way out, in order, until it has arrived', async () => {
    const { outgoing } = subject.storage;
    const bytes = (text: string) => Buffer.from(`..${text}..`).subarray(2, -2);
    const texts = async (afterId: number, limit: number) =>
      (await outgoing.list(afterId, limit)).map((one) => `${one.bytes} at ${one.receivedAtMs}`);
    const ids = await Promise.all(
      ['a', 'b', 'c'].map((text, at) => outgoing.add({ receivedAtMs: at, bytes: bytes(text) })),
    );
    expect(await texts(0, 10)).to.deep.equal(['a at 0', 'b at 1', 'c at 2']);
    expect(await texts(ids[0] ?? 0, 1)).to.deep.equal(['b at 1']);
    await outgoing.remove([ids[0] ?? 0, ids[2] ?? 0, 999_999]);
    expect(await texts(0, 10)).to.deep.equal(['b at 1']);
    await outgoing.remove(ids);
    const next = await outgoing.add({ receivedAtMs: 3, bytes: bytes('d') });
    expect(next).to.be.above(Math.max(...ids));
    await outgoing.remove([next]);
  });

  it('makes a secret once for each name', async () => {
    const { secrets } = subject.storage;
    const [first, again, other] = await Promise.all([secrets.get('a'), secrets.get('a'), secrets.get('b')]);
    expect(first).to.have.lengthOf(32);
    expect(again.equals(first)).to.equal(true);
    expect(other.equals(first)).to.equal(false);
    expect((await secrets.get('a')).equals(first)).to.equal(true);
  });
}
