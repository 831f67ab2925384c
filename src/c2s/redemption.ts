import { Jid } from '../protocol/jid.ts';
import type { Account } from '../routing/account.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import type { InvitationKind, InvitationStore, StoredInvitation } from '../storage/invitations.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { hashOfToken, type InvitationOptions } from './invitations.ts';
import type { FailureLimiter } from './negotiation/sasl/failure-limiter.ts';
import type { Registrar } from './registrar.ts';

/** Dependencies of {@link Redemption}. */
interface RedemptionDeps {
  readonly store: Pick<InvitationStore, 'find' | 'use'>;
  readonly registrar: Pick<Registrar, 'create' | 'resetPassword'>;
  readonly account: (jid: Jid) => MaybePromise<Account | undefined>;
  /** Makes two accounts contacts of each other. */
  readonly connect: (one: Account, other: Account) => Promise<void>;
  readonly isSuspended: (account: string) => boolean;
  /** Read at each use. */
  readonly options: Pick<InvitationOptions, 'enabled'>;
  /** Blocks addresses that guess tokens. */
  readonly limiter: Pick<FailureLimiter, 'blockedForMs' | 'failed'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}

/** An invitation whose token somebody has shown. */
export interface ShownInvitation extends StoredInvitation {
  readonly token: string;
}

/** An address has shown too many wrong tokens. */
export class TooManyTokens extends Error {
  constructor() {
    super('too many wrong tokens from this address; try again later');
    this.name = 'TooManyTokens';
  }
}

const tokenPattern = /^[0-9a-v]{32}$/;

/**
 * What the holders of tokens do with them. A token that is unknown, used up, expired, revoked, or of a suspended user is the same to them:
 * nothing.
 */
export class Redemption {
  readonly #deps: RedemptionDeps;

  constructor(deps: RedemptionDeps) {
    this.#deps = deps;
  }

  /** Whether people can register with invitations. */
  get enabled(): boolean {
    return this.#deps.options.enabled;
  }

  /**
   * Finds the invitation of a token, without using it. `domain`: one for this domain only. Rejects with {@link TooManyTokens} if the address
   * has shown too many that are not valid.
   */
  async find(
    token: string,
    kinds: readonly InvitationKind[],
    { remoteAddress, domain }: { readonly remoteAddress: string; readonly domain?: string },
  ): Promise<ShownInvitation | undefined> {
    const { limiter } = this.#deps;
    if (limiter.blockedForMs(remoteAddress) > 0) throw new TooManyTokens();
    const found = await this.#valid(token, kinds);
    if (found && (domain === undefined || domain === found.domain)) return { ...found, token };
    limiter.failed(remoteAddress);
    return undefined;
  }

  /**
   * Registers an account with an invitation that was found, also if it has expired since (XEP-0445 §4). The user and the one who invited
   * become contacts. Rejects as `Registrar.create` does.
   */
  async register({ id, token, account: inviter }: ShownInvitation, account: Jid, password: string): Promise<void> {
    const { registrar, log } = this.#deps;
    await registrar.create(account, password, { invitation: hashOfToken(token) });
    log.info({ jid: account.toString(), invitation: id, inviter }, 'registered with an invitation');
    if (inviter !== undefined) await this.#introduce(account, Jid.parse(inviter));
  }

  /** Whether a request for a subscription, which shows the token, is accepted (XEP-0379 §3.5). Uses the invitation. */
  async accepts(token: string, account: Account): Promise<boolean> {
    const found = await this.#valid(token, ['account', 'contact']);
    return found?.account === account.key && this.#deps.store.use(hashOfToken(token));
  }

  /** Sets the password of the account that a link is for. Rejects as `Registrar.resetPassword` does. */
  async resetPassword({ token, account }: ShownInvitation, password: string): Promise<void> {
    if (account === undefined) throw new Error('a link without an account');
    await this.#deps.registrar.resetPassword(Jid.parse(account), password, hashOfToken(token));
    this.#deps.log.info({ jid: account }, 'password set with a link');
  }

  async #valid(token: string, kinds: readonly InvitationKind[]): Promise<StoredInvitation | undefined> {
    const { store, isSuspended, clock } = this.#deps;
    if (!tokenPattern.test(token)) return undefined;
    const found = await store.find(hashOfToken(token));
    if (!found || !kinds.includes(found.kind) || found.expiresAtMs <= clock.nowMs()) return undefined;
    if (found.kind === 'account' && !this.enabled) return undefined;
    const behind = [found.maker, found.kind === 'reset' ? undefined : found.account];
    return behind.some((jid) => jid !== undefined && isSuspended(jid)) ? undefined : found;
  }

  /** The registration stands, also if this fails. */
  async #introduce(newcomer: Jid, inviter: Jid): Promise<void> {
    const { account, connect, log } = this.#deps;
    try {
      const [one, other] = [await account(newcomer), await account(inviter)];
      if (one && other) await connect(one, other);
    } catch (error) {
      log.error({ err: error, jid: newcomer.toString(), inviter: inviter.toString() }, 'the contact was not added');
    }
  }
}
