import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Entry, FoundUser } from './found-user.ts';

const bcryptHash = /^\$2[aby]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/;
const looksLikeHash = /^\$2[a-z]?\$/;
const header = /^"?jid"?,/i;

/**
 * Reads accounts from lines of `jid,password` or `jid,bcrypt-hash`. The password is everything after the first comma, unless it
 * is quoted as in CSV (RFC 4180 §2). Empty lines and lines that begin with # are ignored.
 */
export async function* csvUsers(input: Readable): AsyncGenerator<Entry> {
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    const text = number === 1 ? line.replace(/^\uFEFF/, '') : line;
    if (text.trim() === '' || text.startsWith('#') || (number === 1 && header.test(text))) continue;
    yield { place: `line ${number}`, ...userIn(text) };
  }
}

function userIn(line: string): Omit<Entry, 'place'> {
  // The decoder replaces invalid UTF-8 with this character.
  if (line.includes('\uFFFD')) return { problem: 'is not UTF-8 text' };
  const { first, rest } = split(line);
  if (first === undefined || rest === undefined) return { problem: 'is not jid,password' };
  return credentials(first.trim(), rest);
}

function credentials(jid: string, secret: string): { user: FoundUser } | { problem: string } {
  if (bcryptHash.test(secret)) return { user: { jid, bcrypt: secret } };
  if (looksLikeHash.test(secret)) return { problem: 'its bcrypt hash is incomplete' };
  return { user: { jid, password: secret } };
}

function split(line: string): { first: string | undefined; rest: string | undefined } {
  const quoted = /^"((?:[^"]|"")*)",(.*)$/s.exec(line);
  const comma = line.indexOf(',');
  if (quoted) return { first: unescaped(quoted[1]), rest: field(quoted[2]) };
  if (comma < 0) return { first: undefined, rest: undefined };
  return { first: line.slice(0, comma), rest: field(line.slice(comma + 1)) };
}

function field(text: string | undefined): string | undefined {
  if (!text?.startsWith('"')) return text;
  const quoted = /^"((?:[^"]|"")*)"$/s.exec(text);
  return unescaped(quoted?.[1]);
}

function unescaped(text: string | undefined): string | undefined {
  return text?.replaceAll('""', '"');
}
