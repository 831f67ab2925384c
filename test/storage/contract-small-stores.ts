import { expect } from 'chai';
import type { Subject } from './contract.ts';
import { rejection } from './rejection.ts';

/** The contract of vCards, private XML, push services, blocklists, secrets, reports, and stanzas on their way out. */
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

  it('finds the vCards with an image', async () => {
    const { vcards } = subject.storage;
    const [owner, other] = [await subject.newAccount(), await subject.newAccount()];
    const card = '<vCard><PHOTO><BINVAL>AA==</BINVAL></PHOTO></vCard>';
    await vcards.set(owner, card);
    await vcards.set(other, '<vCard><PHOTO/></vCard>');
    expect(await vcards.getWithImage(owner)).to.equal(card);
    expect(await vcards.getWithImage(other)).to.equal(undefined);
    await vcards.set(owner, '<vCard/>');
    expect(await vcards.getWithImage(owner)).to.equal(undefined);
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
    expect((await privateXml.all(owner)).map(({ name, ns, xml }) => `${name} ${ns} ${xml}`)).to.deep.equal([
      ...['a urn:1 <a1>new</a1>', 'b urn:1 <b1/>', 'a urn:2 <a2/>'],
    ]);
    expect(await privateXml.all('nobody@x.example')).to.deep.equal([]);
    expect((await rejection(privateXml.set(owner, 'c', 'urn:1', '<c/>', 20))).code).to.equal('quota');
    expect(await privateXml.get(owner, 'c', 'urn:1')).to.equal(undefined);
    expect((await rejection(privateXml.set('nobody@x.example', 'a', 'urn:1', '<a/>', 1000))).code).to.equal(
      'not-found',
    );
  });

  it('keeps the push services of an account, in the order in which they were enabled', async () => {
    const { push, accounts, devices } = subject.storage;
    const owner = await subject.newAccount();
    const other = await subject.newAccount();
    const registration = (service: string, node: string, device = 'phone') => ({
      service,
      node,
      device,
      options: '[["secret",["\u{1f339}"]]]',
    });
    const names = async (of = owner) =>
      (await push.list(of)).map(({ service, node, device }) => `${service}/${node}/${device}`);
    for (const [service, node] of [
      ['a', '1'],
      ['b', '1'],
      ['a', ''],
    ] as const) {
      await push.enable(owner, registration(service, node), 3);
      await push.enable(other, registration(service, node), 3);
    }
    expect(await push.list(owner)).to.deep.equal([
      registration('a', '1'),
      registration('b', '1'),
      registration('a', ''),
    ]);
    await push.enable(owner, registration('a', '1', 'tablet'), 3);
    expect(await names()).to.deep.equal(['b/1/phone', 'a//phone', 'a/1/tablet']);
    await push.enable(owner, registration('c', '1'), 3);
    expect(await names(), 'the oldest has gone').to.deep.equal(['a//phone', 'a/1/tablet', 'c/1/phone']);
    await push.disable(owner, 'a', '');
    expect(await names()).to.deep.equal(['a/1/tablet', 'c/1/phone']);
    await push.enable(owner, registration('a', '2'), 3);
    await push.disable(owner, 'a');
    expect(await names()).to.deep.equal(['c/1/phone']);
    await push.enable(owner, registration('d', '1', 'tablet'), 3);
    await devices.revoke(owner, 'phone');
    expect(await names()).to.deep.equal(['d/1/tablet']);
    expect(await names(other), 'nobody else has lost anything').to.deep.equal(['a/1/phone', 'b/1/phone', 'a//phone']);
    await accounts.remove(owner);
    expect(await names()).to.deep.equal([]);
    for (const change of [push.enable(owner, registration('a', '1'), 3), push.disable(owner, 'a')])
      expect((await rejection(change)).code).to.equal('not-found');
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

  it('keeps the latest reports of each account, and of all', async () => {
    const { reports, accounts } = subject.storage;
    const [juliet, romeo] = [await subject.newAccount(), await subject.newAccount()];
    const limits = { perAccount: 2, total: 3 };
    const message = { xml: '<message/>', atMs: 5 };
    const report = (jid: string) => ({
      atMs: 7,
      jid,
      reason: 'urn:x',
      texts: [{ text: 'why', lang: 'en' }],
      passingOn: ['third-party'] as const,
      messages: [message, message],
    });
    const add = (reporter: string, jid: string) => reports.add(reporter, report(jid), limits);
    const listed = async (beforeId = Number.MAX_SAFE_INTEGER) =>
      (await reports.list(beforeId, 10)).map(({ jid, reporter }) => [jid, reporter]);
    const ids = [await add(juliet, 'a'), await add(juliet, 'b'), await add(juliet, 'c')];
    expect(await listed()).to.deep.equal([
      ['c', juliet],
      ['b', juliet],
    ]);
    expect(await reports.get(ids[2]!)).to.deep.equal({ id: ids[2], reporter: juliet, ...report('c') });
    const { messages, ...rest } = report('b');
    const summary = { ...rest, id: ids[1], reporter: juliet, messageCount: messages.length };
    expect(await reports.list(ids[2]!, 10)).to.deep.equal([summary]);
    expect(await reports.get(ids[0]!)).to.equal(undefined);
    await add(romeo, 'd');
    const last = await add(romeo, 'e');
    expect((await listed()).map(([jid]) => jid)).to.deep.equal(['e', 'd', 'c']);
    expect(await reports.remove(last)).to.equal(true);
    expect(await reports.remove(last)).to.equal(false);
    expect(await add(romeo, 'f')).to.be.above(last);
    await accounts.remove(romeo);
    expect(await listed()).to.deep.equal([['c', juliet]]);
    await reports.remove(ids[2]!);
    expect((await rejection(add(romeo, 'g'))).code).to.equal('not-found');
  });

  it('keeps the latest administrations, and finds them by operator, subject and time', async () => {
    const { administrations } = subject.storage;
    const one = { operator: 'root', origin: 'command line', operation: 'DELETE /users', subject: 'a', result: 'done' };
    await administrations.add({ ...one, atMs: 1 }, 0);
    await administrations.add({ ...one, atMs: 2, operator: 'escalus' }, 0);
    await administrations.add({ ...one, atMs: 3, subject: undefined }, 0);
    const times = async (query: object) =>
      (await administrations.list({ limit: 10, ...query })).map(({ atMs }) => atMs);
    expect(await times({})).to.deep.equal([3, 2, 1]);
    expect(await times({ limit: 2 })).to.deep.equal([3, 2]);
    expect(await times({ operator: 'root' })).to.deep.equal([3, 1]);
    expect(await times({ subject: 'a' })).to.deep.equal([2, 1]);
    expect(await times({ sinceMs: 2 })).to.deep.equal([3, 2]);
    const [latest] = await administrations.list({ limit: 1 });
    expect(latest).to.deep.include({ ...one, atMs: 3, subject: undefined });
    expect(await times({ beforeId: latest?.id })).to.deep.equal([2, 1]);
    await administrations.add({ ...one, atMs: 4 }, 3);
    expect(await times({})).to.deep.equal([4, 3]);
  });

  it('keeps what the operator has decided about domains and accounts', async () => {
    const { moderation, accounts } = subject.storage;
    await moderation.blockDomain({ domain: 'b.example', atMs: 1 });
    await moderation.blockDomain({ domain: '*.a.example', atMs: 2, reason: 'spam' });
    await moderation.blockDomain({ domain: 'b.example', atMs: 3, reason: 'more spam' });
    expect(await moderation.blockedDomains()).to.deep.equal([
      { domain: '*.a.example', atMs: 2, reason: 'spam' },
      { domain: 'b.example', atMs: 3, reason: 'more spam' },
    ]);
    expect([await moderation.unblockDomain('b.example'), await moderation.unblockDomain('b.example')]).to.deep.equal([
      true,
      false,
    ]);
    const jid = await subject.newAccount();
    await moderation.suspend({ jid, atMs: 1, reason: 'why', removeAtMs: 9 });
    await moderation.suspend({ jid, atMs: 2 });
    expect(await moderation.suspensions()).to.deep.equal([{ jid, atMs: 2, reason: undefined, removeAtMs: undefined }]);
    expect([await moderation.resume(jid), await moderation.resume(jid)]).to.deep.equal([true, false]);
    await moderation.suspend({ jid, atMs: 3 });
    await accounts.remove(jid);
    expect(await moderation.suspensions()).to.deep.equal([]);
    expect((await rejection(moderation.suspend({ jid, atMs: 4 }))).code).to.equal('not-found');
    await moderation.setNotice({ domain: 'a', kind: 'online', atMs: 1, text: 'x' });
    await moderation.setNotice({ domain: 'a', kind: 'online', atMs: 2, text: 'y' });
    await moderation.setNotice({ domain: 'a', kind: 'welcome', atMs: 3, text: 'z' });
    expect(await moderation.notices()).to.deep.equal([
      { domain: 'a', kind: 'online', atMs: 2, text: 'y' },
      { domain: 'a', kind: 'welcome', atMs: 3, text: 'z' },
    ]);
    for (const left of [true, false]) expect(await moderation.removeNotice('a', 'online')).to.equal(left);
    expect(await moderation.removeNotice('a', 'welcome')).to.equal(true);
    await moderation.unblockDomain('*.a.example');
  });

  it('keeps accounts that wait for approval from their creation', async () => {
    const { moderation, accounts } = subject.storage;
    const jid = 'waiting@approval.example';
    const approval = { atMs: 5, reason: 'later', removeAtMs: 9 };
    await accounts.create(jid, { scram: {} }, { approval });
    expect(await moderation.suspensions()).to.deep.equal([{ jid, ...approval, awaitsApproval: true }]);
    expect((await accounts.load(jid))?.registeredAtMs).to.be.a('number');
    expect((await rejection(accounts.create(jid, { scram: {} }, { approval }))).code).to.equal('conflict');
    expect(await moderation.resume(jid)).to.equal(true);
    expect(await moderation.suspensions()).to.deep.equal([]);
    await accounts.remove(jid);
    await accounts.create(jid, { scram: {} });
    expect((await accounts.load(jid))?.registeredAtMs).to.equal(undefined);
    await accounts.remove(jid);
  });

  it('keeps the entries of block lists', async () => {
    const { moderation } = subject.storage;
    await moderation.changeListed({ list: 'x', added: ['a', 'b'], removed: [] });
    await moderation.changeListed({ list: 'x', added: ['b', 'c'], removed: ['a', 'z'] });
    await moderation.changeListed({ list: 'y', added: ['b'], removed: [] });
    expect(await moderation.listedEntries()).to.have.deep.members([
      { list: 'x', entry: 'b' },
      { list: 'x', entry: 'c' },
      { list: 'y', entry: 'b' },
    ]);
    await moderation.changeListed({ list: 'x', added: [], removed: ['b', 'c'] });
    await moderation.changeListed({ list: 'y', added: [], removed: ['b'] });
    expect(await moderation.listedEntries()).to.deep.equal([]);
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
