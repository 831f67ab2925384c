/** A device in use: one installation of a client, which names itself when it authenticates (XEP-0388 §2.3). */
export interface SeenDevice {
  /** The account. */
  readonly owner: string;
  /** A hash of the id that the device names. */
  readonly key: string;
  /** The name of the client, in its own words. Absent: as before. */
  readonly software?: string | undefined;
  /** The name of the device, in its own words. Absent: as before. */
  readonly name?: string | undefined;
  readonly atMs: number;
  /** When the device is forgotten if nobody sees it again. */
  readonly keepUntilMs: number;
  /** Present if the device has shown that it knows the password of this version. */
  readonly passwordVersion?: number | undefined;
}

/** A token to authenticate with instead of the password (XEP-0484). */
export interface NewFastToken {
  /** The only SASL mechanism that it works with. */
  readonly mechanism: string;
  /** The token, encrypted. */
  readonly secret: Buffer;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** A token as stored. */
export interface FastToken extends NewFastToken {
  readonly id: number;
}

/** The use of a token. */
export interface FastTokenUse {
  readonly id: number;
  /** The client's count of uses; must be larger than all before (XEP-0484 §3.4). */
  readonly count?: number | undefined;
  /** Whether the token ends with this use. */
  readonly invalidate: boolean;
  /** A token to replace it. Both live until the new one is used. */
  readonly next?: NewFastToken | undefined;
}

/** A device as its user sees it. */
export interface KnownDevice {
  readonly key: string;
  readonly software: string | undefined;
  readonly name: string | undefined;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** Whether it has shown that it knows the present password. */
  readonly knowsPassword: boolean;
  /** Whether it has a token that has not expired. */
  readonly hasToken: boolean;
}

/** The devices of accounts, and their tokens. A change of the password removes all tokens of the account. */
export interface DeviceStore {
  /** Records that devices are in use. A device that is not known is remembered if it knows the password, and otherwise left out. */
  seen(devices: readonly SeenDevice[]): Promise<void>;
  /** The tokens of a device, expired ones included, newest first: at most two. */
  tokens(owner: string, key: string): Promise<FastToken[]>;
  /**
   * Records that a device is in use and gives it a token, in the place of one that it has never used. False if the password has changed
   * since `passwordVersion`, or the account was removed: then nothing happens.
   */
  issueToken(device: SeenDevice & { readonly passwordVersion: number }, token: NewFastToken): Promise<boolean>;
  /**
   * Uses a token and removes all older ones of the device. False if the token no longer exists, or was used with this count: then
   * nothing happens.
   */
  useToken(device: SeenDevice, use: FastTokenUse): Promise<boolean>;
  /** The devices of an account, last seen first. */
  list(owner: string, nowMs: number): Promise<KnownDevice[]>;
  /**
   * Removes the tokens of a device and its registrations with push services, and forgets a device that does not know the password. Resolves with whether it knows the password,
   * or undefined if the device is not known.
   */
  revoke(owner: string, key: string): Promise<{ readonly knowsPassword: boolean } | undefined>;
}
