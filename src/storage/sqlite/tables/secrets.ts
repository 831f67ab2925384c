import { randomBytes } from 'node:crypto';
import type Database from 'better-sqlite3';

/** The operations on secrets. */
export function secretOperations(db: Database.Database) {
  const get = db.prepare<[string], Uint8Array>('SELECT value FROM secrets WHERE name = ?').pluck();
  const put = db.prepare<[string, Uint8Array]>('INSERT INTO secrets (name, value) VALUES (?, ?)');
  const make = (name: string): Uint8Array => {
    const value = randomBytes(32);
    put.run(name, value);
    return value;
  };
  return { writes: { 'secrets.get': (name: string): Uint8Array => get.get(name) ?? make(name) } };
}
