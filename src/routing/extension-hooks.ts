import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { Element } from '../xml/element.ts';
import type { Account } from './account.ts';
import type {
  BarredUsers,
  Extension,
  NonzaHandler,
  SessionFeature,
  StanzaFilter,
  StatusSection,
  StreamStage,
} from './extension.ts';
import type { ExtensionListener } from './extension-listener.ts';
import type { MessageArchive } from './message-archive.ts';
import type { MessageStore } from './message-store.ts';
import type { BoundOperation } from './operation.ts';
import type { Session } from './session.ts';

type HookName = 'admit' | 'prepare' | 'judge' | 'recall' | 'record' | 'settleDue' | 'detached';
type Hook<Name extends HookName> = NonNullable<Extension<never>[Name]>;
type FilterOf<Direction extends keyof StanzaFilter> = NonNullable<StanzaFilter[Direction]>;

/** The hooks of all extensions, each in the order of the list. Empty until {@link install}. */
export class ExtensionHooks {
  #extensions: readonly Extension<never>[] = [];
  #messageStore: MessageStore | undefined;
  #messageArchive: MessageArchive | undefined;
  #detached: readonly Hook<'detached'>[] = [];
  outboundFilters: readonly FilterOf<'outbound'>[] = [];
  inboundFilters: readonly FilterOf<'inbound'>[] = [];
  admissions: readonly Hook<'admit'>[] = [];
  prepares: readonly Hook<'prepare'>[] = [];
  judges: readonly Hook<'judge'>[] = [];
  recalls: readonly Hook<'recall'>[] = [];
  recorders: readonly Hook<'record'>[] = [];

  /** Sets the extensions that are on. Throws an Error if two of them store or archive messages. */
  install(extensions: readonly Extension<never>[]): void {
    this.#extensions = extensions;
    this.outboundFilters = extensions.flatMap(({ filter }) => filter?.outbound ?? []);
    this.inboundFilters = extensions.flatMap(({ filter }) => filter?.inbound ?? []);
    this.admissions = this.#all('admit');
    this.prepares = this.#all('prepare');
    this.judges = this.#all('judge');
    this.recalls = this.#all('recall');
    this.recorders = this.#all('record');
    this.#detached = this.#all('detached');
    this.#messageStore = this.#only('messageStore');
    this.#messageArchive = this.#only('messageArchive');
  }

  /** The extensions that are on, in the order of the list. */
  get extensions(): readonly Extension<never>[] {
    return this.#extensions;
  }

  /** Stores messages for absent users; undefined if no extension does. */
  get messageStore(): MessageStore | undefined {
    return this.#messageStore;
  }

  /** Archives messages, and finds archived ones; undefined if no extension does. */
  get messageArchive(): MessageArchive | undefined {
    return this.#messageArchive;
  }

  get nonzas(): readonly NonzaHandler[] {
    return this.#extensions.flatMap(({ nonzas }) => nonzas ?? []);
  }

  get sessionFeatures(): readonly SessionFeature[] {
    return this.#extensions.flatMap(({ sessionFeatures }) => sessionFeatures ?? []);
  }

  get listeners(): readonly ExtensionListener[] {
    return this.#extensions.flatMap(({ listener }) => listener ?? []);
  }

  get operations(): readonly BoundOperation[] {
    return this.#extensions.flatMap(({ operations }) => operations ?? []);
  }

