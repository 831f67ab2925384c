import { expect } from 'chai';
import type { FastToken, NewFastToken, SeenDevice } from '../../src/storage/devices.ts';
import type { Subject } from './contract.ts';
import { sampleCredentials } from './samples.ts';

const atMs = 1_700_000_000_000;
const laterMs = atMs + 1000;

/** A token that expires in ten seconds. */
function token(secret: string, changes: Partial<NewFastToken> = {}): NewFastToken {
  const bytes = Buffer.from(`..${secret}..`).subarray(2, -2);
  return { mechanism: 'HT-SHA-256-NONE', secret: bytes, issuedAtMs: atMs, expiresAtMs: atMs + 10_000, ...changes };
}

/** The contract of devices and their tokens. */
export function describeDevices(subject: Subject): void {
  describe('devices', () => {
    describeRemembering(subject);
    describeTokens(subject);
    describeRevocation(subject);
  });
}

/** An account with a device that knows its password. */
class Phone {
  readonly owner: string;
  readonly passwordVersion: number;
  readonly #subject: Subject;

  private constructor(subject: Subject, owner: string, passwordVersion: number) {
    this.#subject = subject;
    this.owner = owner;
    this.passwordVersion = passwordVersion;
  }

  static async of(subject: Subject): Promise<Phone> {
    const owner = await subject.newAccount();
    return new Phone(subject, owner, (await subject.storage.accounts.credentials(owner))?.passwordVersion ?? -1);
  }

  seen(changes: Partial<SeenDevice> = {}) {
    const { owner, passwordVersion } = this;
    return { owner, key: 'phone', atMs, keepUntilMs: atMs + 60_000, passwordVersion, ...changes };
  }

  issue(secret: string, changes: Partial<NewFastToken> = {}): Promise<boolean> {
    const { passwordVersion } = this;
    return this.#subject.storage.devices.issueToken({ ...this.seen(), passwordVersion }, token(secret, changes));
  }

  use(id: number, changes: { count?: number; invalidate?: boolean; next?: NewFastToken } = {}): Promise<boolean> {
    const { passwordVersion: _, ...seen } = this.seen();
    return this.#subject.storage.devices.useToken(seen, { id, invalidate: false, ...changes });
  }

  tokens(): Promise<FastToken[]> {
    return this.#subject.storage.devices.tokens(this.owner, 'phone');
  }

  /** The secrets of its tokens, newest first. */
  async secrets(): Promise<string[]> {
    return (await this.tokens()).map(({ secret }) => secret.toString());
  }

  /** The id of its newest token. */
  async newest(): Promise<number> {
    return (await this.tokens())[0]?.id ?? expect.fail('no token');
  }

  list() {
    return this.#subject.storage.devices.list(this.owner, atMs);
  }
}

