import { expect } from 'chai';
import type { SaslContext, SaslStep } from '../../../../src/c2s/negotiation/sasl/mechanism.ts';
import { mechanismNames, startExchange } from '../../../../src/c2s/negotiation/sasl/mechanisms.ts';
import { ScramExchange } from '../../../../src/c2s/negotiation/sasl/scram.ts';
import { deriveKeys } from '../../../../src/c2s/negotiation/sasl/scram-keys.ts';
import type { ScramHash, ScramKeys } from '../../../../src/storage/accounts.ts';
import { ScramClient, type ScramClientOptions } from '../../../support/scram-client.ts';
import {
  bytes,
  challengeOf,
  contextOf,
  domain,
  endPointBytes,
  exporterBytes,
  failureOf,
  MemoryAccounts,
  unboundOffer,
  uniqueBytes,
} from './fixture.ts';

interface Vector {
  readonly source: string;
  readonly hash: ScramHash;
  readonly salt: string;
  readonly nonce: string;
  readonly messages: readonly [string, string, string, string];
  readonly context?: Partial<SaslContext>;
  readonly announces?: true;
}

/** The SHA-512 examples have no RFC; they were computed with Python's hashlib and hmac. */
const vectors: Vector[] = [
  {
    source: 'RFC 5802 §5',
    hash: 'SHA-1',
    salt: 'QSXCR+Q6sek8bf92',
    nonce: '3rfcNHYJY1ZVvWVs7j',
    messages: [
      'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
      'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
      'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
      'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
    ],
  },
  {
    source: 'RFC 7677 §3',
    hash: 'SHA-256',
    salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
    nonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    messages: [
      'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
      'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    ],
  },
  {
    source: 'SHA-512, computed elsewhere',
    hash: 'SHA-512',
    salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
    nonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    messages: [
      'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==',
      'v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==',
    ],
  },
  {
    source: 'SHA-512-PLUS, computed elsewhere',
    hash: 'SHA-512',
    salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
    nonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    context: {
      channelBindings: [
        { type: 'tls-exporter', advertised: true, data: () => Buffer.from(Array.from({ length: 32 }, (_, i) => i)) },
      ],
    },
    messages: [
      'p=tls-exporter,,n=user,r=rOprNGfwEbeRWgbNEkqO',
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
      'c=cD10bHMtZXhwb3J0ZXIsLAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=jVaGV/PIJ7hgkpxV9a1jdpzyYkHQH9gW6fn3DbAL2oEA+5w4CCSJjoq8G37bn2FsGaVEMsk4kiHRqMUoN/aiiA==',
      'v=bTvxua5nsJsvSd2bk+1WbSe84MBgjkACQPOqiN7MhTBLYxVX2QUqwET2NLcZEv2CfexR6NbAMluKltOEs5vLYw==',
    ],
  },
  {
    source: 'XEP-0474 §6.3, an unknown x= attribute included',
    hash: 'SHA-1',
    salt: 'QSXCR+Q6sek8bf92',
    nonce: 'a09117a6-ac50-4f2f-93f1-93799c2bddf6',
    announces: true,
    context: {
      offered: ['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS'],
      channelBindings: [
        { type: 'tls-server-end-point', advertised: true, data: () => Buffer.alloc(32) },
        { type: 'tls-exporter', advertised: true, data: () => bytes('THIS IS FAKE CB DATA') },
      ],
    },
    messages: [
      'p=tls-exporter,,n=user,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6',
      'r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,s=QSXCR+Q6sek8bf92,i=4096,h=G6k/rBLDqgOhRRaCuuatSDFkJ08=',
      'c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,x=19C6532F-1CF4-4A27-A18D-DC9CEA41BBB3,p=M/SIDjT+dfcxUh89jZEypRvFxB4=',
      'v=MQrMPvv7yv4x4Cq4W4Ih25EqS2c=',
    ],
  },
];

async function accountWithSalt(vector: Vector): Promise<MemoryAccounts> {
  const accounts = new MemoryAccounts();
  const keys = await deriveKeys('pencil', vector.hash, Buffer.from(vector.salt, 'base64'), 4096);
  accounts.rows.set(`user@${domain}`, { scram: { [vector.hash]: keys } });
  return accounts;
}

describe('SCRAM against published examples', () => {
  for (const vector of vectors) {
    it(vector.source, async () => {
      const [clientFirst, serverFirst, clientFinal, serverFinal] = vector.messages;
      const exchange = new ScramExchange(contextOf(await accountWithSalt(vector), vector.context), {
        hash: vector.hash,
        plus: clientFirst.startsWith('p='),
        nonce: vector.nonce,
        downgradeProtection: vector.announces ?? false,
      });
      expect(challengeOf(await exchange.step(bytes(clientFirst))).toString()).to.equal(serverFirst);
      const success = await exchange.step(bytes(clientFinal));
      expect(success.kind === 'success' && success.data?.toString()).to.equal(serverFinal);
      expect(success.kind === 'success' && success.identity.toString()).to.equal('user@example.org');
    });
  }
});

/** A whole login, verified by the client too. */
async function logIn(context: SaslContext, options: ScramClientOptions): Promise<SaslStep> {
  const exchange = startExchange(options.mechanism, context);
  const client = new ScramClient(options);
  const success = await exchange.step(client.final(challengeOf(await exchange.step(client.first()))));
  client.verify(success.kind === 'success' ? success.data : undefined);
  return success;
}

describe('SCRAM', () => {
  const accounts = new MemoryAccounts();
  const user = { username: 'romeo', password: 'Wherefore art thou' };
  const announced = { mechanisms: mechanismNames, channelBindings: ['tls-exporter', 'tls-server-end-point'] };
  const exporter = { type: 'tls-exporter', data: exporterBytes };
  const endPoint = { type: 'tls-server-end-point', data: endPointBytes };
  const unique = { type: 'tls-unique', data: uniqueBytes };

  before(() => accounts.add('romeo', user.password));

  for (const mechanism of mechanismNames.filter((name) => name.startsWith('SCRAM-'))) {
    const bindings = mechanism.endsWith('-PLUS') ? [exporter, endPoint, unique] : [undefined];
    for (const channelBinding of bindings) {
      it(`${mechanism} ${channelBinding?.type ?? ''} authenticates who knows the password, and nobody else`, async () => {
        const options = { mechanism, ...user, announced, ...(channelBinding ? { channelBinding } : {}) };
        const success = await logIn(contextOf(accounts), options);
        expect(success.kind === 'success' && success.identity.toString()).to.equal('romeo@example.org');
        const failure = await failureOf(() => logIn(contextOf(accounts), { ...options, password: 'guess' }));
        expect(failure.condition).to.equal('not-authorized');
      });
    }
  }

  it('accepts the flag y where -PLUS was not offered', async () => {
    const context = contextOf(accounts, unboundOffer);
    const success = await logIn(context, { mechanism: 'SCRAM-SHA-256', ...user, flag: 'y' });
    expect(success.kind).to.equal('success');
  });

  it('accepts the own bare JID as authzid, in any case', async () => {
    const options = { mechanism: 'SCRAM-SHA-1', ...user, authzid: 'Romeo@EXAMPLE.org' };
    expect((await logIn(contextOf(accounts), options)).kind).to.equal('success');
  });

  it('prepares the name before looking it up', async () => {
    const options = { mechanism: 'SCRAM-SHA-1', password: user.password, username: 'Ro\u00ADm\u00ADEO' };
    const success = await logIn(contextOf(accounts), options);
    expect(success.kind === 'success' && success.identity.toString()).to.equal('romeo@example.org');
  });

  it('decodes =2C and =3D in names', async () => {
    await accounts.add('a=b,c', 'pw');
    const options = { mechanism: 'SCRAM-SHA-1', username: 'a=b,c', password: 'pw', authzid: 'a=b,c@example.org' };
    expect((await logIn(contextOf(accounts), options)).kind).to.equal('success');
  });

  it('gives every exchange its own nonce of at least 128 bits', async () => {
    const nonces = new Set<string>();
    for (let round = 0; round < 50; round++) {
      const step = await startExchange('SCRAM-SHA-1', contextOf(accounts)).step(bytes('n,,n=romeo,r=abc'));
      nonces.add(/^r=abc([^,]+),/.exec(challengeOf(step).toString())?.[1] ?? '');
    }
    expect(nonces.size).to.equal(50);
    for (const nonce of nonces) expect(Buffer.from(nonce, 'base64').length).to.be.at.least(16);
  });

  it('lets the client notice that mechanisms or channel bindings were taken away (XEP-0474)', async () => {
    const context = contextOf(accounts);
    for (const tampered of [
      { ...announced, mechanisms: mechanismNames.filter((name) => !name.endsWith('-PLUS')) },
      { ...announced, channelBindings: [] },
      { ...announced, channelBindings: [...announced.channelBindings, 'tls-unique'] },
    ]) {
      const client = new ScramClient({ mechanism: 'SCRAM-SHA-1', ...user, announced: tampered });
      const challenge = challengeOf(await startExchange('SCRAM-SHA-1', context).step(client.first()));
      expect(() => client.final(challenge)).to.throw('tampered');
    }
  });

  it('leaves channel bindings out of the hash where none were announced', async () => {
    const untold = [{ type: 'tls-unique', advertised: false, data: () => uniqueBytes }] as const;
    const mechanisms = unboundOffer.offered ?? [];
    const options = { mechanism: 'SCRAM-SHA-512', ...user, announced: { mechanisms, channelBindings: [] } };
    for (const channelBindings of [[], untold]) {
      const context = contextOf(accounts, { ...unboundOffer, channelBindings });
      expect((await logIn(context, options)).kind).to.equal('success');
    }
  });

  it('does not accept the old password once it was changed between the two messages', async () => {
    await accounts.add('juliet', 'old');
    const exchange = startExchange('SCRAM-SHA-1', contextOf(accounts));
    const client = new ScramClient({ mechanism: 'SCRAM-SHA-1', username: 'juliet', password: 'old' });
    const final = client.final(challengeOf(await exchange.step(client.first())));
    await accounts.add('juliet', 'new');
    expect((await failureOf(() => exchange.step(final))).condition).to.equal('not-authorized');
  });

  it('does not accept a proof for an account removed between the two messages', async () => {
    await accounts.add('tybalt', 'pw');
    const exchange = startExchange('SCRAM-SHA-1', contextOf(accounts));
    const client = new ScramClient({ mechanism: 'SCRAM-SHA-1', username: 'tybalt', password: 'pw' });
    const final = client.final(challengeOf(await exchange.step(client.first())));
    accounts.remove('tybalt');
    expect((await failureOf(() => exchange.step(final))).condition).to.equal('not-authorized');
  });
});

describe('SCRAM for accounts that cannot log in', () => {
  const accounts = new MemoryAccounts();
  const noKeys: ScramKeys = {
    salt: Buffer.alloc(16),
    iterations: 16,
    storedKey: Buffer.alloc(0),
    serverKey: Buffer.alloc(0),
  };

  before(async () => {
    await accounts.add('romeo', 'pw');
    accounts.rows.set('imported@example.org', { scram: {}, bcrypt: '$2b$04$'.padEnd(60, 'x') });
    accounts.rows.set('disabled@example.org', { scram: {} });
    accounts.rows.set('emptied@example.org', { scram: { 'SHA-1': noKeys } });
  });

  async function watch(username: string, mechanism = 'SCRAM-SHA-1') {
    const exchange = startExchange(mechanism, contextOf(accounts));
    const client = new ScramClient({ mechanism, username, password: 'guess', nonce: 'fixed' });
    const challenge = challengeOf(await exchange.step(client.first()));
    const failure = await failureOf(() => exchange.step(client.final(challenge)));
    const [, salt, iterations] = challenge.toString().split(',');
    const shape = challenge
      .toString()
      .replace(/^r=[^,]*/, (nonce) => `r=${nonce.length}`)
      .replace(salt ?? '', `${salt?.length}`);
    return { salt, iterations, shape, wire: [failure.condition, failure.text] };
  }

  for (const name of ['nobody', 'imported', 'disabled']) {
    it(`cannot tell ${name} from a wrong password`, async () => {
      const real = await watch('romeo');
      const other = await watch(name);
      expect(other.shape).to.equal(real.shape);
      expect(other.wire).to.deep.equal(real.wire);
    });

    it(`shows ${name} the same salt every time, however the name is written`, async () => {
      const salts = [await watch(name), await watch(name), await watch(name.toUpperCase())].map(({ salt }) => salt);
      expect(new Set(salts).size).to.equal(1);
    });
  }

  it('shows different salts for different names, domains and hashes, as real accounts have', async () => {
    const salts = [await watch('nobody'), await watch('noone'), await watch('nobody', 'SCRAM-SHA-256')];
    const elsewhere = startExchange('SCRAM-SHA-1', contextOf(accounts, { domain: 'example.net' }));
    const other = challengeOf(await elsewhere.step(bytes('n,,n=nobody,r=x')))
      .toString()
      .split(',')[1];
    expect(new Set([...salts.map(({ salt }) => salt), other]).size).to.equal(4);
  });

  it('accepts no proof at all against empty keys', async () => {
    const exchange = startExchange('SCRAM-SHA-1', contextOf(accounts));
    const client = new ScramClient({ mechanism: 'SCRAM-SHA-1', username: 'emptied', password: '' });
    const final = client.final(challengeOf(await exchange.step(client.first())));
    expect((await failureOf(() => exchange.step(final))).condition).to.equal('not-authorized');
  });
});
