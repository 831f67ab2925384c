import { createHook } from 'node:async_hooks';
import { hash as bcryptHash } from 'bcryptjs';
import { expect } from 'chai';
import fc from 'fast-check';
import { StoredCredentials } from '../../../../src/c2s/negotiation/sasl/credential-source.ts';
import type { SaslContext } from '../../../../src/c2s/negotiation/sasl/mechanism.ts';
import { startExchange } from '../../../../src/c2s/negotiation/sasl/mechanisms.ts';
import { Pbkdf2Queue } from '../../../../src/c2s/negotiation/sasl/pbkdf2-queue.ts';
import { deriveKeys } from '../../../../src/c2s/negotiation/sasl/scram-keys.ts';
import { type SaslCondition, SaslFailure } from '../../../../src/protocol/sasl-failure.ts';
import type { AccountCredentials } from '../../../../src/storage/accounts.ts';
import { ScramClient } from '../../../support/scram-client.ts';
import { bytes, challengeOf, contextOf, expectFailure, failureOf, iterations, MemoryAccounts } from './fixture.ts';

function plain(user: string, password: string, authzid = ''): Buffer {
  return bytes(`${authzid}\0${user}\0${password}`);
}

/** Who is logged in by this message, or the condition of the failure. */
async function outcome(context: SaslContext, message: Buffer): Promise<string> {
  try {
    const step = await startExchange('PLAIN', context).step(message);
    return step.kind === 'success' ? step.identity.toString() : step.kind;
  } catch (error) {
    if (error instanceof SaslFailure) return error.condition;
    throw error;
  }
}

describe('PLAIN', () => {
  const accounts = new MemoryAccounts();
  const password = 'Wherefore art thou';

  before(async () => {
    await accounts.add('romeo', password);
    await accounts.add('victim', 'theirs');
  });

  it('authenticates who knows the password', async () => {
    expect(await outcome(contextOf(accounts), plain('romeo', password))).to.equal('romeo@example.org');
    expect(await outcome(contextOf(accounts), plain('romeo', 'guess'))).to.equal('not-authorized');
  });

  it('accepts the own bare JID as authzid and nothing else', async () => {
    for (const authzid of ['romeo@example.org', 'ROMEO@Example.ORG']) {
      expect(await outcome(contextOf(accounts), plain('romeo', password, authzid))).to.equal('romeo@example.org');
    }
    for (const authzid of [
      'romeo',
      'victim',
      'victim@example.org',
      'romeo@example.net',
      'romeo@example.org/x',
      '@',
      ' ',
    ]) {
      expect(await outcome(contextOf(accounts), plain('romeo', password, authzid)), authzid).to.equal(
        'invalid-authzid',
      );
    }
  });

  it('prepares names and passwords (RFC 4013)', async () => {
    await accounts.add('henry', 'Henry\u2163');
    expect(await outcome(contextOf(accounts), plain('HEN\u00ADRY', 'Hen\u00ADryIV'))).to.equal('henry@example.org');
  });

  const malformed: [why: string, message: Buffer, condition: SaslCondition][] = [
    ['nothing', Buffer.alloc(0), 'malformed-request'],
    ['no NUL', bytes('romeo'), 'malformed-request'],
    ['one NUL', bytes(`romeo\0${password}`), 'malformed-request'],
    ['three NULs', bytes(`\0romeo\0${password}\0`), 'malformed-request'],
    ['a NUL in the password', bytes(`\0romeo\0Where\0fore`), 'malformed-request'],
    ['an empty name', bytes(`\0\0${password}`), 'malformed-request'],
    ['an empty password', bytes('\0romeo\0'), 'malformed-request'],
    ['NULs only', bytes('\0\0'), 'malformed-request'],
    ['invalid UTF-8 in the name', Buffer.concat([bytes('\0rom'), Buffer.of(0xc3), bytes('\0pw')]), 'malformed-request'],
    ['invalid UTF-8 in the password', Buffer.concat([bytes('\0romeo\0'), Buffer.of(0xff)]), 'malformed-request'],
    ['a huge password', bytes(`\0romeo\0${'x'.repeat(9000)}`), 'malformed-request'],
    ['a forbidden character in the password', bytes('\0romeo\0bell\u0007'), 'not-authorized'],
    ['a password of nothing but soft hyphens', bytes('\0romeo\0\u00AD'), 'not-authorized'],
    ['a name of nothing but soft hyphens', bytes(`\0\u00AD\0${password}`), 'not-authorized'],
    ['a full name', bytes(`\0romeo@example.org\0${password}`), 'not-authorized'],
  ];
  for (const [why, message, condition] of malformed) {
    it(`refuses ${why}`, () => expectFailure(startExchange('PLAIN', contextOf(accounts)), message, condition));
  }

  it('is over after one response', async () => {
    const exchange = startExchange('PLAIN', contextOf(accounts));
    await exchange.step(plain('romeo', password));
    await expectFailure(exchange, plain('romeo', password), 'malformed-request');
  });

  it('verifies with the keys of any hash', async () => {
    for (const hash of ['SHA-1', 'SHA-256', 'SHA-512'] as const) {
      const keys = await deriveKeys('pw', hash, Buffer.from('salt'), iterations);
      accounts.rows.set('single@example.org', { scram: { [hash]: keys } });
      expect(await outcome(contextOf(accounts), plain('single', 'pw'))).to.equal('single@example.org');
      expect(await outcome(contextOf(accounts), plain('single', 'guess'))).to.equal('not-authorized');
    }
  });

  it('answers and works the same for an unknown account as for a wrong password', async () => {
    accounts.rows.set('disabled@example.org', { scram: {} });
    const wrong = await costOf(plain('romeo', 'guess'));
    expect(wrong.derivations).to.equal(1);
    expect(await costOf(plain('nobody', 'guess'))).to.deep.equal(wrong);
    expect(await costOf(plain('disabled', 'guess'))).to.deep.equal(wrong);
  });

  async function costOf(message: Buffer) {
    let derivations = 0;
    const hook = createHook({ init: (_id, type) => void (type === 'PBKDF2REQUEST' && derivations++) }).enable();
    const failure = await failureOf(() => startExchange('PLAIN', contextOf(accounts)).step(message));
    hook.disable();
    return { derivations, condition: failure.condition, text: failure.text };
  }

  it('says that it is busy when too many wait', async () => {
    const pbkdf2 = new Pbkdf2Queue({ concurrency: 1, maxWaiting: 1 });
    const context = contextOf(accounts, { pbkdf2 });
    const attempts = [1, 2, 3].map(() => outcome(context, plain('romeo', password)));
    expect(await Promise.all(attempts)).to.deep.equal([
      'romeo@example.org',
      'romeo@example.org',
      'temporary-auth-failure',
    ]);
    expect(await outcome(context, plain('romeo', password))).to.equal('romeo@example.org');
  });

  it('does not hide a fault of the storage', async () => {
    const broken = {
      ...accounts,
      credentials: async () => Promise.reject(new Error('disk')),
      credentialsVersion: () => 0,
      setCredentials: async () => {},
    };
    const context = contextOf(accounts, {
      credentials: new StoredCredentials(broken, Buffer.alloc(32), { scramIterations: iterations }),
    });
    const message = await outcome(context, plain('romeo', password)).catch((error: Error) => error.message);
    expect(message).to.equal('disk');
  });

  it('never authenticates anything but the right message', async () => {
    const known = plain('romeo', password);
    const noise = fc.uint8Array({ minLength: 1, maxLength: 3 }).map((piece) => Buffer.from(piece));
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: known.length }), fc.nat({ max: 3 }), noise, async (at, removed, added) => {
        const message = Buffer.concat([known.subarray(0, at), added, known.subarray(at + removed)]);
        const result = await outcome(contextOf(accounts), message);
        const allowed = /^\0romeo\0Wherefore art thou$/i.test(message.toString()) ? ['romeo@example.org'] : [];
        expect(result).to.be.oneOf([...allowed, 'malformed-request', 'not-authorized', 'invalid-authzid']);
      }),
      { numRuns: 200 },
    );
  });
});

