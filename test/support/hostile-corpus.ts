import { readFileSync } from 'node:fs';

/** A stream that somebody else's server has mistaken, and what has to become of it. */
export interface HostileCase {
  readonly id: string;
  /** A whole stream in base64, from its header on. */
  readonly bytes: string;
  readonly expect: 'accept' | 'not-well-formed' | 'restricted-xml' | 'policy';
}

const header =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>";

/** All cases. */
export const corpus = readFileSync(new URL('../corpus/xmpp-xml.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as HostileCase);

/** The stream without its header; undefined where the header is the trick. */
export function contentOf({ bytes }: HostileCase): Buffer | undefined {
  const whole = Buffer.from(bytes, 'base64');
  return whole.toString('latin1').startsWith(header) ? whole.subarray(header.length) : undefined;
}

/** What never ends, so that only the clock can. */
export const unfinished = new Set(['cdata-unclosed', 'syn-quote-mismatch']);
/** Refused at the first sign of a comment, before the rest of it shows that it is not even a proper one. */
const improper = new Set(['comment-bad']);
/** White space is no stanza: it is read and forgotten. */
export const harmless = new Set(['ws-flood']);
/** Odd, but smaller than what an authenticated client may send (RFC 6120 §13.12). */
const withinLimits = new Set(['many-entities', 'charref-long']);
/** A client that reports a stream error is answered by closing. */
const goodbyes = new Set(['ns-streamerror-injected']);
/** Well-formed, but in the name of somebody else. */
const forgeries = new Set(['ns-prefixed-stanza']);

/** The stream errors that say "not with me" to what is well-formed (RFC 6120 §4.9.3). */
export const refusals = [
  'policy-violation',
  'unsupported-stanza-type',
  'unsupported-encoding',
  'invalid-namespace',
  'bad-format',
  'not-well-formed',
];

/** The errors that may end a bound stream with this content; `accept` if none may. */
export function verdictsFor({ id, expect: wanted }: HostileCase): readonly string[] {
  if (goodbyes.has(id)) return ['closed'];
  if (forgeries.has(id)) return ['invalid-from'];
  if (improper.has(id)) return ['restricted-xml', 'not-well-formed'];
  if (wanted === 'accept' || harmless.has(id) || withinLimits.has(id)) return ['accept'];
  return wanted === 'policy' ? refusals : [wanted];
}
