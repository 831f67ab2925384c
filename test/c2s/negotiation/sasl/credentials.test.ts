import { expect } from 'chai';
import { deriveCredentials, PasswordError } from '../../../../src/c2s/negotiation/sasl/credentials.ts';
import { deriveKeys } from '../../../../src/c2s/negotiation/sasl/scram-keys.ts';

const hashes = ['SHA-1', 'SHA-256', 'SHA-512'] as const;

describe('deriveCredentials', () => {
  it('makes keys of every hash, each with its own random 16-byte salt', async () => {
    const sets = [await deriveCredentials('pencil', 16), await deriveCredentials('pencil', 16)];
    const salts = new Set<string>();
    for (const { scram, bcrypt } of sets) {
      expect(bcrypt).to.equal(undefined);
      for (const hash of hashes) {
        const keys = scram[hash];
        expect(keys?.salt.length).to.equal(16);
        expect(keys?.iterations).to.equal(16);
        expect(keys).to.deep.equal(await deriveKeys('pencil', hash, keys?.salt ?? Buffer.alloc(0), 16));
        salts.add(String(keys?.salt.toString('hex')));
      }
    }
    expect(salts.size).to.equal(6);
  });

  it('prepares the password (RFC 4013)', async () => {
    const { scram } = await deriveCredentials('I\u00ADX\u00A0\u2168', 16);
    const salt = scram['SHA-256']?.salt ?? Buffer.alloc(0);
    expect(scram['SHA-256']).to.deep.equal(await deriveKeys('IX IX', 'SHA-256', salt, 16));
  });

  const bad: [why: string, password: string][] = [
    ['empty', ''],
    ['empty once prepared', '\u00AD'],
    ['with a control character', 'bell\u0007'],
    ['with a NUL', 'a\0b'],
    ['with characters unassigned in Unicode 3.2', '\u{1F600}'],
    ['with half a surrogate pair', 'a\uD800'],
    ['mixing directions', '\u06271'],
    ['too long', 'x'.repeat(1025)],
  ];
  for (const [why, password] of bad) {
    it(`refuses a password ${why}`, async () => {
      const error = await deriveCredentials(password, 16).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(PasswordError);
      if (password !== '') expect(String(error)).to.not.include(password);
    });
  }
});
