import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import type { Jid } from '../../../protocol/jid.ts';
import { SaslFailure } from '../../../protocol/sasl-failure.ts';
import type { Device } from '../../../routing/session.ts';
import type { DeviceStore, FastToken, NewFastToken, SeenDevice } from '../../../storage/devices.ts';
import { StorageError } from '../../../storage/storage-error.ts';
import type { Clock } from '../../../support/clock.ts';
import type { Log } from '../../../support/log.ts';
import { sameSecret } from '../sasl/scram-keys.ts';
import { TokenCipher } from './token-cipher.ts';

/** Dependencies of {@link FastTokens}. */
interface FastTokenDeps {
  readonly lifetimeMs: number;
  /** The age at which a token is replaced when it is used. */
  readonly rotateAfterMs: number;
  readonly store: Pick<DeviceStore, 'tokens' | 'issueToken' | 'useToken'>;
  /** The record of a device that is in use until `keepUntilMs` or longer. */
  readonly record: (account: Jid, device: Device, keepUntilMs: number) => SeenDevice;
  /** Encrypts tokens on the disk. */
  readonly key: Buffer;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}

/** A token for the client. */
export interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** What a client shows to authenticate by a token. */
export interface PresentedToken {
  readonly mechanism: string;
  /** Empty if the mechanism binds to nothing. */
  readonly bindingData: Buffer;
  /** What the client has made from the token. */
  readonly initiatorHash: Buffer;
  readonly count: number | undefined;
  readonly invalidate: boolean;
  /** The mechanism of the token that the client asks for. */
  readonly requested: string | undefined;
}

/** A token that the client knows. */
interface RedeemedToken {
  /** Shows the client that the server knows the token, too. */
  readonly responderHash: Buffer;
  readonly next: IssuedToken | undefined;
}

/** A device has one token in use, and one to replace it. */
const tokensPerDevice = 2;
const tokenBytes = 32;

/** Makes and checks the tokens of FAST (XEP-0484). What is issued or used is durable before the client is told. */
export class FastTokens {
  readonly #deps: FastTokenDeps;
  readonly #cipher: TokenCipher;
  /** Takes the place of tokens that do not exist: the time of an answer must not tell whether they do. */
  readonly #imagined: FastToken;

  constructor(deps: FastTokenDeps) {
    this.#deps = deps;
    this.#cipher = new TokenCipher(deps.key);
    const secret = this.#cipher.encrypt(Buffer.from(newToken()), '');
    this.#imagined = { id: 0, mechanism: '', secret, issuedAtMs: 0, expiresAtMs: 0 };
  }

  /**
   * Gives a device that has shown the password a token. Undefined if the store is full; throws `not-authorized` if the password has
   * changed since.
   */
  async issue(
    account: Jid,
    device: Device,
    mechanism: string,
    passwordVersion: number,
  ): Promise<IssuedToken | undefined> {
    const { issued, stored } = this.#make(account, device, mechanism);
    const seen = { ...this.#deps.record(account, device, stored.expiresAtMs), passwordVersion };
    try {
      if (await this.#deps.store.issueToken(seen, stored)) return issued;
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#deps.log.warn({ err: error }, 'could not store a token');
      return undefined;
    }
    throw SaslFailure.notAuthorized();
  }

  /**
   * Checks a token and uses it. Throws `not-authorized`, in the same way and time for an unknown account, an unknown device and a wrong
   * token, and `credentials-expired` for a token that was right once.
   */
  async redeem(account: Jid, device: Device, presented: PresentedToken): Promise<RedeemedToken> {
    const { store, clock } = this.#deps;
    const stored = await store.tokens(account.toString(), device.key);
    const match = this.#match(stored, ownerOf(account, device), presented);
    if (match?.token.mechanism !== presented.mechanism) throw SaslFailure.notAuthorized();
    const { token, secret } = match;
    if (token.expiresAtMs <= clock.nowMs()) throw SaslFailure.credentialsExpired();
    const next = this.#next(account, device, token, presented);
    const { count, invalidate } = presented;
    const seen = this.#deps.record(account, device, next?.stored.expiresAtMs ?? token.expiresAtMs);
    const used = await store.useToken(seen, { id: token.id, count, invalidate, next: next?.stored });
    // The count was used before, or the token was revoked meanwhile.
    if (!used) throw SaslFailure.notAuthorized();
    return { responderHash: hashOf(secret, 'Responder', presented.bindingData), next: next?.issued };
  }

  /** Compares with as many tokens as a device can have, whatever it has. */
  #match(
    stored: readonly FastToken[],
    owner: string,
    { bindingData, initiatorHash }: PresentedToken,
  ): { readonly token: FastToken; readonly secret: Buffer } | undefined {
    let match: { readonly token: FastToken; readonly secret: Buffer } | undefined;
    for (let index = 0; index < tokensPerDevice; index++) {
      const token = stored[index] ?? this.#imagined;
      const secret = this.#decrypted(token, token === this.#imagined ? '' : owner);
      const fits = sameSecret(hashOf(secret, 'Initiator', bindingData), initiatorHash);
      if (fits && token !== this.#imagined) match = { token, secret };
    }
    return match;
  }

  /** A secret that nobody knows if the stored one cannot be read. */
  #decrypted({ id, secret }: FastToken, owner: string): Buffer {
    try {
      return this.#cipher.decrypt(secret, owner);
    } catch (error) {
      this.#deps.log.error({ err: error, token: id }, 'cannot decrypt a token');
      return randomBytes(tokenBytes);
    }
  }

  /** XEP-0484 §3.5, §3.6: a client gets a new token if it asks for one, or if its token is due for rotation and not to end. */
  #next(account: Jid, device: Device, token: FastToken, { requested, invalidate }: PresentedToken) {
    if (requested !== undefined) return this.#make(account, device, requested);
    const { clock, rotateAfterMs } = this.#deps;
    const due = clock.nowMs() - token.issuedAtMs >= rotateAfterMs;
    return due && !invalidate ? this.#make(account, device, token.mechanism) : undefined;
  }

  #make(account: Jid, device: Device, mechanism: string): { issued: IssuedToken; stored: NewFastToken } {
    const token = newToken();
    const issuedAtMs = this.#deps.clock.nowMs();
    const expiresAtMs = issuedAtMs + this.#deps.lifetimeMs;
    const secret = this.#cipher.encrypt(Buffer.from(token), ownerOf(account, device));
    return { issued: { token, expiresAtMs }, stored: { mechanism, secret, issuedAtMs, expiresAtMs } };
  }
}

function newToken(): string {
  return randomBytes(tokenBytes).toString('base64url');
}

/** What a stored token belongs to. */
function ownerOf(account: Jid, { key }: Device): string {
  return `${account}\0${key}`;
}

/** draft-schmaus-kitten-sasl-ht-09 §3. */
function hashOf(token: Buffer, role: 'Initiator' | 'Responder', bindingData: Buffer): Buffer {
  return createHmac('sha256', createSecretKey(token)).update(role).update(bindingData).digest();
}
