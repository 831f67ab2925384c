import type { PortableAccount } from '../../web/control/portable-account.ts';

/** An account found in a file, perhaps with a plain-text password. */
export interface FoundUser extends PortableAccount {
  readonly password?: string | undefined;
}

/** One entry of a file: an account, or the problem that prevents its import. */
export interface Entry {
  /** Its place in the file, such as `line 12`. */
  readonly place: string;
  readonly user?: FoundUser | undefined;
  readonly problem?: string | undefined;
  /** Parts of the account that the import leaves out. */
  readonly losses?: readonly string[] | undefined;
}