function describeRemembering(subject: Subject): void {
  it('remembers when a device was first and last seen, and what it said of itself', async () => {
    const phone = await Phone.of(subject);
    const { devices } = subject.storage;
    await devices.seen([phone.seen({ software: 'A', name: 'Phone' }), phone.seen({ key: 'laptop', atMs: atMs + 500 })]);
    await devices.seen([phone.seen({ software: 'B', atMs: laterMs }), phone.seen({ atMs: atMs - 1 })]);
    const common = { firstSeenMs: atMs, knowsPassword: true, hasToken: false };
    expect(await phone.list()).to.deep.equal([
      { ...common, key: 'phone', software: 'B', name: 'Phone', lastSeenMs: laterMs },
      {
        ...common,
        key: 'laptop',
        software: undefined,
        name: undefined,
        firstSeenMs: atMs + 500,
        lastSeenMs: atMs + 500,
      },
    ]);
  });

  it('remembers only devices that have shown the password, of accounts that exist', async () => {
    const phone = await Phone.of(subject);
    const { devices } = subject.storage;
    await devices.seen([phone.seen({ passwordVersion: undefined }), phone.seen({ owner: 'nobody@x.example' })]);
    expect(await phone.list()).to.deep.equal([]);
    expect(await devices.list('nobody@x.example', atMs)).to.deep.equal([]);
  });

  it('tells whether a device knows the present password', async () => {
    const phone = await Phone.of(subject);
    const { accounts, devices } = subject.storage;
    await devices.seen([phone.seen(), phone.seen({ key: 'laptop' })]);
    await accounts.changePassword(phone.owner, sampleCredentials(), { device: 'laptop' });
    const known = async () => (await phone.list()).map(({ key, knowsPassword }) => [key, knowsPassword]);
    expect(await known()).to.have.deep.members([
      ['phone', false],
      ['laptop', true],
    ]);
    await devices.seen([phone.seen({ atMs: laterMs })]);
    expect(await known(), 'the old password').to.deep.include(['phone', false]);
    const passwordVersion = (await accounts.credentials(phone.owner))?.passwordVersion;
    await devices.seen([phone.seen({ passwordVersion })]);
    expect(await known(), 'the new password').to.deep.include(['phone', true]);
  });

  it('forgets a device after its time, and the one seen longest ago when there are too many', async () => {
    const phone = await Phone.of(subject);
    const { devices } = subject.storage;
    await devices.seen([phone.seen(), phone.seen({ key: 'laptop', keepUntilMs: atMs + 100_000 })]);
    await devices.seen([phone.seen({ key: 'tablet', atMs: atMs + 60_001, keepUntilMs: atMs + 200_000 })]);
    expect((await phone.list()).map(({ key }) => key)).to.deep.equal(['tablet', 'laptop']);
    const keepUntilMs = atMs + 200_000;
    const many = Array.from({ length: 99 }, (_, index) => ({
      key: `d${index}`,
      atMs: atMs + 70_000 + index,
      keepUntilMs,
    }));
    await devices.seen(many.map((changes) => phone.seen(changes)));
    const keys = (await phone.list()).map(({ key }) => key);
    expect(keys).to.have.lengthOf(100).and.include.members(['tablet', 'd0', 'd98']).and.not.include('laptop');
  });

  it('keeps versions of passwords apart over the life of an address', async () => {
    const { accounts } = subject.storage;
    const owner = await subject.newAccount();
    const version = async () => (await accounts.credentials(owner))?.passwordVersion;
    const first = await version();
    await accounts.setCredentials(owner, sampleCredentials());
    expect(await version(), 'the same password').to.equal(first);
    await accounts.changePassword(owner, sampleCredentials());
    expect(await version()).to.not.equal(first);
  });

  it('adds the keys of one hash to an account that lacks them', async () => {
    const { accounts } = subject.storage;
    const owner = await subject.newAccount();
    const { scram } = sampleCredentials();
    const { 'SHA-1': old, 'SHA-256': added, 'SHA-512': other } = scram;
    if (!old || !added || !other) throw new Error('the sample lacks keys');
    await accounts.setCredentials(owner, { scram: { 'SHA-1': old } });
    const { passwordVersion = -1 } = (await accounts.credentials(owner)) ?? {};
    await accounts.addKeys(owner, passwordVersion, 'SHA-256', added);
    await accounts.addKeys(owner, passwordVersion, 'SHA-1', other);
    await accounts.addKeys(owner, passwordVersion - 1, 'SHA-512', other);
    await accounts.addKeys('nobody@x.example', 0, 'SHA-512', other);
    expect((await accounts.credentials(owner))?.scram).to.deep.equal({ 'SHA-1': old, 'SHA-256': added });
  });
}

