import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import type { SaslContext } from '../../../../src/c2s/negotiation/sasl/mechanism.ts';
import { mechanismNames, startExchange } from '../../../../src/c2s/negotiation/sasl/mechanisms.ts';
import { type SaslCondition, SaslFailure } from '../../../../src/protocol/sasl-failure.ts';
import { ScramClient } from '../../../support/scram-client.ts';
import {
  bytes,
  challengeOf,
  contextOf,
  endPointBytes,
  expectFailure,
  exporterBytes,
  failureOf,
  MemoryAccounts,
  unboundOffer,
  uniqueBytes,
} from './fixture.ts';

const scramNames = mechanismNames.filter((name) => name.startsWith('SCRAM-'));

function clientFor(mechanism: string, changes: { authzid?: string; username?: string } = {}): ScramClient {
  const binding = { channelBinding: { type: 'tls-exporter', data: exporterBytes } };
  const plus = mechanism.endsWith('-PLUS') ? binding : {};
  return new ScramClient({ mechanism, username: 'mallory', password: 'mine', ...plus, ...changes });
}

describe('SCRAM under attack', () => {
  const accounts = new MemoryAccounts();

  before(async () => {
    await accounts.add('mallory', 'mine');
    await accounts.add('victim', 'theirs');
  });

  for (const mechanism of scramNames) {
    it(`${mechanism} lets nobody act for another`, async () => {
      for (const authzid of [
        'victim',
        'victim@example.org',
        'mallory@example.net',
        'mallory',
        'mallory@example.org/phone',
        'example.org',
        'VICTIM@EXAMPLE.ORG',
        '@',
        ' ',
      ]) {
        const first = clientFor(mechanism, { authzid }).first();
        await expectFailure(startExchange(mechanism, contextOf(accounts)), first, 'invalid-authzid');
      }
      const trailingNul = clientFor(mechanism, { authzid: 'mallory@example.org\0' }).first();
      await expectFailure(startExchange(mechanism, contextOf(accounts)), trailingNul, 'malformed-request');
    });
  }

  const firstMessages: [why: string, message: string | Buffer, condition: SaslCondition][] = [
    ['nothing', '', 'malformed-request'],
    ['NULs', '\0\0\0', 'malformed-request'],
    ['a NUL in the name', 'n,,n=mal\0lory,r=abc', 'malformed-request'],
    ['invalid UTF-8', Buffer.from([...bytes('n,,n=mal'), 0xff, ...bytes(',r=abc')]), 'malformed-request'],
    ['a huge message', `n,,n=mallory,r=${'x'.repeat(9000)}`, 'malformed-request'],
    ['a byte order mark', '\uFEFFn,,n=mallory,r=abc', 'malformed-request'],
    ['no GS2 header', 'n=mallory,r=abc', 'malformed-request'],
    ['an unknown flag', 'x,,n=mallory,r=abc', 'malformed-request'],
    ['a flag in upper case', 'N,,n=mallory,r=abc', 'malformed-request'],
    ['F, the non-standard flag', 'F,n,,n=mallory,r=abc', 'malformed-request'],
    ['an empty authzid attribute', 'n,a=,n=mallory,r=abc', 'malformed-request'],
    ['an authzid without its letter', 'n,mallory,n=mallory,r=abc', 'malformed-request'],
    ['the mandatory extension m=', 'n,,m=ext,n=mallory,r=abc', 'malformed-request'],
    ['m= after the nonce', 'n,,n=mallory,r=abc,m=ext', 'malformed-request'],
    ['reordered attributes', 'n,,r=abc,n=mallory', 'malformed-request'],
    ['the name twice', 'n,,n=mallory,n=victim,r=abc', 'malformed-request'],
    ['a second name after the nonce', 'n,,n=mallory,r=abc,n=victim', 'malformed-request'],
    ['a second nonce', 'n,,n=mallory,r=abc,r=def', 'malformed-request'],
    ['a proof too early', 'n,,n=mallory,r=abc,p=AAAA', 'malformed-request'],
    ['no nonce', 'n,,n=mallory', 'malformed-request'],
    ['an empty nonce', 'n,,n=mallory,r=', 'malformed-request'],
    ['a space in the nonce', 'n,,n=mallory,r=a c', 'malformed-request'],
    ['a trailing comma', 'n,,n=mallory,r=abc,', 'malformed-request'],
    ['an extension without a value', 'n,,n=mallory,r=abc,x=', 'malformed-request'],
    ['a trailing line feed', 'n,,n=mallory,r=abc\n', 'malformed-request'],
    ['an empty name', 'n,,n=,r=abc', 'malformed-request'],
    ['a bare = in the name', 'n,,n=mal=lory,r=abc', 'malformed-request'],
    ['a lower-case escape', 'n,,n=mal=2clory,r=abc', 'malformed-request'],
    ['another escape', 'n,,n=mal=00lory,r=abc', 'malformed-request'],
    ['a name of nothing but soft hyphens', 'n,,n=\u00AD,r=abc', 'not-authorized'],
    ['a name with a control character', 'n,,n=mal\u0007lory,r=abc', 'not-authorized'],
    ['a JID as name', 'n,,n=mallory@example.org,r=abc', 'not-authorized'],
    ['y although -PLUS was offered', 'y,,n=mallory,r=abc', 'not-authorized'],
    ['p= without -PLUS', 'p=tls-exporter,,n=mallory,r=abc', 'malformed-request'],
  ];
  for (const [why, message, condition] of firstMessages) {
    it(`refuses ${why} in the first message`, async () => {
      await expectFailure(startExchange('SCRAM-SHA-256', contextOf(accounts)), Buffer.from(message), condition);
    });
  }

  const plusMessages: [why: string, message: string, condition: SaslCondition][] = [
    ['n', 'n,,n=mallory,r=abc', 'malformed-request'],
    ['y', 'y,,n=mallory,r=abc', 'malformed-request'],
    ['a type it does not have', 'p=tls-unique-for-telnet,,n=mallory,r=abc', 'not-authorized'],
    ['a type in another case', 'p=TLS-exporter,,n=mallory,r=abc', 'not-authorized'],
    ['a name from Object.prototype', 'p=constructor,,n=mallory,r=abc', 'not-authorized'],
    ['an empty type', 'p=,,n=mallory,r=abc', 'malformed-request'],
    ['no type', 'p,,n=mallory,r=abc', 'malformed-request'],
  ];
  for (const [why, message, condition] of plusMessages) {
    it(`refuses ${why} as channel binding of a -PLUS mechanism`, async () => {
      await expectFailure(startExchange('SCRAM-SHA-256-PLUS', contextOf(accounts)), bytes(message), condition);
    });
  }

  it('refuses y even when only another hash was offered with -PLUS', async () => {
    const context = contextOf(accounts, { offered: ['SCRAM-SHA-1', 'SCRAM-SHA-256-PLUS'] });
    await expectFailure(startExchange('SCRAM-SHA-1', context), bytes('y,,n=mallory,r=abc'), 'not-authorized');
  });

  it('refuses a client that is bound to another channel', async () => {
    for (const channelBinding of [
      { type: 'tls-exporter', data: Buffer.from('what the man in the middle knows') },
      { type: 'tls-exporter', data: endPointBytes },
      { type: 'tls-exporter', data: Buffer.alloc(0) },
      { type: 'tls-server-end-point', data: exporterBytes },
      { type: 'tls-unique', data: Buffer.from('how another handshake ended') },
      { type: 'tls-unique', data: exporterBytes },
      { type: 'tls-unique', data: Buffer.alloc(0) },
      { type: 'tls-exporter', data: uniqueBytes },
    ]) {
      const mechanism = 'SCRAM-SHA-1-PLUS';
      const client = new ScramClient({ mechanism, username: 'mallory', password: 'mine', channelBinding });
      const exchange = startExchange(mechanism, contextOf(accounts));
      const final = client.final(challengeOf(await exchange.step(client.first())));
      await expectFailure(exchange, final, 'not-authorized');
    }
  });

  // The proof is right in all of these: only c= tells.
  it('refuses a final message that binds to another GS2 header than the first', async () => {
    const context = contextOf(accounts, unboundOffer);
    const pairs: [begun: string, signed: string][] = [
      ['n,,', 'y,,'],
      ['y,,', 'n,,'],
      ['n,,', 'p=tls-exporter,,'],
      ['n,,', 'n,a=mallory@example.org,'],
      ['n,a=mallory@example.org,', 'n,,'],
    ];
    for (const [begun, signed] of pairs) {
      const exchange = startExchange('SCRAM-SHA-1', context);
      const challenge = challengeOf(await exchange.step(bytes(`${begun}n=mallory,r=fixed`)));
      const final = clientSigning(signed).final(challenge);
      await expectFailure(exchange, final, 'not-authorized');
    }
  });

  const finalChanges: [why: string, change: (final: string) => string, condition: SaslCondition][] = [
    ['the proof before the nonce', (f) => f.replace(/(,r=.*)(,p=.*)/, '$2$1'), 'malformed-request'],
    ['the nonce before c=', (f) => f.replace(/^(c=[^,]*),(r=[^,]*)/, '$2,$1'), 'malformed-request'],
    ['no c=', (f) => f.replace(/^c=[^,]*,/, ''), 'malformed-request'],
    ['an empty c=', (f) => f.replace(/^c=[^,]*/, 'c='), 'malformed-request'],
    ['c= twice', (f) => f.replace(/^(c=[^,]*)/, '$1,$1'), 'malformed-request'],
    ['the client nonce alone', (f) => f.replace(/r=[^,]*/, 'r=fixed'), 'not-authorized'],
    ['a longer nonce', (f) => f.replace(/(r=[^,]*)/, '$1x'), 'not-authorized'],
    ['no proof', (f) => f.replace(/,p=.*/, ''), 'malformed-request'],
    ['an empty proof', (f) => f.replace(/,p=.*/, ',p='), 'malformed-request'],
    ['a short proof', (f) => f.replace(/,p=.*/, ',p=AAAA'), 'not-authorized'],
    ['a long proof', (f) => f.replace(/,p=.*/, `,p=${'AAAA'.repeat(200)}`), 'not-authorized'],
    ['a proof of zeros', (f) => f.replace(/,p=.*/, `,p=${Buffer.alloc(20).toString('base64')}`), 'not-authorized'],
    ['a proof that is not base64', (f) => f.replace(/,p=.*/, ',p=%%%!'), 'malformed-request'],
    ['a proof without padding', (f) => f.replace(/=+$/, ''), 'malformed-request'],
    ['something after the proof', (f) => `${f},x=y`, 'malformed-request'],
    ['a line feed after the proof', (f) => `${f}\n`, 'malformed-request'],
    ['m= before the proof', (f) => f.replace(',p=', ',m=x,p='), 'malformed-request'],
    ['an unsigned extension', (f) => f.replace(',p=', ',x=y,p='), 'not-authorized'],
    ['a NUL at the end', (f) => `${f}\0`, 'malformed-request'],
    ['nothing', () => '', 'malformed-request'],
    ['the first message again', () => 'n,,n=mallory,r=fixed', 'malformed-request'],
  ];
  for (const [why, change, condition] of finalChanges) {
    it(`refuses ${why} in the final message`, async () => {
      const exchange = startExchange('SCRAM-SHA-1', contextOf(accounts));
      const client = clientFor('SCRAM-SHA-1');
      const genuine = client.final(challengeOf(await exchange.step(client.first()))).toString();
      const changed = change(genuine);
      expect(changed).to.not.equal(genuine);
      await expectFailure(exchange, bytes(changed), condition);
    });
  }

  it('refuses a rightly signed final message with another nonce', async () => {
    const exchange = startExchange('SCRAM-SHA-1', contextOf(accounts));
    const serverFirst = challengeOf(await exchange.step(bytes('n,,n=mallory,r=fixed'))).toString();
    const withoutProof = 'c=biws,r=another';
    const proof = proofOf(serverFirst, `n=mallory,r=fixed,${serverFirst},${withoutProof}`);
    await expectFailure(exchange, bytes(`${withoutProof},p=${proof}`), 'not-authorized');
  });

  it('refuses the final message of another exchange', async () => {
    const client = clientFor('SCRAM-SHA-1');
    const recorded = startExchange('SCRAM-SHA-1', contextOf(accounts));
    const final = client.final(challengeOf(await recorded.step(client.first())));
    await recorded.step(final);
    const replayed = startExchange('SCRAM-SHA-1', contextOf(accounts));
    await replayed.step(client.first());
    await expectFailure(replayed, final, 'not-authorized');
  });

  it('refuses the final message first', async () => {
    const final = 'c=biws,r=fixed,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=';
    await expectFailure(startExchange('SCRAM-SHA-1', contextOf(accounts)), bytes(final), 'malformed-request');
  });

  it('is over after a failure and after a success', async () => {
    const exchange = startExchange('SCRAM-SHA-1', contextOf(accounts));
    const client = clientFor('SCRAM-SHA-1');
    const final = client.final(challengeOf(await exchange.step(client.first())));
    expect((await exchange.step(final)).kind).to.equal('success');
    await expectFailure(exchange, final, 'malformed-request');
    const failed = startExchange('SCRAM-SHA-1', contextOf(accounts));
    await expectFailure(failed, bytes('rubbish'), 'malformed-request');
    await expectFailure(failed, client.first(), 'malformed-request');
  });

  it('refuses a response that does not wait for its challenge', async () => {
    const exchange = startExchange('SCRAM-SHA-1', contextOf(accounts));
    const first = exchange.step(clientFor('SCRAM-SHA-1').first());
    await expectFailure(exchange, bytes('c=biws,r=fixed,p=AAAA'), 'malformed-request');
    expect((await first).kind).to.equal('challenge');
  });

  it('never authenticates a conversation that was changed on its way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...scramNames), fc.boolean(), mutation(), async (mechanism, inFirst, mutate) => {
        const outcome = await converse(mechanism, contextOf(accounts), inFirst, mutate);
        expect(outcome).to.be.oneOf(['unchanged', 'failed']);
      }),
      { numRuns: 400 },
    );
  });

  it('answers rubbish with a SASL failure', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...mechanismNames), fc.uint8Array({ maxLength: 200 }), async (name, noise) => {
        const failure = await failureOf(() => startExchange(name, contextOf(accounts)).step(Buffer.from(noise)));
        expect(failure).to.be.instanceOf(SaslFailure);
      }),
      { numRuns: 200 },
    );
  });
});

