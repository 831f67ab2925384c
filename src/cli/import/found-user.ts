import type { ImportedUser } from '../../web/control/imported-user.ts';

/** An account found in a file; its password may still be in the clear. */
export interface FoundUser extends ImportedUser {
  readonly password?: string | undefined;
}

/** One entry of a file: an account, or why it cannot be imported. */
export interface Entry {
  /** Its place in the file, such as `line 12`. */
  readonly place: string;
  readonly user?: FoundUser | undefined;
  readonly problem?: string | undefined;
  /** The parts of an imported account that are left out. */
  readonly losses?: readonly string[] | undefined;
}
