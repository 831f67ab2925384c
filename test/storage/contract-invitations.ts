import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { NewInvitation } from '../../src/storage/invitations.ts';
import type { Subject } from './contract.ts';
import { rejection } from './rejection.ts';
import { sampleCredentials } from './samples.ts';

const createdAtMs = Date.now();
const forMs = 86_400_000;
let names = 0;

function invitation(changes: Partial<NewInvitation> = {}): NewInvitation {
  const terms = { kind: 'account', domain: 'shared.example', uses: 1 } as const;
  return { tokenHash: randomBytes(32), ...terms, createdAtMs, expiresAtMs: createdAtMs + forMs, ...changes };
}

/** The contract of invitations. */
export function describeInvitations(subject: Subject): void {
  const newName = () => `invited${++names}`;

  async function added(changes: Partial<NewInvitation> = {}): Promise<NewInvitation & { readonly id: number }> {
    const one = invitation(changes);
    const id = await subject.storage.invitations.add(one, 100);
    if (typeof id === 'string') throw new Error(id);
    return { ...one, id };
  }

  it('finds an invitation by the hash of its token', async () => {
    const { invitations } = subject.storage;
    const [account, maker] = [await subject.newAccount(), await subject.newAccount()];
    const { tokenHash, ...terms } = await added({ account, maker, username: newName(), uses: 3 });
    expect(await invitations.find(tokenHash)).to.deep.equal(terms);
    expect(await invitations.find(randomBytes(32))).to.equal(undefined);
  });

  it('gives the address of a removed account to somebody only if the operator has named it', async () => {
    const { invitations, accounts } = subject.storage;
    const [username, maker] = [newName(), await subject.newAccount()];
    const jid = `${username}@shared.example`;
    const registers = ({ tokenHash }: NewInvitation) =>
      accounts.create(jid, sampleCredentials(), { invitation: tokenHash });
    await accounts.create(jid, sampleCredentials());
    await accounts.remove(jid);
    const unnamed = await added();
    expect((await rejection(registers(unnamed))).code).to.equal('conflict');
    expect((await invitations.find(unnamed.tokenHash))?.uses).to.equal(1);
    expect(await invitations.add(invitation({ username, maker }), 100)).to.equal('taken');
    await registers(await added({ username }));
    expect(await accounts.load(jid)).to.not.equal(undefined);
  });

  it('uses one as often as it says', async () => {
    const { invitations } = subject.storage;
    const { tokenHash } = await added({ uses: 2 });
    expect(await invitations.use(tokenHash)).to.equal(true);
    expect((await invitations.find(tokenHash))?.uses).to.equal(1);
    expect(await invitations.use(tokenHash)).to.equal(true);
    expect(await invitations.use(tokenHash)).to.equal(false);
    expect(await invitations.find(tokenHash)).to.equal(undefined);
  });

  it('lists those that have not ended, and removes one', async () => {
    const { invitations } = subject.storage;
    const [first, over, last] = [await added(), await added({ expiresAtMs: createdAtMs + 1 }), await added()];
    const ids = async () =>
      (await invitations.list({ after: first.id - 1, limit: 100 }, createdAtMs + 2)).map(({ id }) => id);
    expect(await ids()).to.deep.equal([first.id, last.id]);
    expect(await invitations.list({ after: first.id, limit: 1 }, createdAtMs)).to.have.nested.property(
      '[0].id',
      over.id,
    );
    expect([await invitations.remove(first.id), await invitations.remove(first.id)]).to.deep.equal([true, false]);
    expect(await ids()).to.deep.equal([last.id]);
  });

  it('forgets one long after its end, and not before', async () => {
    const { invitations } = subject.storage;
    const { tokenHash } = await added({ expiresAtMs: createdAtMs });
    const dayMs = 86_400_000;
    await added({ createdAtMs: createdAtMs + 29 * dayMs });
    expect(await invitations.find(tokenHash)).to.not.equal(undefined);
    const later = createdAtMs + 31 * dayMs;
    await added({ createdAtMs: later, expiresAtMs: later + 1 });
    expect(await invitations.find(tokenHash)).to.equal(undefined);
  });

  it('reserves a name until the invitation ends', async () => {
    const { invitations, accounts } = subject.storage;
    const username = newName();
    const jid = `${username}@shared.example`;
    const { id } = await added({ username });
    expect(await invitations.add(invitation({ username }), 100)).to.equal('taken');
    expect((await rejection(accounts.create(jid, sampleCredentials(), {}))).code).to.equal('conflict');
    await invitations.remove(id);
    await accounts.create(jid, sampleCredentials(), {});
    expect(await invitations.add(invitation({ username }), 100)).to.equal('taken');
    const other = newName();
    await added({ username: other, createdAtMs: createdAtMs - 10, expiresAtMs: createdAtMs - 5 });
    await accounts.create(`${other}@shared.example`, sampleCredentials(), {});
  });

  it('does not bind the operator to a reserved name', async () => {
    const username = newName();
    await added({ username });
    await subject.storage.accounts.create(`${username}@shared.example`, sampleCredentials());
  });

  it('uses an invitation together with the registration', async () => {
    const { invitations, accounts } = subject.storage;
    const username = newName();
    const { tokenHash } = await added({ username });
    const taken = await subject.newAccount();
    const registration = { invitation: tokenHash };
    expect((await rejection(accounts.create(taken, sampleCredentials(), registration))).code).to.equal('conflict');
    expect(await invitations.find(tokenHash)).to.not.equal(undefined);
    await accounts.create(`${username}@shared.example`, sampleCredentials(), registration);
    expect(await invitations.find(tokenHash)).to.equal(undefined);
    const second = `${newName()}@shared.example`;
    expect((await rejection(accounts.create(second, sampleCredentials(), registration))).code).to.equal('not-found');
    expect(await accounts.credentials(second)).to.equal(undefined);
  });

  it('bounds the invitations of a user that have not ended', async () => {
    const { invitations } = subject.storage;
    const maker = await subject.newAccount();
    const add = (changes: Partial<NewInvitation> = {}) => invitations.add(invitation({ maker, ...changes }), 2);
    await add({ createdAtMs: createdAtMs - 2, expiresAtMs: createdAtMs - 1 });
    await add();
    await add();
    expect(await add()).to.equal('too-many');
    expect(await invitations.add(invitation(), 0)).to.be.a('number');
  });

  it('removes with an account the invitations that it has made, and those that lead to it', async () => {
    const { invitations, accounts } = subject.storage;
    const account = await subject.newAccount();
    const all = [await added({ maker: account }), await added({ account }), await added({ kind: 'reset', account })];
    await accounts.remove(account);
    for (const { tokenHash } of all) expect(await invitations.find(tokenHash)).to.equal(undefined);
    expect((await rejection(invitations.add(invitation({ account }), 100))).code).to.equal('not-found');
    expect((await rejection(invitations.add(invitation({ maker: account }), 100))).code).to.equal('not-found');
  });

  it('sets a password with a link once, and ends all links of the account', async () => {
    const { invitations, accounts } = subject.storage;
    const [account, other] = [await subject.newAccount(), await subject.newAccount()];
    const reset = (of: string) => added({ kind: 'reset', account: of });
    const [link, second, foreign] = [await reset(account), await reset(account), await reset(other)];
    const set = (tokenHash: Buffer) => accounts.changePassword(account, sampleCredentials(), { resetToken: tokenHash });
    const version = async () => (await accounts.credentials(account))?.passwordVersion;
    const before = await version();
    for (const wrong of [foreign.tokenHash, (await added({ account })).tokenHash, randomBytes(32)])
      expect((await rejection(set(wrong))).code).to.equal('not-found');
    expect(await version()).to.equal(before);
    await set(link.tokenHash);
    expect(await version()).to.not.equal(before);
    for (const used of [link, second]) expect((await rejection(set(used.tokenHash))).code).to.equal('not-found');
    expect(await invitations.find(foreign.tokenHash)).to.not.equal(undefined);
  });

  it('ends the links of an account when its user changes the password', async () => {
    const account = await subject.newAccount();
    const { tokenHash } = await added({ kind: 'reset', account });
    await subject.storage.accounts.changePassword(account, sampleCredentials());
    expect(await subject.storage.invitations.find(tokenHash)).to.equal(undefined);
  });
}
