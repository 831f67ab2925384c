import { expect } from 'chai';
import type { Registration } from '../../src/storage/accounts.ts';
import type { Subject } from './contract.ts';
import { rejection } from './rejection.ts';
import { ampleQuota, sampleCredentials, sampleItem, sampleMessage } from './samples.ts';

/** The contract of accounts. */
export function describeAccounts(subject: Subject): void {
  describe('accounts', () => {
    describeCredentials(subject);
    describeListing(subject);
    describeRemoval(subject);
    describeCreateMany(subject);
    describeRecord(subject);
  });
}

function describeCredentials(subject: Subject): void {
  it('keeps credentials as they were given', async () => {
    const { accounts } = subject.storage;
    const credentials = sampleCredentials();
    await accounts.create('juliet@capulet.example', credentials);
    expect(await accounts.credentials('juliet@capulet.example')).to.deep.include(credentials);
  });

  it('refuses to create an account twice, and keeps the first', async () => {
    const { accounts } = subject.storage;
    const first = sampleCredentials();
    await accounts.create('twice@capulet.example', first);
    const error = await rejection(accounts.create('twice@capulet.example', sampleCredentials()));
    expect(error.code).to.equal('conflict');
    expect(await accounts.credentials('twice@capulet.example')).to.deep.include(first);
  });

  it('replaces all credentials', async () => {
    const { accounts } = subject.storage;
    const jid = await subject.newAccount();
    const keys = sampleCredentials().scram['SHA-256'];
    if (keys === undefined) throw new Error('The sample lacks SHA-256');
    await accounts.setCredentials(jid, { scram: { 'SHA-256': keys } });
    const replaced = await accounts.credentials(jid);
    expect(replaced).to.deep.include({ scram: { 'SHA-256': keys } });
    expect(replaced).not.to.have.property('bcrypt');
    await accounts.setCredentials(jid, { scram: {}, bcrypt: 'x' });
    expect(await accounts.credentials(jid)).to.deep.include({ scram: {}, bcrypt: 'x' });
  });

  it('knows nothing of accounts that do not exist', async () => {
    const { accounts } = subject.storage;
    expect(await accounts.credentials('nobody@capulet.example')).to.equal(undefined);
    expect(await accounts.load('nobody@capulet.example')).to.equal(undefined);
    const error = await rejection(accounts.setCredentials('nobody@capulet.example', sampleCredentials()));
    const change = accounts.changePassword('nobody@capulet.example', sampleCredentials());
    expect((await rejection(change)).code).to.equal('not-found');
    expect(error.code).to.equal('not-found');
    expect((await rejection(accounts.setLastSeen('nobody@capulet.example', 1, ''))).code).to.equal('not-found');
  });

  it('says by their version that credentials may be others than before', async () => {
    const { accounts } = subject.storage;
    const jid = 'versioned@capulet.example';
    const changes = [
      () => accounts.create(jid, sampleCredentials()),
      () => accounts.setCredentials(jid, sampleCredentials()),
      () => accounts.changePassword(jid, sampleCredentials()),
      () => accounts.remove(jid),
      () => accounts.createMany([{ jid, credentials: sampleCredentials() }]),
    ];
    for (const change of changes) {
      const before = accounts.credentialsVersion();
      const pending = change();
      expect(accounts.credentialsVersion()).to.not.equal(before);
      await pending;
    }
    const before = accounts.credentialsVersion();
    await accounts.credentials(jid);
    expect(accounts.credentialsVersion()).to.equal(before);
  });

  it('lists the accounts that are forwarded, a page at a time', async () => {
    const { accounts } = subject.storage;
    const [first = '', second = '', third = ''] = ['zz1@x.example', 'zz2@x.example', 'zz3@x.example'];
    for (const jid of [third, first, second]) await accounts.create(jid, { scram: {} });
    await accounts.setForward(third, 'romeo@montague.example');
    await accounts.setForward(first, third);
    expect(await accounts.forwards({ after: 'zz', limit: 1 })).to.deep.equal([{ jid: first, target: third }]);
    const [next] = await accounts.forwards({ after: first, limit: 1 });
    expect(next).to.deep.equal({ jid: third, target: 'romeo@montague.example' });
    await accounts.setForward(first, undefined);
    expect((await accounts.forwards({ limit: 1000 })).map(({ jid }) => jid)).not.to.include(first);
    expect((await rejection(accounts.setForward('nobody@capulet.example', first))).code).to.equal('not-found');
  });

  it('tells JIDs apart however odd they are', async () => {
    const { accounts } = subject.storage;
    const locals = [`'; DROP TABLE accounts; --`, '"', '%', '_', 'a\\', '', '\u{1f339}', 'İ', 'ß', 'ss', '__proto__'];
    const jids = locals.map((local) => `${local}@odd.example`);
    for (const jid of jids) await accounts.create(jid, { scram: {}, bcrypt: jid });
    for (const jid of jids) expect((await accounts.credentials(jid))?.bcrypt).to.equal(jid);
    expect(await accounts.list({ domain: 'odd.example', limit: 100 })).to.have.members(jids);
    expect(await accounts.count('%.example')).to.equal(0);
  });
}

