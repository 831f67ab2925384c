import { keyByteLength, scramHashes } from '../../c2s/negotiation/sasl/scram-keys.ts';
import { decodeBase64 } from '../../c2s/negotiation/sasl/strict-base64.ts';
import type { ScramHash } from '../../storage/accounts.ts';
import type { PortableScramKeys } from '../../web/control/portable-account.ts';
import { attribute, childElements, type Element, textOf } from '../../xml/element.ts';
import { LossError } from './loss-error.ts';

/** SCRAM keys and their hash function. */
export interface ScramCredentials {
  readonly hash: ScramHash;
  readonly keys: PortableScramKeys;
}

/** Fields as written in the file. */
interface Fields {
  readonly iterations: string;
  readonly salt: string;
  readonly storedKey: string;
  readonly serverKey: string;
}

const largestIterations = 2 ** 31 - 1;

/** The keys in an element of XEP-0227 §4.3. */
export function scramCredentials(element: Element): ScramCredentials {
  const mechanism = attribute(element, 'mechanism') ?? '';
  const hash = scramHashes.find((name) => mechanism === `SCRAM-${name}`);
  if (hash === undefined) throw new LossError(`credentials for ${mechanism || 'no mechanism'}`);
  const fields = new Map(childElements(element).map((child) => [child.getName(), textOf(child).trim()]));
  const field = (name: string) => fields.get(name) ?? '';
  return checked(hash, {
    iterations: field('iter-count'),
    salt: field('salt'),
    storedKey: field('stored-key'),
    serverKey: field('server-key'),
  });
}

const inPassword = /^scram:(?:(sha256|sha512),)?([^,]*),([^,]*),([^,]*),(\d+)$/;

/** The keys that older versions of ejabberd write instead of a password. Undefined for a password. */
export function scramInPassword(password: string): ScramCredentials | undefined {
  const match = inPassword.exec(password);
  if (match === null) return undefined;
  const [, name, storedKey = '', serverKey = '', salt = '', iterations = ''] = match;
  const hash = name === 'sha256' ? 'SHA-256' : name === 'sha512' ? 'SHA-512' : 'SHA-1';
  return checked(hash, { iterations, salt, storedKey, serverKey });
}

function checked(hash: ScramHash, fields: Fields): ScramCredentials {
  const iterations = Number(fields.iterations);
  const sound = /^[1-9]\d*$/.test(fields.iterations) && iterations <= largestIterations;
  const found = [fields, decodedOnce(fields)].find((candidate) => fits(candidate, keyByteLength(hash)));
  if (!sound || found === undefined) throw new LossError(`damaged credentials for SCRAM-${hash}`);
  const { salt, storedKey, serverKey } = found;
  return { hash, keys: { salt, iterations, storedKey, serverKey } };
}

/** Decodes one layer of base64: ejabberd encodes its stored base64 again. */
function decodedOnce(fields: Fields): Fields {
  const inner = (text: string) => decodeBase64(text)?.toString('latin1') ?? '';
  const { salt, storedKey, serverKey } = fields;
  return { ...fields, salt: inner(salt), storedKey: inner(storedKey), serverKey: inner(serverKey) };
}

function fits({ salt, storedKey, serverKey }: Fields, keyLength: number): boolean {
  const saltLength = decodeBase64(salt)?.length ?? 0;
  return saltLength > 0 && [storedKey, serverKey].every((key) => decodeBase64(key)?.length === keyLength);
}
