import type { ImportedUser } from '../../web/control/operations.ts';

/** An account found in a file; its password may still be in the clear. */
export interface FoundUser extends ImportedUser {
  readonly password?: string | undefined;
}

/** One entry of a file: an account, or why it is none. */
export interface Entry {
  /** Where it stands, as in `line 12`. */
  readonly place: string;
  readonly user?: FoundUser | undefined;
  readonly problem?: string | undefined;
  /** What of the entry cannot be taken over although the account can. */
  readonly losses?: readonly string[] | undefined;
}
