import { expect } from 'chai';
import fc from 'fast-check';
import type { RosterStore } from '../../src/storage/rosters.ts';
import type { Subject } from './contract.ts';
import { rejection } from './rejection.ts';
import { sampleItem } from './samples.ts';

/** The contract of rosters. */
export function describeRosters(subject: Subject): void {
  describe('rosters', () => {
    describeVersions(subject);
    describeHistory(subject);
    it('tells a client with any older version exactly what it missed', () => keepsClientsCurrent(subject));
  });
}

function describeVersions(subject: Subject): void {
  it('gives each visible change a greater version', async () => {
    const { rosters, accounts } = subject.storage;
    const owner = await subject.newAccount();
    const created = (await accounts.load(owner))?.rosterVersion ?? Number.NaN;
    const first = await rosters.put(owner, sampleItem('a@x.example'));
    const second = await rosters.put(owner, sampleItem('a@x.example', { name: 'A' }));
    const third = await rosters.remove(owner, 'a@x.example');
    expect([first, second, third]).to.deep.equal([created + 1, created + 2, created + 3]);
    expect((await accounts.load(owner))?.rosterVersion).to.equal(third);
  });

  it('keeps the version when clients see no difference', async () => {
    const { rosters } = subject.storage;
    const owner = await subject.newAccount();
    const version = await rosters.put(owner, sampleItem('a@x.example'));
    const request = sampleItem('b@x.example', { inRoster: false, pendingIn: Buffer.from('<presence/>') });
    expect(await rosters.put(owner, request)).to.equal(version);
    expect(await rosters.remove(owner, 'b@x.example')).to.equal(version);
    expect(await rosters.remove(owner, 'nobody@x.example')).to.equal(version);
    expect(await rosters.changedSince(owner, version)).to.deep.equal({ changed: [], removed: [] });
  });

  it('writes only to accounts that exist', async () => {
    const { rosters } = subject.storage;
    expect((await rejection(rosters.put('nobody@x.example', sampleItem('a@x.example')))).code).to.equal('not-found');
    expect((await rejection(rosters.remove('nobody@x.example', 'a@x.example'))).code).to.equal('not-found');
    expect(await rosters.changedSince('nobody@x.example', 0)).to.equal(undefined);
  });
}

function describeHistory(subject: Subject): void {
  it('tells a contact that is hidden as removed, and one that comes back as changed', async () => {
    const { rosters } = subject.storage;
    const owner = await subject.newAccount();
    const shown = await rosters.put(owner, sampleItem('a@x.example'));
    const hidden = await rosters.put(owner, sampleItem('a@x.example', { inRoster: false, approved: true }));
    expect(await rosters.changedSince(owner, shown)).to.deep.equal({ changed: [], removed: ['a@x.example'] });
    const version = await rosters.put(owner, sampleItem('a@x.example'));
    const changes = { changed: [{ ...sampleItem('a@x.example'), version }], removed: [] };
    expect(await rosters.changedSince(owner, hidden)).to.deep.equal(changes);
    expect(await rosters.changedSince(owner, shown)).to.deep.equal(changes);
  });

  it('does not pretend to know versions before its memory or after the present', async () => {
    const { rosters } = subject.storage;
    const owner = await subject.newAccount();
    const oldest = await rosters.put(owner, sampleItem('first@x.example'));
    const churn = async (index: number) => {
      await rosters.put(owner, sampleItem(`c${index}@x.example`));
      return rosters.remove(owner, `c${index}@x.example`);
    };
    const versions = await Promise.all(Array.from({ length: 1_000 }, (_, index) => churn(index)));
    const newest = Math.max(...versions);
    expect(await rosters.changedSince(owner, oldest)).to.equal(undefined);
    expect(await rosters.changedSince(owner, newest + 1)).to.equal(undefined);
    expect(await rosters.changedSince(owner, newest)).to.deep.equal({ changed: [], removed: [] });
    expect((await rosters.changedSince(owner, newest - 1))?.removed).to.have.lengthOf(1);
  });
}

const contactArbitrary = fc.constantFrom('a@x.example', "b'@x.example", 'c%@x.example');

const stepArbitrary = fc.oneof(
  fc.record({ contact: contactArbitrary, inRoster: fc.boolean(), name: fc.string({ unit: 'grapheme' }) }),
  fc.record({ contact: contactArbitrary, remove: fc.constant(true) }),
);

type Step = typeof stepArbitrary extends fc.Arbitrary<infer T> ? T : never;

async function keepsClientsCurrent(subject: Subject): Promise<void> {
  const { rosters } = subject.storage;
  await fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 12 }), fc.nat(), async (steps, pick) => {
      const owner = await subject.newAccount();
      const states = [await clientState(subject, owner)];
      for (const step of steps) {
        await takeStep(rosters, owner, step);
        states.push(await clientState(subject, owner));
      }
      const old = states[pick % states.length];
      const present = states.at(-1);
      const changes = await rosters.changedSince(owner, old?.version ?? Number.NaN);
      const updated = new Map(old?.names);
      for (const contact of changes?.removed ?? []) updated.delete(contact);
      for (const { contact, name } of changes?.changed ?? []) updated.set(contact, name);
      expect(changes).to.not.equal(undefined);
      expect(updated).to.deep.equal(present?.names);
    }),
    { numRuns: 60 },
  );
}

function takeStep(rosters: RosterStore, owner: string, step: Step): Promise<number> {
  if ('remove' in step) return rosters.remove(owner, step.contact);
  return rosters.put(owner, sampleItem(step.contact, { inRoster: step.inRoster, name: step.name }));
}

async function clientState(subject: Subject, owner: string) {
  const record = await subject.storage.accounts.load(owner);
  const shown = record?.roster.filter(({ inRoster }) => inRoster) ?? [];
  const names = new Map(shown.map(({ contact, name }) => [contact, name]));
  return { version: record?.rosterVersion ?? Number.NaN, names };
}
