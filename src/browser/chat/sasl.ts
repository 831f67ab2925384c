import { type Bytes, fromBase64, randomId, toBase64, utf8 } from './base64.ts';

/** One exchange by which the client shows that it knows a secret, and the server that it knows it, too. */
export interface Exchange {
  readonly mechanism: string;
  /** The first message. */
  initial(): Promise<Bytes>;
  /** The answer to a challenge. Throws if the server asks for something that no honest server asks for. */
  respond(challenge: Bytes): Promise<Bytes>;
  /** Whether the last message of the server proves that it knows the secret. */
  proves(final: Bytes): boolean;
}

/** The hashes for SCRAM that WebCrypto has, best first, by the names of the mechanisms. */
const hashes = [
  ['SCRAM-SHA-512', 'SHA-512'],
  ['SCRAM-SHA-256', 'SHA-256'],
  ['SCRAM-SHA-1', 'SHA-1'],
] as const;

/** Above this, a hostile server would make the page hash for minutes. */
const mostIterations = 1_000_000;
const fewestIterations = 4096;

/** The best exchange with a password among the mechanisms that the server offers; undefined if none is known. */
export function passwordExchange(
  offered: readonly string[],
  username: string,
  password: string,
  nonce = randomId(),
): Exchange | undefined {
  const found = hashes.find(([mechanism]) => offered.includes(mechanism));
  return found && new Scram(found, username, prepared(password), nonce);
}

/** SCRAM without channel binding, which browsers do not offer (RFC 5802). */
class Scram implements Exchange {
  readonly mechanism: string;
  readonly #hash: string;
  readonly #password: string;
  readonly #nonce: string;
  readonly #firstBare: string;
  #expected: string | undefined;

  constructor([mechanism, hash]: readonly [string, string], username: string, password: string, nonce: string) {
    this.mechanism = mechanism;
    this.#hash = hash;
    this.#password = password;
    this.#nonce = nonce;
    this.#firstBare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  }

  async initial(): Promise<Bytes> {
    return utf8(`n,,${this.#firstBare}`);
  }

  async respond(challenge: Bytes): Promise<Bytes> {
    const serverFirst = new TextDecoder().decode(challenge);
    const fields = fieldsOf(serverFirst);
    const [nonce = '', salt = '', iterations = 0] = [fields.get('r'), fields.get('s'), Number(fields.get('i'))];
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length || fields.has('m'))
      throw new Error('the server does not follow SCRAM');
    if (!(iterations >= fewestIterations && iterations <= mostIterations))
      throw new Error('the server asks for an unreasonable number of iterations');
    const withoutProof = `c=biws,r=${nonce}`;
    const signed = utf8(`${this.#firstBare},${serverFirst},${withoutProof}`);
    const salted = await this.#salted(fromBase64(salt), iterations);
    const clientKey = await hmac(this.#hash, salted, utf8('Client Key'));
    const storedKey = new Uint8Array(await crypto.subtle.digest(this.#hash, clientKey));
    const signature = await hmac(this.#hash, storedKey, signed);
    const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
    const serverKey = await hmac(this.#hash, salted, utf8('Server Key'));
    this.#expected = `v=${toBase64(await hmac(this.#hash, serverKey, signed))}`;
    return utf8(`${withoutProof},p=${toBase64(proof)}`);
  }

  proves(final: Bytes): boolean {
    return this.#expected !== undefined && new TextDecoder().decode(final) === this.#expected;
  }

  async #salted(salt: Bytes, iterations: number): Promise<Bytes> {
    const key = await crypto.subtle.importKey('raw', utf8(this.#password), 'PBKDF2', false, ['deriveBits']);
    const bits = this.#hash === 'SHA-512' ? 512 : this.#hash === 'SHA-256' ? 256 : 160;
    return new Uint8Array(
      await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: this.#hash, salt, iterations }, key, bits),
    );
  }
}

/** The mechanism for tokens without channel binding (draft-schmaus-kitten-sasl-ht). */
export const tokenMechanism = 'HT-SHA-256-NONE';

/** The exchange with a token (XEP-0484). */
export function tokenExchange(username: string, token: string): Exchange {
  const hashed = (role: string) => hmac('SHA-256', utf8(token), utf8(role));
  let expected = '';
  return {
    mechanism: tokenMechanism,
    async initial() {
      expected = toBase64(await hashed('Responder'));
      const [name, proof] = [utf8(`${username}\0`), await hashed('Initiator')];
      return Uint8Array.from([...name, ...proof]);
    },
    respond: () => Promise.reject(new Error('the server does not follow the mechanism')),
    proves: (final) => toBase64(final) === expected,
  };
}

async function hmac(hash: string, key: Bytes, content: Bytes): Promise<Bytes> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, content));
}

function fieldsOf(message: string): ReadonlyMap<string, string> {
  return new Map(message.split(',').map((field) => [field.slice(0, 1), field.slice(2)]));
}

/** SASLprep (RFC 4013) without its refusals, which are the task of the server. */
function prepared(password: string): string {
  return password
    .replaceAll(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, ' ')
    .replaceAll(/[\u00ad\u1806\u2060\ufeff]|\u034f|[\u180b-\u180d]|\u200c|\u200d|[\ufe00-\ufe0f]/gu, '')
    .normalize('NFKC');
}
