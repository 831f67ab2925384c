import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { Log } from '../support/log.ts';
import type { Account } from './account.ts';
import type { Extension, PresenceHook } from './extension.ts';
import type { Session } from './session.ts';
import type { SubscriptionState } from './subscription-states.ts';

type Name = keyof PresenceHook;
type Watcher = Extension<never> & { readonly presence: PresenceHook };

/**
 * Calls the presence hooks of all extensions, in the order of the list. An error in a hook is logged, and the others go on, because
 * presence is also sent in the middle of other work, such as ending a session.
 */
export class PresenceHooks {
  readonly #log: Log;
  #announced: readonly Watcher[] = [];
  #withdrawn: readonly Watcher[] = [];
  #directedEnded: readonly Watcher[] = [];
  #arrived: readonly Watcher[] = [];
  #accepts: readonly Watcher[] = [];
  #subscriptionChanged: readonly Watcher[] = [];
  #dress: readonly Watcher[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  /** Sets the extensions that are on. */
  install(extensions: readonly Extension<never>[]): void {
    const having = (name: Name) => extensions.filter((one): one is Watcher => one.presence?.[name] !== undefined);
    this.#announced = having('announced');
    this.#withdrawn = having('withdrawn');
    this.#directedEnded = having('directedEnded');
    this.#arrived = having('arrived');
    this.#accepts = having('accepts');
    this.#subscriptionChanged = having('subscriptionChanged');
    this.#dress = having('dress');
  }

  announced(session: Session, presence: Stanza, initial: boolean): void {
    this.#each(this.#announced, (hook) => hook.announced?.(session, presence, initial));
  }

  withdrawn(session: Session, presence: Stanza): void {
    this.#each(this.#withdrawn, (hook) => hook.withdrawn?.(session, presence));
  }

  directedEnded(session: Session, addresses: readonly Jid[]): void {
    if (addresses.length > 0) this.#each(this.#directedEnded, (hook) => hook.directedEnded?.(session, addresses));
  }

  arrived(presence: Stanza, from: Jid, account: Account): void {
    this.#each(this.#arrived, (hook) => hook.arrived?.(presence, from, account));
  }

  /** Whether a hook accepts a request for a subscription. */
  async accepts(request: Stanza, account: Account): Promise<boolean> {
    for (const { name, presence } of this.#accepts) {
      try {
        if (await presence.accepts?.(request, account)) return true;
      } catch (error) {
        this.#log.error({ err: error, extension: name }, 'a presence hook failed');
      }
    }
    return false;
  }

  subscriptionChanged(account: Account, contact: Jid, before: SubscriptionState, after: SubscriptionState): void {
    this.#each(this.#subscriptionChanged, (hook) => hook.subscriptionChanged?.(account, contact, before, after));
  }

  /** Returns available presence with everything that the hooks add. */
  dress(presence: Stanza, account: Account): Stanza {
    let dressed = presence;
    this.#each(this.#dress, (hook) => {
      dressed = hook.dress?.(dressed, account) ?? dressed;
    });
    return dressed;
  }

  #each(watchers: readonly Watcher[], call: (hook: PresenceHook) => void): void {
    for (const { name, presence } of watchers) {
      try {
        call(presence);
      } catch (error) {
        this.#log.error({ err: error, extension: name }, 'a presence hook failed');
      }
    }
  }
}
