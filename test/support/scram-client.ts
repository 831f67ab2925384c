import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** What one SCRAM client knows and wants. */
export interface ScramClientOptions {
  /** The mechanism's name, e.g. SCRAM-SHA-256-PLUS. */
  readonly mechanism: string;
  readonly username: string;
  readonly password: string;
  readonly authzid?: string;
  /** What a -PLUS mechanism binds to. */
  readonly channelBinding?: { readonly type: string; readonly data: Buffer };
  /** What a client without channel binding says about it. */
  readonly flag?: 'n' | 'y';
  readonly nonce?: string;
  /** What the stream features announced; if given, the server's XEP-0474 hash must be there and match it. */
  readonly announced?: { readonly mechanisms: readonly string[]; readonly channelBindings: readonly string[] };
}

interface Keys {
  readonly authMessage: string;
  readonly salted: Buffer;
}

/** The client's side of SCRAM, written from RFC 5802 §3 alone, sharing nothing with the server's. */
export class ScramClient {
  readonly #options: ScramClientOptions;
  readonly #hash: string;
  readonly #gs2: string;
  readonly #nonce: string;
  #keys: Keys | undefined;

  constructor(options: ScramClientOptions) {
    this.#options = options;
    this.#hash = options.mechanism
      .replace(/^SCRAM-/, '')
      .replace(/-PLUS$/, '')
      .replace('-', '')
      .toLowerCase();
    this.#nonce = options.nonce ?? randomBytes(18).toString('base64');
    this.#gs2 = gs2Header(options);
  }

  /** The client-first-message. */
  first(): Buffer {
    return Buffer.from(this.#gs2 + this.#bare());
  }

  /** The client-final-message that answers a challenge; throws if the challenge is wrong. */
  final(challenge: Buffer): Buffer {
    const serverFirst = challenge.toString();
    const [nonce = '', salt = '', iterations = '', ...extensions] = serverFirst.split(',');
    if (!nonce.startsWith(`r=${this.#nonce}`) || nonce === `r=${this.#nonce}`) throw new Error('wrong nonce');
    if (!salt.startsWith('s=') || !/^i=[1-9][0-9]*$/.test(iterations)) throw new Error('wrong challenge');
    this.#checkAnnouncement(extensions);
    const binding = Buffer.concat([Buffer.from(this.#gs2), this.#options.channelBinding?.data ?? Buffer.alloc(0)]);
    const withoutProof = `c=${binding.toString('base64')},${nonce}`;
    const authMessage = `${this.#bare()},${serverFirst},${withoutProof}`;
    const salted = this.#salted(Buffer.from(salt.slice(2), 'base64'), Number(iterations.slice(2)));
    this.#keys = { authMessage, salted };
    return Buffer.from(`${withoutProof},p=${this.#proof(this.#keys).toString('base64')}`);
  }

  /** Throws unless the server has shown that it knows the password too. */
  verify(success: Buffer | undefined): void {
    if (!this.#keys) throw new Error('success came too early');
    const serverKey = this.#hmac(this.#keys.salted, 'Server Key');
    const expected = `v=${this.#hmac(serverKey, this.#keys.authMessage).toString('base64')}`;
    if (success?.toString() !== expected) throw new Error('the server does not know the password');
  }

  #bare(): string {
    return `n=${escaped(this.#options.username)},r=${this.#nonce}`;
  }

  #proof({ salted, authMessage }: Keys): Buffer {
    const clientKey = this.#hmac(salted, 'Client Key');
    const signature = this.#hmac(createHash(this.#hash).update(clientKey).digest(), authMessage);
    return Buffer.from(clientKey.map((byte, index) => byte ^ signature.readUInt8(index)));
  }

  #salted(salt: Buffer, iterations: number): Buffer {
    const length = createHash(this.#hash).digest().length;
    return pbkdf2Sync(this.#options.password.normalize('NFKC'), salt, iterations, length, this.#hash);
  }

  #checkAnnouncement(extensions: readonly string[]): void {
    const { announced } = this.#options;
    if (!announced) return;
    const lists = [[...announced.mechanisms].sort().join('\x1e')];
    if (announced.channelBindings.length > 0) lists.push([...announced.channelBindings].sort().join('\x1e'));
    const expected = createHash(this.#hash).update(lists.join('\x1f')).digest('base64');
    if (!extensions.includes(`h=${expected}`)) throw new Error('the announcement was tampered with');
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#hash, key).update(text).digest();
  }
}

function gs2Header({ mechanism, channelBinding, flag = 'n', authzid }: ScramClientOptions): string {
  if (mechanism.endsWith('-PLUS') !== (channelBinding !== undefined)) throw new Error('channel binding needs -PLUS');
  const binding = channelBinding ? `p=${channelBinding.type}` : flag;
  return `${binding},${authzid === undefined ? '' : `a=${escaped(authzid)}`},`;
}

function escaped(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}
