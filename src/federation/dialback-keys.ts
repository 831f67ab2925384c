import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** What a dialback key stands for: who may send, to whom, on which stream of the receiving server. */
interface KeyClaim {
  readonly receiving: string;
  readonly originating: string;
  readonly streamId: string;
}

/** Makes and knows the dialback keys of this server (XEP-0185). */
export class DialbackKeys {
  readonly #secret: string;

  /** The secret is random, and that of all servers that stand for our domains. */
  constructor(secret: Buffer) {
    this.#secret = createHash('sha256').update(secret).digest('hex');
  }

  make({ receiving, originating, streamId }: KeyClaim): string {
    return createHmac('sha256', this.#secret).update(`${receiving} ${originating} ${streamId}`).digest('hex');
  }

  /** Whether a key is the one made for the claim. */
  verify(key: string, claim: KeyClaim): boolean {
    const expected = Buffer.from(this.make(claim));
    const given = Buffer.from(key);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}
