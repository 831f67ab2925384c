import { randomBytes } from 'node:crypto';
import type { SecretStore } from '../../secrets.ts';
import { asBuffer } from '../bytes.ts';
import { defineFamily } from '../family.ts';

/** The random keys of this installation. */
export const secrets = defineFamily({
  name: 'secrets',
  prepare: (db) => {
    const find = db.prepare<[string], Uint8Array>('SELECT value FROM secrets WHERE name = ?').pluck();
    const put = db.prepare<[string, Uint8Array]>('INSERT INTO secrets (name, value) VALUES (?, ?)');
    const make = (name: string): Uint8Array => {
      const value = randomBytes(32);
      put.run(name, value);
      return value;
    };
    return { reads: {}, writes: { get: (name: string): Uint8Array => find.get(name) ?? make(name) } };
  },
  // A server that cannot make its keys cannot start.
  adds: [],
  store: ({ run }): SecretStore => ({ get: async (name) => asBuffer(await run('get', name)) }),
});