function describeListing(subject: Subject): void {
  it('lists page by page and counts', async () => {
    const { accounts } = subject.storage;
    const jids = ['a', 'b', 'c', 'd', 'e'].map((local) => `${local}@pages.example`);
    for (const jid of jids.toReversed()) await accounts.create(jid, { scram: {} });
    expect(await accounts.list({ domain: 'pages.example', limit: 2 })).to.deep.equal(jids.slice(0, 2));
    const rest = await accounts.list({ domain: 'pages.example', after: 'b@pages.example', limit: 10 });
    expect(rest).to.deep.equal(jids.slice(2));
    expect(await accounts.count('pages.example')).to.equal(5);
    const found = { containing: 'b@pages', limit: 10 };
    expect(await accounts.list(found)).to.deep.equal([jids[1]]);
    expect(await accounts.list({ ...found, domain: 'odd.example' })).to.deep.equal([]);
    expect(await accounts.list({ ...found, after: jids[1] })).to.deep.equal([]);
    expect(await accounts.list({ containing: '%', domain: 'pages.example', limit: 10 })).to.deep.equal([]);
    const all = await accounts.list({ limit: 100_000 });
    expect(all).to.include.members(jids);
    expect(all).to.have.lengthOf(await accounts.count());
  });
}

function describeRemoval(subject: Subject): void {
  it('gives the address of a removed account to nobody who registers, but to whom the operator wants', async () => {
    const { accounts, moderation } = subject.storage;
    const jid = 'tybalt@removed.example';
    const approval = { atMs: 1 };
    const registers = (how: Registration) => accounts.create(jid, sampleCredentials(), how);
    await registers({ approval });
    await accounts.remove(jid);
    // Nobody has used the account, because it was never approved.
    await registers({ approval });
    await moderation.resume(jid);
    await accounts.remove(jid);
    for (const how of [{}, { approval }]) expect((await rejection(registers(how))).code).to.equal('conflict');
    await accounts.create(jid, sampleCredentials());
    await accounts.remove(jid);
    expect((await accounts.createMany([{ jid, credentials: sampleCredentials() }])).created).to.equal(1);
    await accounts.remove(jid);
    expect((await rejection(registers({}))).code).to.equal('conflict');
  });

  it('removes an account with everything it owns', async () => {
    const { storage } = subject;
    const jid = await subject.newAccount();
    const other = await subject.newAccount();
    for (const owner of [jid, other]) {
      await storage.rosters.put(owner, sampleItem('romeo@montague.example'));
      await storage.offline.append(owner, sampleMessage('hark'), ampleQuota);
      await storage.vcards.set(owner, '<vCard/>');
      await storage.privateXml.set(owner, 'storage', 'storage:bookmarks', '<storage/>', 1000);
      await storage.blocklists.add(owner, ['paris@verona.example']);
    }
    const before = await storage.accounts.load(jid);
    expect(await storage.accounts.remove(jid)).to.equal(true);
    expect(await storage.accounts.remove(jid)).to.equal(false);
    await storage.accounts.create(jid, sampleCredentials());
    expect(await storage.accounts.load(jid)).to.deep.include({ roster: [], blocked: [], lastSeen: undefined });
    expect(await storage.offline.list(jid, 0, 10)).to.deep.equal([]);
    expect(await storage.offline.count(jid)).to.deep.equal({ messages: 0, bytes: 0 });
    expect(await storage.vcards.get(jid)).to.equal(undefined);
    expect(await storage.privateXml.get(jid, 'storage', 'storage:bookmarks')).to.equal(undefined);
    expect(await storage.rosters.changedSince(jid, before?.rosterVersion ?? 0)).to.equal(undefined);
    expect(await storage.vcards.get(other)).to.equal('<vCard/>');
    expect(await storage.offline.count(other)).to.deep.equal({ messages: 1, bytes: 4 });
  });
}