describe('PLAIN for an account imported with a bcrypt hash', () => {
  let accounts: MemoryAccounts;
  /** Of "U*U", from the tests of OpenBSD's implementation. */
  const published = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
  const row = 'old@example.org';

  beforeEach(() => {
    accounts = new MemoryAccounts();
    accounts.rows.set(row, { scram: {}, bcrypt: published });
  });

  it('refuses a wrong password and keeps the hash', async () => {
    expect(await outcome(contextOf(accounts), plain('old', 'U*V'))).to.equal('not-authorized');
    expect(accounts.rows.get(row)).to.deep.equal({ scram: {}, bcrypt: published });
  });

  it('verifies, then replaces the hash by keys for every SCRAM mechanism', async () => {
    expect(await outcome(contextOf(accounts), plain('old', 'U*U'))).to.equal(row);
    expect(accounts.rows.get(row)?.bcrypt).to.equal(undefined);
    for (const mechanism of ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512']) {
      const exchange = startExchange(mechanism, contextOf(accounts));
      const client = new ScramClient({ mechanism, username: 'old', password: 'U*U' });
      const final = client.final(challengeOf(await exchange.step(client.first())));
      expect((await exchange.step(final)).kind).to.equal('success');
    }
    expect(await outcome(contextOf(accounts), plain('old', 'U*U'))).to.equal(row);
  });

  it('does not undo a change of the password made meanwhile', async () => {
    const rows = new ChangedWhileReading(accounts);
    const credentials = new StoredCredentials(rows, Buffer.alloc(32), { scramIterations: iterations });
    expect(await outcome(contextOf(accounts, { credentials }), plain('old', 'U*U'))).to.equal('not-authorized');
    expect(rows.written).to.equal(0);
  });

  it('lets in, but does not convert, a password longer than bcrypt looks at or unfit for SCRAM', async () => {
    for (const password of ['x'.repeat(80), 'unassigned in Unicode 3.2: \u{1F600}']) {
      const bcrypt = await bcryptHash(password, 4);
      accounts.rows.set(row, { scram: {}, bcrypt });
      expect(await outcome(contextOf(accounts), plain('old', password))).to.equal(row);
      expect(accounts.rows.get(row)).to.deep.equal({ scram: {}, bcrypt });
    }
  });
});

/** Accounts whose password is another one at the second look. */
class ChangedWhileReading {
  written = 0;
  #reads = 0;
  readonly #accounts: MemoryAccounts;

  constructor(accounts: MemoryAccounts) {
    this.#accounts = accounts;
  }

  async credentials(jid: string): Promise<AccountCredentials | undefined> {
    this.#reads += 1;
    return this.#reads === 1 ? this.#accounts.credentials(jid) : { scram: {}, passwordVersion: 1 };
  }

  credentialsVersion(): number {
    return this.#accounts.credentialsVersion();
  }

  async setCredentials(): Promise<void> {
    this.written += 1;
  }
}
