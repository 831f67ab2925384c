import { z } from 'zod';
import type { ScramHash } from '../../storage/accounts.ts';
import type { Subscription } from '../../storage/rosters.ts';

/** SCRAM keys in base64 (XEP-0227 §4.3). */
export interface PortableScramKeys {
  readonly salt: string;
  readonly iterations: number;
  readonly storedKey: string;
  readonly serverKey: string;
}

/** A contact of an imported account. */
export interface ImportedContact {
  readonly contact: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly subscription: Subscription;
  readonly ask: boolean;
  readonly approved: boolean;
  readonly inRoster: boolean;
  /** A pending subscription request, as a stanza. */
  readonly pendingIn?: string | undefined;
}

/** An offline message of an imported account. */
export interface ImportedMessage {
  readonly from: string;
  readonly receivedAtMs: number;
  readonly xml: string;
}

/** An imported account, as JSON. */
export interface ImportedUser {
  readonly jid: string;
  readonly scram?: Readonly<Partial<Record<ScramHash, PortableScramKeys>>> | undefined;
  readonly bcrypt?: string | undefined;
  readonly contacts?: readonly ImportedContact[] | undefined;
  readonly privateXml?: readonly { readonly name: string; readonly ns: string; readonly xml: string }[] | undefined;
  readonly vcard?: string | undefined;
  readonly blocked?: readonly string[] | undefined;
  /** Offline messages, oldest first. */
  readonly messages?: readonly ImportedMessage[] | undefined;
}

const text = z.string().min(1);

const scramKeysSchema = z.strictObject({
  salt: z.base64(),
  iterations: z.int().positive(),
  storedKey: z.base64(),
  serverKey: z.base64(),
});

const contactSchema = z.strictObject({
  contact: text,
  name: z.string(),
  groups: z.array(z.string()),
  subscription: z.enum(['none', 'to', 'from', 'both']),
  ask: z.boolean(),
  approved: z.boolean(),
  inRoster: z.boolean(),
  pendingIn: z.string().optional(),
});

/** The schema of an imported account. */
export const importedUserSchema: z.ZodType<ImportedUser> = z.strictObject({
  jid: text,
  scram: z
    .strictObject({
      'SHA-1': scramKeysSchema.exactOptional(),
      'SHA-256': scramKeysSchema.exactOptional(),
      'SHA-512': scramKeysSchema.exactOptional(),
    })
    .optional(),
  bcrypt: z
    .string()
    .regex(/^\$2[aby]\$/)
    .optional(),
  contacts: z.array(contactSchema).optional(),
  privateXml: z.array(z.strictObject({ name: text, ns: z.string(), xml: text })).optional(),
  vcard: text.optional(),
  blocked: z.array(text).optional(),
  messages: z.array(z.strictObject({ from: z.string(), receivedAtMs: z.int(), xml: text })).optional(),
});
