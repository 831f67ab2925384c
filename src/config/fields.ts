import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { Jid, prepareDomain } from '../protocol/jid.ts';

// Compiling the checks does not pay off: they run a few times at most.
z.config({ jitless: true });

/** The directory for a configuration's relative paths and the environment for its `env` values. */
export interface Origin {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const gibibyte = 2 ** 30;
const day = 86_400;

/** A whole number with a default. */
export function whole(fallback: number, min: number, max: number, description: string) {
  return z.int().min(min).max(max).default(fallback).describe(description);
}

/** A number of bytes, up to 1 GiB. */
export function bytes(fallback: number, min: number, description: string) {
  return whole(fallback, min, gibibyte, description);
}

/** A number of seconds, from 1 to a day. */
export function seconds(fallback: number, description: string) {
  return whole(fallback, 1, day, description);
}

/** A switch with a default. */
export function flag(fallback: boolean, description: string) {
  return z.boolean().default(fallback).describe(description);
}

/** A path, made absolute from the directory of the configuration file. */
export function path(origin: Origin, description: string) {
  return z
    .string()
    .min(1)
    .describe(description)
    .transform((value) => resolve(origin.directory, value));
}

/** A domain in its prepared form, as the domainpart of an address (RFC 7622 §3.2). */
export const domain = z.string().transform((value, context) => {
  try {
    return prepareDomain(value);
  } catch {
    context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is not a valid domain` });
    return z.NEVER;
  }
});

/** The address of an account or a domain, in its prepared form. */
export const address = z.string().transform((value, context) => {
  try {
    return Jid.parse(value).toString();
  } catch {
    context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is not a valid address` });
    return z.NEVER;
  }
});

/** An address to listen on. */
export const host = z
  .string()
  .refine((value) => isIP(value) !== 0 || value === 'localhost', {
    error: 'must be an IP address or "localhost"; "::" listens on every address',
  })
  .describe(
    'IP address to listen on, or "localhost". "::" is every address of the machine, "0.0.0.0" every IPv4 address.',
  );

/** A host name or an IP address, without a port. */
export const hostOrAddress = z
  .string()
  .regex(/^[^\s:/@[\]]+$|^[\dA-Fa-f:.]+$/, { error: 'must be a host name or an IP address' });

/** A host, with or without a port, that clients can connect to. */
export const reachable = z.string().regex(/^(?:\[[\dA-Fa-f:.]+\]|[^\s:/@[\]]+)(?::\d{1,5})?$/, {
  error: 'must be a host name or an IP address, with or without a port, such as "host.example.org:5222"',
});

/** A URI for reaching the operator. */
export const contactUri = z
  .string()
  .regex(/^[a-z][a-z\d+.-]*:\S+$/i, { error: 'must be a URI such as "mailto:abuse@example.org"' });

/** The address of a file that anybody can read. */
export const fileUrl = z
  .string()
  .regex(/^https?:\/\/\S+$/, { error: 'must be an address such as "https://example.net/status.json"' });

/** A secret: the string itself, or the environment variable or file that holds it. */
export function secret(origin: Origin, description: string) {
  const env = z.string().min(1).describe('The environment variable that holds it.');
  const file = z.string().min(1).describe('The file that holds it. A trailing line break is ignored.');
  return z
    .union([z.string().min(1), z.strictObject({ env }), z.strictObject({ file })], {
      error: 'must be a string, { "env": "NAME" } or { "file": "path" }',
    })
    .describe(description)
    .transform((source, context) => {
      try {
        return revealed(source, origin);
      } catch (error) {
        context.addIssue({ code: 'custom', message: reason(error) });
        return z.NEVER;
      }
    });
}

function revealed(source: string | { env: string } | { file: string }, origin: Origin): string {
  if (typeof source === 'string') return source;
  if ('file' in source) return withoutLastLineBreak(readFileSync(resolve(origin.directory, source.file), 'utf8'));
  const value = origin.environment[source.env];
  if (value === undefined || value === '') throw new Error(`the environment variable ${source.env} is not set`);
  return value;
}

function withoutLastLineBreak(text: string): string {
  return text.replace(/\r?\n$/, '');
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An IP address or a network. */
export const network = z.string().refine((value) => isNetwork(value), {
  error: 'must be an IP address or a network, such as "10.0.0.0/8" or "::1"',
});

function isNetwork(text: string): boolean {
  const [, address = '', prefix] = /^([\dA-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(prefix ?? 0) <= (version === 4 ? 32 : 128);
}