function describeTokens(subject: Subject): void {
  it('keeps a token as it was given', async () => {
    const phone = await Phone.of(subject);
    expect(await phone.issue('a')).to.equal(true);
    const [{ id, ...stored } = expect.fail('no token')] = await phone.tokens();
    expect(stored).to.deep.equal(token('a'));
    expect((await phone.list())[0]).to.deep.include({ hasToken: true, knowsPassword: true });
    const { devices } = subject.storage;
    expect((await devices.list(phone.owner, atMs + 10_000))[0], 'expired').to.deep.include({ hasToken: false });
    expect(await devices.tokens(phone.owner, 'laptop')).to.deep.equal([]);
    expect(await devices.tokens('nobody@x.example', 'phone')).to.deep.equal([]);
  });

  it('replaces a token that was never used, and keeps one that was until the new one is used (XEP-0484 §3.5)', async () => {
    const phone = await Phone.of(subject);
    await phone.issue('a');
    await phone.issue('b');
    expect(await phone.secrets()).to.deep.equal(['b']);
    const b = await phone.newest();
    expect(await phone.use(b)).to.equal(true);
    expect(await phone.use(b, { next: token('c') })).to.equal(true);
    expect(await phone.use(b, { next: token('d') })).to.equal(true);
    expect(await phone.secrets()).to.deep.equal(['d', 'b']);
    expect(await phone.use(await phone.newest())).to.equal(true);
    expect(await phone.secrets()).to.deep.equal(['d']);
    expect(await phone.use(b), 'older than one in use').to.equal(false);
  });

  it('takes each count once, and only larger ones (XEP-0484 §3.4)', async () => {
    const phone = await Phone.of(subject);
    await phone.issue('a');
    const id = await phone.newest();
    expect(await phone.use(id, { count: 5 })).to.equal(true);
    expect(await phone.use(id, { count: 5, next: token('b') })).to.equal(false);
    expect(await phone.use(id, { count: 4, invalidate: true })).to.equal(false);
    expect(await phone.secrets()).to.deep.equal(['a']);
    expect(await phone.use(id)).to.equal(true);
    expect(await phone.use(id, { count: 6 })).to.equal(true);
    expect(await phone.use(id, { count: 6 })).to.equal(false);
  });

  it('ends a token with its last use (XEP-0484 §3.6)', async () => {
    const phone = await Phone.of(subject);
    await phone.issue('a');
    const a = await phone.newest();
    expect(await phone.use(a, { invalidate: true })).to.equal(true);
    expect(await phone.use(a)).to.equal(false);
    await phone.issue('b');
    expect(await phone.use(await phone.newest(), { invalidate: true, next: token('c') })).to.equal(true);
    expect(await phone.secrets()).to.deep.equal(['c']);
  });

  it('lets no device use the token of another, or of another account', async () => {
    const phone = await Phone.of(subject);
    const other = await Phone.of(subject);
    await phone.issue('a');
    const id = await phone.newest();
    const { devices } = subject.storage;
    const use = { id, invalidate: true };
    expect(await devices.useToken({ ...phone.seen(), key: 'laptop' }, use)).to.equal(false);
    expect(await devices.useToken(other.seen(), use)).to.equal(false);
    expect(await phone.secrets()).to.deep.equal(['a']);
  });

  it('removes all tokens with a change of the password, and issues none for the old one', async () => {
    const phone = await Phone.of(subject);
    await phone.issue('a');
    const changed = subject.storage.accounts.changePassword(phone.owner, sampleCredentials(), { device: 'phone' });
    expect(await phone.issue('b')).to.equal(false);
    await changed;
    expect(await phone.secrets()).to.deep.equal([]);
    expect((await phone.list())[0]).to.deep.include({ hasToken: false, knowsPassword: true });
  });

  it('removes devices and tokens with their account', async () => {
    const phone = await Phone.of(subject);
    const { accounts } = subject.storage;
    await phone.issue('a');
    const id = await phone.newest();
    await accounts.remove(phone.owner);
    expect(await phone.use(id)).to.equal(false);
    expect(await phone.issue('b')).to.equal(false);
    await accounts.create(phone.owner, sampleCredentials());
    expect(await phone.secrets()).to.deep.equal([]);
    expect(await phone.list()).to.deep.equal([]);
    expect(await phone.issue('c'), 'the password of the account before').to.equal(false);
  });
}

function describeRevocation(subject: Subject): void {
  it('revokes the tokens of a device, and forgets one without the password', async () => {
    const phone = await Phone.of(subject);
    const { accounts, devices } = subject.storage;
    await phone.issue('a');
    expect(await devices.revoke(phone.owner, 'phone')).to.deep.equal({ knowsPassword: true });
    expect((await phone.list())[0]).to.deep.include({ key: 'phone', hasToken: false, knowsPassword: true });
    await accounts.changePassword(phone.owner, sampleCredentials());
    expect(await devices.revoke(phone.owner, 'phone')).to.deep.equal({ knowsPassword: false });
    expect(await phone.list()).to.deep.equal([]);
    expect(await devices.revoke(phone.owner, 'phone')).to.equal(undefined);
    expect(await devices.revoke('nobody@x.example', 'phone')).to.equal(undefined);
  });
}
