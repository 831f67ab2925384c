/** A domain with which the operator wants no traffic. */
export interface BlockedDomain {
  /** `*.` in front stands for all subdomains. */
  readonly domain: string;
  readonly atMs: number;
  readonly reason?: string | undefined;
}

/** An account whose user may not log in. */
export interface Suspension {
  readonly jid: string;
  readonly atMs: number;
  /** The text that the user gets. */
  readonly reason?: string | undefined;
  /** When the account is to be removed. */
  readonly removeAtMs?: number | undefined;
  /** The user has registered the account, and the operator has not approved it yet. */
  readonly awaitsApproval?: true;
}

/** When users get a notice: when they come online next, or when they come online for the first time at all. */
export const noticeKinds = ['online', 'welcome'] as const;

export type NoticeKind = (typeof noticeKinds)[number];

/** What the users of a domain are told when they come online. */
export interface Notice {
  readonly domain: string;
  readonly kind: NoticeKind;
  readonly atMs: number;
  readonly text: string;
}

/** An entry of a block list of another server that this server follows. */
export interface ListedEntry {
  /** The XMPP URI of the list. */
  readonly list: string;
  /** A domain, an address, or the SHA-256 of one. */
  readonly entry: string;
}

/** Changes of a followed block list. */
export interface ListedChange {
  readonly list: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Decisions of the operator about domains and accounts. Times are milliseconds since 1970. */
export interface ModerationStore {
  blockedDomains(): Promise<BlockedDomain[]>;
  /** Replaces an earlier entry for the domain. */
  blockDomain(blocked: BlockedDomain): Promise<void>;
  /** False if the domain was not blocked. */
  unblockDomain(domain: string): Promise<boolean>;
  suspensions(): Promise<Suspension[]>;
  /** Replaces an earlier suspension. Rejects with `not-found` if there is no such account. */
  suspend(suspension: Suspension): Promise<void>;
  /** False if the account was not suspended. */
  resume(jid: string): Promise<boolean>;
  notices(): Promise<Notice[]>;
  /** Replaces the notice of this kind of the domain. */
  setNotice(notice: Notice): Promise<void>;
  /** False if the domain had none. */
  removeNotice(domain: string, kind: NoticeKind): Promise<boolean>;
  /** The entries of all followed block lists. */
  listedEntries(): Promise<ListedEntry[]>;
  /** An entry may be added twice. */
  changeListed(change: ListedChange): Promise<void>;
}
