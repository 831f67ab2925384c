import { expect } from 'chai';
import type { Storage } from '../../src/storage/storage.ts';
import { describeAccounts } from './contract-accounts.ts';
import { describeArchive } from './contract-archive.ts';
import { describeDevices } from './contract-devices.ts';
import { describeInvitations } from './contract-invitations.ts';
import { describeOffline } from './contract-offline.ts';
import { describePep } from './contract-pep.ts';
import { describeResumption } from './contract-resumption.ts';
import { describeRooms } from './contract-rooms.ts';
import { describeRosters } from './contract-rosters.ts';
import { describeSmallStores } from './contract-small-stores.ts';
import { describeUploads } from './contract-uploads.ts';
import { rejection } from './rejection.ts';
import { ampleQuota, sampleCredentials, sampleMessage } from './samples.ts';

/** A store that a test may fill, and how to be rid of it. */
export interface OpenedStorage {
  readonly storage: Storage;
  close(): Promise<void>;
}

/** What the parts of the contract get: the store, and a new account for each test. */
export interface Subject {
  readonly storage: Storage;
  newAccount(): Promise<string>;
}

/** Every implementation of storage must pass these. */
export function describeStorageContract(name: string, open: () => Promise<OpenedStorage>): void {
  describe(`storage contract: ${name}`, () => {
    let opened: OpenedStorage;
    let accounts = 0;
    before(async () => {
      opened = await open();
    });
    after(() => opened.close());
    const subject: Subject = {
      get storage() {
        return opened.storage;
      },
      async newAccount() {
        const jid = `user${accounts++}@shared.example`;
        await opened.storage.accounts.create(jid, sampleCredentials());
        return jid;
      },
    };
    describeAccounts(subject);
    describeRosters(subject);
    describeOffline(subject);
    describeResumption(subject);
    describeDevices(subject);
    describeSmallStores(subject);
    describeUploads(subject);
    describeInvitations(subject);
    describePep(subject);
    describeArchive(subject);
    describeRooms(() => subject.storage.rooms);
    describeOrder(subject);
  });
  describe(`storage contract: ${name}: closing`, () => {
    it('finishes what was asked for, then refuses', () => finishesThenRefuses(open));
  });
}

function describeOrder(subject: Subject): void {
  it('executes operations in the order of their calls, without waiting for each', async () => {
    const { accounts, offline } = subject.storage;
    const jid = 'order@shared.example';
    const outcomes = await Promise.all([
      accounts.credentials(jid),
      accounts.create(jid, sampleCredentials()),
      offline.append(jid, sampleMessage('one'), ampleQuota),
      offline.count(jid),
      offline.append(jid, sampleMessage('two'), ampleQuota),
      offline.list(jid, 0, 10),
      accounts.remove(jid),
      offline.count(jid),
    ]);
    expect(outcomes[0]).to.equal(undefined);
    expect(outcomes[3]).to.deep.equal({ messages: 1, bytes: 3 });
    expect(outcomes[5].map(({ bytes }) => bytes.toString())).to.deep.equal(['one', 'two']);
    expect(outcomes[7]).to.deep.equal({ messages: 0, bytes: 0 });
  });
}

async function finishesThenRefuses(open: () => Promise<OpenedStorage>): Promise<void> {
  const { storage, close } = await open();
  const { accounts } = storage;
  const asked = accounts.create('late@shared.example', sampleCredentials());
  const closing = storage.close();
  const refused = rejection(accounts.create('later@shared.example', sampleCredentials()));
  expect(await asked).to.equal(undefined);
  expect((await refused).code).to.equal('closed');
  await closing;
  expect((await rejection(accounts.count())).code).to.equal('closed');
  await close();
}
