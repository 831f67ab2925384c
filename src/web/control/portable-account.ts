import { z } from 'zod';
import type { Credentials, LastSeen, ScramHash, ScramKeys } from '../../storage/accounts.ts';
import type { Suspension } from '../../storage/moderation.ts';
import type { KeptRules } from '../../storage/offline.ts';
import type { Subscription } from '../../storage/rosters.ts';

/** SCRAM keys in base64 (XEP-0227 §4.3). */
export interface PortableScramKeys {
  readonly salt: string;
  readonly iterations: number;
  readonly storedKey: string;
  readonly serverKey: string;
}

/** The SCRAM keys among credentials. */
export function portableKeys({ scram }: Credentials): Partial<Record<ScramHash, PortableScramKeys>> {
  const entries = Object.entries(scram).map(([hash, keys]) => [hash, inBase64(keys)]);
  return Object.fromEntries(entries);
}

function inBase64({ salt, iterations, storedKey, serverKey }: ScramKeys): PortableScramKeys {
  return {
    salt: salt.toString('base64'),
    iterations,
    storedKey: storedKey.toString('base64'),
    serverKey: serverKey.toString('base64'),
  };
}

/** A contact of an account. */
export interface PortableContact {
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

/** An offline message of an account. */
export interface PortableMessage {
  readonly from: string;
  readonly receivedAtMs: number;
  readonly xml: string;
  /** Its rules about time (XEP-0079). */
  readonly kept?: KeptRules | undefined;
}

/** A node of an account (XEP-0163). */
export interface PortableNode {
  readonly name: string;
  /** Its configuration (`NodeConfig`), as JSON. */
  readonly config: string;
  /** Payloads are XML; oldest first. */
  readonly items: readonly { readonly id: string; readonly payload: string }[];
  readonly subscribers: readonly string[];
}

/** An archived message (XEP-0227 §4.11), as it travels between programs. */
export interface PortableArchivedMessage {
  /** As clients see it. */
  readonly id?: string | undefined;
  readonly atMs: number;
  /** The bare JID that the owner has exchanged it with. */
  readonly peer: string;
  readonly xml: string;
}

/** An account with all that belongs to it except its archive, as it travels between programs. */
export interface PortableAccount {
  readonly jid: string;
  readonly scram?: Readonly<Partial<Record<ScramHash, PortableScramKeys>>> | undefined;
  readonly bcrypt?: string | undefined;
  readonly contacts?: readonly PortableContact[] | undefined;
  readonly privateXml?: readonly { readonly name: string; readonly ns: string; readonly xml: string }[] | undefined;
  readonly vcard?: string | undefined;
  readonly blocked?: readonly string[] | undefined;
  /** Offline messages, oldest first. */
  readonly messages?: readonly PortableMessage[] | undefined;
  readonly nodes?: readonly PortableNode[] | undefined;
  /** The preferences of its archive (XEP-0441), as the archive stores them. */
  readonly archivePreferences?: string | undefined;
  readonly forwardTo?: string | undefined;
  readonly lastSeen?: LastSeen | undefined;
  readonly suspension?: Omit<Suspension, 'jid'> | undefined;
  /** The number of an archive that has been sent before. Only for an import. */
  readonly archive?: number | undefined;
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

const messageSchema = z.strictObject({
  from: z.string(),
  receivedAtMs: z.int(),
  xml: text,
  kept: z.strictObject({ rules: text, dueAtMs: z.int() }).optional(),
});

const nodeSchema = z.strictObject({
  name: text,
  config: text,
  items: z.array(z.strictObject({ id: z.string(), payload: z.string() })),
  subscribers: z.array(text),
});

/** The schema of an archived message that is imported. */
export const portableArchivedMessageSchema: z.ZodType<PortableArchivedMessage> = z.strictObject({
  id: text.optional(),
  atMs: z.int(),
  peer: text,
  xml: text,
});

/** The schema of an account that is imported. */
export const portableAccountSchema: z.ZodType<PortableAccount> = z.strictObject({
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
  messages: z.array(messageSchema).optional(),
  nodes: z.array(nodeSchema).optional(),
  archivePreferences: text.optional(),
  forwardTo: text.optional(),
  lastSeen: z.strictObject({ atMs: z.int(), status: z.string() }).optional(),
  suspension: z.strictObject({ atMs: z.int(), reason: text.optional(), removeAtMs: z.int().optional() }).optional(),
  archive: z.int().optional(),
});
