import type { Jid } from '../protocol/jid.ts';
import type { Element } from '../xml/element.ts';
import type { Extension, NonzaHandler, SessionFeature, StatusSection, StreamStage } from './extension.ts';
import type { MessageStore } from './message-store.ts';
import type { BoundOperation } from './operation.ts';
import type { Session } from './session.ts';

type HookName = 'filter' | 'prepare' | 'judge' | 'recall' | 'record' | 'settleDue';
type Hook<Name extends HookName> = NonNullable<Extension<never>[Name]>;

/** The hooks of all extensions, each in the order of the list. Empty until {@link install}. */
export class ExtensionHooks {
  #extensions: readonly Extension<never>[] = [];
  #messageStore: MessageStore | undefined;
  filters: readonly Hook<'filter'>[] = [];
  prepares: readonly Hook<'prepare'>[] = [];
  judges: readonly Hook<'judge'>[] = [];
  recalls: readonly Hook<'recall'>[] = [];
  recorders: readonly Hook<'record'>[] = [];

  /** Takes the extensions into use; called once, before the first stanza. Throws if two of them store messages. */
  install(extensions: readonly Extension<never>[]): void {
    this.#extensions = extensions;
    this.filters = this.#all('filter');
    this.prepares = this.#all('prepare');
    this.judges = this.#all('judge');
    this.recalls = this.#all('recall');
    this.recorders = this.#all('record');
    const [store, second] = extensions.filter(({ messageStore }) => messageStore !== undefined);
    if (second) throw new Error(`the extensions ${store?.name} and ${second.name} both store messages`);
    this.#messageStore = store?.messageStore;
  }

  /** The extensions, in the order of the list. */
  get extensions(): readonly Extension<never>[] {
    return this.#extensions;
  }

  /** Keeps messages for absent users; absent if no extension does. */
  get messageStore(): MessageStore | undefined {
    return this.#messageStore;
  }

  get nonzas(): readonly NonzaHandler[] {
    return this.#extensions.flatMap(({ nonzas }) => nonzas ?? []);
  }

  get sessionFeatures(): readonly SessionFeature[] {
    return this.#extensions.flatMap(({ sessionFeatures }) => sessionFeatures ?? []);
  }

  get operations(): readonly BoundOperation[] {
    return this.#extensions.flatMap(({ operations }) => operations ?? []);
  }

  /** What extensions add to the status of the server, by their names. */
  status(): Readonly<Record<string, StatusSection>> {
    return Object.fromEntries(this.#extensions.flatMap(({ name, status }) => (status ? [[name, status()]] : [])));
  }

  /** Elements for the stream features at a stage of the negotiation. */
  streamFeatures(stage: StreamStage): readonly Element[] {
    return this.#extensions.flatMap(({ streamFeatures }) => streamFeatures?.(stage) ?? []);
  }

  /** The server is open. */
  opened(): void {
    for (const { opened } of this.#extensions) opened?.();
  }

  /** The server is about to end; the store is still open. */
  async closing(): Promise<void> {
    for (const { closing } of this.#extensions) await closing?.();
  }

  /** An account is gone, on disk and from memory. */
  accountRemoved(account: Jid): void {
    for (const { accountRemoved } of this.#extensions) accountRemoved?.(account);
  }

  /** Settles the stored messages of an account that have come due, before they are read. False if no extension does that. */
  async settleDue(account: string): Promise<boolean> {
    const settlers = this.#all('settleDue');
    for (const settle of settlers) await settle(account);
    return settlers.length > 0;
  }

  /** The session has become able to take messages. */
  readyForMessages(session: Session): void {
    for (const extension of this.#extensions) extension.readyForMessages?.(session);
  }

  #all<Name extends HookName>(name: Name): Hook<Name>[] {
    return this.#extensions.flatMap((extension) => extension[name] ?? []);
  }
}