/** The SHA-1 proof of who knows the password, over any AuthMessage. */
function proofOf(serverFirst: string, authMessage: string): string {
  const [, salt = '', rounds = ''] = /,s=([^,]+),i=(\d+)/.exec(serverFirst) ?? [];
  const salted = pbkdf2Sync('mine', Buffer.from(salt, 'base64'), Number(rounds), 20, 'sha1');
  const clientKey = createHmac('sha1', salted).update('Client Key').digest();
  const storedKey = createHash('sha1').update(clientKey).digest();
  const signature = createHmac('sha1', storedKey).update(authMessage).digest();
  return Buffer.from(clientKey.map((byte, index) => byte ^ signature.readUInt8(index))).toString('base64');
}

type Mutate = (message: Buffer) => Buffer;

/** Overwrites, inserts, removes or moves some bytes. */
function mutation(): fc.Arbitrary<Mutate> {
  const position = fc.double({ min: 0, max: 1, noNaN: true });
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 4 }).map((noise) => Buffer.from(noise)),
    fc.constantFrom(',', '=', 'a=victim@example.org', 'n=victim', 'r=', 'm=x,', 'p=', 'y', '\0', '=2C').map(bytes),
  );
  return fc.tuple(position, fc.nat({ max: 3 }), piece).map(([where, removed, added]) => (message) => {
    const at = Math.floor(where * message.length);
    return Buffer.concat([message.subarray(0, at), added, message.subarray(at + removed)]);
  });
}

