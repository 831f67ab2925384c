/**
 * What a token is for. `account`: to register an account, and if the invitation names one, to become its contact. `contact`: only to become
 * a contact of the account. `reset`: to set the password of the account.
 */
export type InvitationKind = 'account' | 'contact' | 'reset';

/** What an invitation says. Times are milliseconds since 1970. */
interface InvitationTerms {
  readonly kind: InvitationKind;
  readonly domain: string;
  /** The account whose contact the new user becomes, or whose password is set. */
  readonly account?: string | undefined;
  /** The account that has made it; absent for the operator. */
  readonly maker?: string | undefined;
  /** The only local part that can be registered with it. It is reserved until the invitation ends. */
  readonly username?: string | undefined;
  /** How often it can be used. */
  readonly uses: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** An invitation to add. */
export interface NewInvitation extends InvitationTerms {
  readonly tokenHash: Buffer;
}

/** An invitation as stored. */
export interface StoredInvitation extends InvitationTerms {
  readonly id: number;
}

/** A page of invitations, in the order in which they were made. */
export interface InvitationPage {
  readonly after: number;
  readonly limit: number;
}

/**
 * Invitations, by a hash of their token. Removing an account removes those that it has made and those that lead to it. Registering an account
 * and setting a password use one up in the same transaction (`AccountStore`).
 */
export interface InvitationStore {
  /**
   * Adds one, and forgets those that have ended long ago. Resolves with its id; with `taken` if an account or another invitation has the
   * name; with `too-many` if its maker has `maxOfMaker` others that have not ended. Rejects with `not-found` if an account is missing.
   */
  add(invitation: NewInvitation, maxOfMaker: number): Promise<number | 'taken' | 'too-many'>;
  /** Finds one that can be used, even if its time is over. */
  find(tokenHash: Buffer): Promise<StoredInvitation | undefined>;
  /** Uses one once. False if nothing is left of it. */
  use(tokenHash: Buffer): Promise<boolean>;
  /** Those that have not ended. */
  list(page: InvitationPage, nowMs: number): Promise<StoredInvitation[]>;
  /** False if there is none with this id. */
  remove(id: number): Promise<boolean>;
}