function describeCreateMany(subject: Subject): void {
  it('creates ten thousand accounts in one go and skips those that exist', async () => {
    const { accounts } = subject.storage;
    const credentials = sampleCredentials();
    const rows = Array.from({ length: 10_000 }, (_, index) => ({ jid: `u${index}@many.example`, credentials }));
    await accounts.create('u5@many.example', { scram: {}, bcrypt: 'mine' });
    expect(await accounts.createMany(rows)).to.deep.equal({ created: 9_999, skipped: ['u5@many.example'] });
    expect(await accounts.count('many.example')).to.equal(10_000);
    expect(await accounts.credentials('u5@many.example')).to.deep.include({ scram: {}, bcrypt: 'mine' });
    expect(await accounts.credentials('u9999@many.example')).to.deep.include(credentials);
  });

  it('creates all or none', async () => {
    const { accounts } = subject.storage;
    const keys = { salt: Buffer.of(1), iterations: 0, storedKey: Buffer.of(1), serverKey: Buffer.of(1) };
    const good = { jid: 'good@none.example', credentials: sampleCredentials() };
    const bad = { jid: 'bad@none.example', credentials: { scram: { 'SHA-1': keys } } };
    expect((await rejection(accounts.createMany([good, bad]))).code).to.equal('invalid');
    expect(await accounts.count('none.example')).to.equal(0);
  });
}

function describeRecord(subject: Subject): void {
  it('loads what the router keeps of an account', async () => {
    const { storage } = subject;
    const jid = await subject.newAccount();
    const item = sampleItem('romeo@montague.example', {
      name: 'Romeo \u0000 "\u{1f339}"',
      groups: ['Friends', '', "'];--"],
      subscription: 'both',
      ask: true,
      approved: true,
    });
    const request = sampleItem('nurse@capulet.example', { inRoster: false, pendingIn: Buffer.from('<presence/>') });
    const version = await storage.rosters.put(jid, item);
    await storage.rosters.put(jid, request);
    await storage.blocklists.add(jid, ['tybalt@capulet.example', 'paris.example']);
    await storage.accounts.setLastSeen(jid, 1_700_000_000_123, 'Heading home');
    await storage.accounts.setForward(jid, 'juliet@verona.example');
    await storage.offline.append(jid, sampleMessage('12345'), ampleQuota);
    expect(await storage.accounts.load(jid)).to.deep.equal({
      stored: { unarchived: { messages: 1, bytes: 5 }, archived: { messages: 0, bytes: 0 } },
      forwardTo: 'juliet@verona.example',
      registeredAtMs: undefined,
      roster: [
        { ...request, version },
        { ...item, version },
      ],
      rosterVersion: version,
      blocked: ['paris.example', 'tybalt@capulet.example'],
      lastSeen: { atMs: 1_700_000_000_123, status: 'Heading home' },
    });
  });
}