  /** The status of each extension that has one, by name. */
  status(): Readonly<Record<string, StatusSection>> {
    return Object.fromEntries(this.#extensions.flatMap(({ name, status }) => (status ? [[name, status()]] : [])));
  }

  /** Elements for the stream features at a stage of the negotiation. */
  streamFeatures(stage: StreamStage): readonly Element[] {
    return this.#extensions.flatMap(({ streamFeatures }) => streamFeatures?.(stage) ?? []);
  }

  /** Tells all extensions that the sessions of the last run are in the directory. */
  restored(): void {
    for (const { restored } of this.#extensions) restored?.();
  }

  /** Tells all extensions that a session of the last run was resumed. */
  returned(session: Session): void {
    for (const { returned } of this.#extensions) returned?.(session);
    if (session.presence.available) this.readyForMessages(session);
  }

  /** Tells all extensions that a stream with the server of a domain has broken. */
  linkBroken(remote: string): void {
    for (const { linkBroken } of this.#extensions) linkBroken?.(remote);
  }

  /** Tells all extensions that users of other servers are barred. Resolves when these users were told. */
  async barred(users: BarredUsers): Promise<void> {
    await Promise.all(this.#extensions.map(({ barred }) => barred?.(users)));
  }

  /** Tells all extensions that the ports are open. */
  opened(): void {
    for (const { opened } of this.#extensions) opened?.();
  }

  /** Tells all extensions, one after the other, that the server ends. The store is still open. */
  async closing(): Promise<void> {
    for (const { closing } of this.#extensions) await closing?.();
  }

  /** Tells all extensions, one after the other, that a client of the account has blocked an address. */
  async blocked(account: Account, jid: Jid, item: Element): Promise<void> {
    for (const { blocked } of this.#extensions) await blocked?.(account, jid, item);
  }

  /** Tells all extensions that an account was removed, from disk and memory. */
  accountRemoved(account: Jid): void {
    for (const { accountRemoved } of this.#extensions) accountRemoved?.(account);
  }

  /** Ends what extensions keep for a device of an account. Resolves when all have done so. */
  async deviceRevoked(account: Jid, device: string): Promise<void> {
    for (const { deviceRevoked } of this.#extensions) await deviceRevoked?.(account, device);
  }

  /** Settles the stored messages of an account that have come due, before they are read. Resolves with false if no extension does that. */
  async settleDue(account: string): Promise<boolean> {
    const settlers = this.#all('settleDue');
    for (const settle of settlers) await settle(account);
    return settlers.length > 0;
  }

  /** Tells all extensions that the connection of a session is lost, and which stanzas its client may not have. */
  connectionLost(session: Session, unconfirmed: readonly Stanza[]): void {
    for (const hook of this.#detached) hook.lost?.(session, unconfirmed);
  }

  /** Tells all extensions that a stanza waits for the client of a session without a connection. */
  waiting(session: Session, stanza: Stanza): void {
    for (const hook of this.#detached) hook.waiting?.(session, stanza);
  }

  /**
   * Tells all extensions that the session was bound while its client authenticated, and resolves with what they add to the answer. One
   * that fails adds nothing; `failed` gets the reason.
   */
  async boundInline(session: Session, failed: (error: unknown) => void): Promise<readonly Element[]> {
    const answers = await Promise.allSettled(
      this.#extensions.flatMap(({ boundInline }) => boundInline?.(session) ?? []),
    );
    return answers.flatMap((answer) => {
      if (answer.status === 'fulfilled') return answer.value;
      failed(answer.reason);
      return [];
    });
  }

  /** Tells all extensions that the session can take messages now. */
  readyForMessages(session: Session): void {
    for (const extension of this.#extensions) extension.readyForMessages?.(session);
  }

  /** Tells all extensions that a room has a message for an account without a client in it. */
  missed(account: Account, message: Stanza): void {
    for (const { missed } of this.#extensions) missed?.(account, message);
  }

  #only<Name extends 'messageStore' | 'messageArchive'>(name: Name): Extension<never>[Name] | undefined {
    const [first, second] = this.#extensions.filter((extension) => extension[name] !== undefined);
    if (second) throw new Error(`the extensions ${first?.name} and ${second.name} both have a ${name}`);
    return first?.[name];
  }

  #all<Name extends HookName>(name: Name): Hook<Name>[] {
    return this.#extensions.flatMap((extension) => extension[name] ?? []);
  }
}