async function converse(mechanism: string, context: SaslContext, inFirst: boolean, mutate: Mutate): Promise<string> {
  const client = clientFor(mechanism);
  const exchange = startExchange(mechanism, context);
  const first = inFirst ? mutate(client.first()) : client.first();
  const changedFirst = !first.equals(client.first());
  try {
    const challenge = challengeOf(await exchange.step(first));
    const genuine = answer(client, challenge);
    const final = inFirst ? genuine : mutate(genuine);
    const step = await exchange.step(final);
    return changedFirst || !final.equals(genuine) ? step.kind : 'unchanged';
  } catch (error) {
    if (error instanceof SaslFailure) return 'failed';
    throw error;
  }
}

/** The client would notice that its nonce was changed; here it goes on regardless, to see whether the server does. */
function answer(client: ScramClient, challenge: Buffer): Buffer {
  try {
    return client.final(challenge);
  } catch {
    return bytes(`c=biws,${challenge.toString().split(',')[0]},p=AAAA`);
  }
}

/** A client that knows the password and signs this GS2 header, whatever it began with. */
function clientSigning(gs2Header: string): ScramClient {
  const authzid = /a=([^,]+)/.exec(gs2Header)?.[1];
  const bound = { channelBinding: { type: 'tls-exporter', data: Buffer.alloc(0) } };
  return new ScramClient({
    mechanism: gs2Header.startsWith('p=') ? 'SCRAM-SHA-1-PLUS' : 'SCRAM-SHA-1',
    username: 'mallory',
    password: 'mine',
    nonce: 'fixed',
    flag: gs2Header.startsWith('y') ? 'y' : 'n',
    ...(gs2Header.startsWith('p=') ? bound : {}),
    ...(authzid === undefined ? {} : { authzid }),
  });
}
