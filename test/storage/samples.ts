import { randomBytes } from 'node:crypto';
import type { Credentials } from '../../src/storage/accounts.ts';
import type { NewOfflineMessage, OfflineQuota } from '../../src/storage/offline.ts';
import type { NewRosterItem } from '../../src/storage/rosters.ts';

/** Room for everything a test appends. */
export const ampleQuota: OfflineQuota = { maxMessages: 1_000_000, maxBytes: 1_000_000_000 };

/** Credentials of every kind. */
export function sampleCredentials(): Credentials {
  const keys = (length: number) => ({
    salt: randomBytes(16),
    iterations: 4096,
    storedKey: randomBytes(length),
    serverKey: randomBytes(length),
  });
  return {
    scram: { 'SHA-1': keys(20), 'SHA-256': keys(32), 'SHA-512': keys(64) },
    bcrypt: '$2b$10$abcdefghijklmnopqrstuv',
  };
}

/** A message whose bytes are a view into a larger buffer, as they are when they come from a socket. */
export function sampleMessage(text: string, receivedAtMs = 1_700_000_000_000): NewOfflineMessage {
  const bytes = Buffer.from(`....${text}....`).subarray(4, -4);
  return { from: 'romeo@montague.example/orchard', receivedAtMs, bytes };
}

/** A contact that is shown to clients. */
export function sampleItem(contact: string, changes: Partial<NewRosterItem> = {}): NewRosterItem {
  const item = { contact, name: '', groups: [], subscription: 'none', ask: false, approved: false } as const;
  return { ...item, inRoster: true, ...changes };
}
