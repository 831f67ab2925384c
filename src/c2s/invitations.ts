import { createHash, randomBytes } from 'node:crypto';
import { Jid } from '../protocol/jid.ts';
import type { InvitationKind, InvitationPage, InvitationStore, StoredInvitation } from '../storage/invitations.ts';
import type { Clock } from '../support/clock.ts';

/** Who may invite people to register. The operator is not bound to it, unless nobody may. */
export const invitationPolicies = ['everybody', 'administrators', 'nobody'] as const;

export type InvitationPolicy = (typeof invitationPolicies)[number];

/** How invitations are made. */
export interface InvitationOptions {
  /** Whether people can register with invitations. */
  readonly enabled: boolean;
  /** The address of the pages of this server, without a slash at its end; undefined if nobody reaches them. */
  readonly url: string | undefined;
  /** How long an invitation can be used, unless its maker says otherwise. */
  readonly lifetimeMs: number;
  /** Invitations of one user that have not ended. */
  readonly maxOfMaker: number;
}

/** Dependencies of {@link Invitations}. */
interface InvitationsDeps {
  /** Read at each use. */
  readonly options: InvitationOptions;
  readonly store: Pick<InvitationStore, 'add' | 'list' | 'remove'>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** An invitation to make. */
interface WantedInvitation {
  readonly kind: InvitationKind;
  readonly domain: string;
  /** The account whose contact the new user becomes, or whose password is set. */
  readonly account?: Jid | undefined;
  /** The user who makes it; absent for the operator. */
  readonly maker?: Jid | undefined;
  /** The only local part that can be registered with it, prepared. */
  readonly username?: string | undefined;
  /** By default one. */
  readonly uses?: number | undefined;
  readonly lifetimeMs?: number | undefined;
}

/** An invitation with its token, which is known only now. */
export interface MadeInvitation {
  readonly id: number;
  /** For clients (XEP-0147); absent for a link that sets a password. */
  readonly uri?: string | undefined;
  /** The page for browsers, if people reach the pages of this server. */
  readonly landingUrl?: string | undefined;
  readonly expiresAtMs: number;
}

/** Why no invitation was made. */
export type InvitationRefusal = 'off' | 'taken' | 'too-many';

/** A link that sets a password is as good as the password, so it does not live long. */
const resetLifetimeMs = 86_400_000;

/** Makes, lists and revokes invitations. */
export class Invitations {
  readonly #deps: InvitationsDeps;

  constructor(deps: InvitationsDeps) {
    this.#deps = deps;
  }

  /**
   * Makes an invitation. Resolves with `off` if people cannot register with invitations, with `taken` if its user name is an account or
   * reserved, and with `too-many` if its maker has as many as one may have. Rejects with a StorageError of code `not-found` if there is no
   * such account.
   */
  async create(wanted: WantedInvitation): Promise<MadeInvitation | InvitationRefusal> {
    const { kind, domain, account, maker, username, uses = 1 } = wanted;
    const { store, options, clock } = this.#deps;
    const { enabled, lifetimeMs, maxOfMaker } = options;
    if (kind === 'account' && !enabled) return 'off';
    const token = newToken();
    const createdAtMs = clock.nowMs();
    const usual = kind === 'reset' ? resetLifetimeMs : lifetimeMs;
    const expiresAtMs = createdAtMs + (wanted.lifetimeMs ?? usual);
    const terms = { kind, domain, account: account?.toString(), maker: maker?.toString(), username, uses };
    const tokenHash = hashOfToken(token);
    const id = await store.add({ ...terms, createdAtMs, expiresAtMs, tokenHash }, maxOfMaker);
    if (typeof id === 'string') return id;
    return { id, uri: uriOf(wanted, token), landingUrl: this.#landingUrl(kind, token), expiresAtMs };
  }

  /** Those that have not ended, in the order in which they were made. */
  list(page: InvitationPage): Promise<StoredInvitation[]> {
    return this.#deps.store.list(page, this.#deps.clock.nowMs());
  }

  /** False if there is none with this id. */
  revoke(id: number): Promise<boolean> {
    return this.#deps.store.remove(id);
  }

  #landingUrl(kind: InvitationKind, token: string): string | undefined {
    const { url } = this.#deps.options;
    return url && `${url}/${kind === 'reset' ? 'reset' : 'invite'}/${token}`;
  }
}

const tokenBytes = 20;
const tokenDigits = 32;

/** 160 random bits in the digits 0 to 9 and a to v. */
function newToken(): string {
  return BigInt(`0x${randomBytes(tokenBytes).toString('hex')}`)
    .toString(tokenDigits)
    .padStart(tokenDigits, '0');
}

/** What the store knows of a token. */
export function hashOfToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** The URI with which a client takes an invitation (XEP-0379 §3.2, XEP-0445 §2); undefined for a link that sets a password. */
export function uriOf(
  { kind, domain, account, username }: Pick<WantedInvitation, 'kind' | 'domain' | 'account' | 'username'>,
  token: string,
): string | undefined {
  if (kind === 'reset') return undefined;
  const registers = kind === 'account';
  if (account && username === undefined)
    return `xmpp:${inUri(account)}?roster;preauth=${token}${registers ? ';ibr=y' : ''}`;
  return `xmpp:${inUri(Jid.from(username ?? '', domain))}?register;preauth=${token}`;
}

/** An address as a URI has it (RFC 5122 §2.2). */
function inUri({ local, domain }: Jid): string {
  const name = encodeURIComponent(domain).replaceAll(/%5B|%5D|%3A/gi, decodeURIComponent);
  return local === '' ? name : `${encodeURIComponent(local)}@${name}`;
}
