import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** The claim of a dialback key: the originating domain may send to the receiving domain on one stream of the receiving server. */
interface KeyClaim {
  readonly receiving: string;
  readonly originating: string;
  readonly streamId: string;
}

/** Makes and verifies the dialback keys of this server (XEP-0185). */
export class DialbackKeys {
  readonly #secret: string;

  /** All servers of our domains must share the same random secret. */
  constructor(secret: Buffer) {
    this.#secret = createHash('sha256').update(secret).digest('hex');
  }

  make({ receiving, originating, streamId }: KeyClaim): string {
    return createHmac('sha256', this.#secret).update(`${receiving} ${originating} ${streamId}`).digest('hex');
  }

  /** Whether a key is the one made for the claim. */
  verify(key: string, claim: KeyClaim): boolean {
    const expected = Buffer.from(this.make(claim));
    const actual = Buffer.from(key);
    return actual.length === expected.length && timingSafeEqual(actual, expected);
  }
}
