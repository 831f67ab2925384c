import type { Jid } from '../../../protocol/jid.ts';
import type { AccountCredentials, Credentials, ScramHash } from '../../../storage/accounts.ts';
import type { ChannelBinding } from '../../../tls/channel-binding.ts';
import type { IssuedToken } from '../fast/fast-tokens.ts';
import type { Pbkdf2Queue } from './pbkdf2-queue.ts';

/** What the server answers to one response: another challenge, or the name that was proven. */
export type SaslStep = { readonly kind: 'challenge'; readonly data: Buffer } | SaslSuccess;

/** The end of an exchange that has succeeded. */
export interface SaslSuccess {
  readonly kind: 'success';
  readonly data?: Buffer | undefined;
  /** The bare JID of the authenticated account. */
  readonly identity: Jid;
  /** The credentials that the password was checked against. Absent if the client has shown a token instead. */
  readonly credentials?: AccountCredentials;
  /** A new token in the place of the one that the client has shown. */
  readonly token?: IssuedToken | undefined;
}

/**
 * One authentication in progress; throws a `SaslFailure` when it fails, and is of no use afterwards.
 * Every mechanism here speaks client-first: without an initial response the caller sends an empty challenge
 * and passes the answer to `step` (RFC 4422 §5).
 */
export interface SaslExchange {
  step(response: Buffer): Promise<SaslStep> | SaslStep;
}

/** Where mechanisms find what is stored about an account, and what to pretend about one that does not exist. */
export interface CredentialSource {
  /** PBKDF2 iterations of newly made keys, and of the imagined keys of unknown accounts. */
  readonly iterations: number;
  find(account: Jid): Promise<AccountCredentials | undefined>;
  /** Another number than before whenever what was found before may be untrue. */
  version(): number;
  /** Replaces imported credentials by keys made from the password just verified. */
  upgrade(account: Jid, credentials: Credentials): Promise<void>;
  /** The salt an unknown account would have: always the same, and different for each hash, as real ones are. */
  fakeSalt(account: Jid, hash: ScramHash): Buffer;
}

/** What a mechanism may know of the stream it authenticates. */
export interface SaslContext {
  readonly domain: string;
  /** The mechanisms this stream was offered by the SASL profile in use. */
  readonly offered: readonly string[];
  /** The channel bindings this stream was offered (XEP-0440); empty when none were advertised. */
  readonly channelBindings: readonly ChannelBinding[];
  /** Whether TLS protects the stream. */
  readonly secure: boolean;
  readonly credentials: CredentialSource;
  readonly pbkdf2: Pbkdf2Queue;
}
