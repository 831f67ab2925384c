import type {
  Detachment,
  NewResumableSession,
  NewUnacknowledged,
  ResumableSession,
  ResumptionStore,
  Unacknowledged,
} from '../../src/storage/resumption.ts';

interface Row extends Unacknowledged {
  readonly key: string | undefined;
}

/** What the disk would have of sessions and of stanzas that are not acknowledged. */
export class MemoryResumption implements ResumptionStore {
  readonly sessions = new Map<string, ResumableSession>();
  readonly gone = new Map<string, { readonly owner: string; readonly handled: number }>();
  rows: Row[] = [];
  /** The numbers that were written down after the stanzas. */
  readonly numbered: number[] = [];
  readonly #attached = new Set<string>();
  #lastId = 0;

  /** The kept stanzas, as text. */
  get kept(): string[] {
    return this.rows.map(({ bytes }) => bytes.toString());
  }

  async open(session: NewResumableSession): Promise<void> {
    this.sessions.set(session.key, { ...session, handled: 0, detachedAtMs: 0 });
    this.#attached.add(session.key);
  }

  async handled(key: string, handled: number, state?: string): Promise<void> {
    this.#change(key, { handled, ...(state === undefined ? {} : { state }) });
  }

  async detach(
    key: string,
    { atMs, handled, state }: Detachment,
    stanzas: readonly NewUnacknowledged[],
  ): Promise<number[]> {
    const owner = this.sessions.get(key)?.owner ?? '';
    this.#change(key, { handled, state, detachedAtMs: atMs });
    this.#attached.delete(key);
    this.rows = this.rows.filter((row) => row.key !== key);
    return stanzas.map((stanza) => this.#add(owner, key, stanza));
  }

  async attach(key: string): Promise<void> {
    this.#attached.add(key);
  }

  async end(key: string, handled: number): Promise<void> {
    const { owner = '' } = this.sessions.get(key) ?? {};
    this.sessions.delete(key);
    this.gone.set(key, { owner, handled });
  }

  async handledBeforeEnd(key: string, owner: string): Promise<number | undefined> {
    const found = this.gone.get(key);
    return found?.owner === owner ? found.handled : undefined;
  }

  async living(nowMs: number): Promise<ResumableSession[]> {
    for (const key of this.#attached) this.#change(key, { detachedAtMs: nowMs });
    this.#attached.clear();
    return [...this.sessions.values()];
  }

  async add(owner: string, key: string | undefined, stanza: NewUnacknowledged): Promise<number> {
    return this.#add(owner, key, stanza);
  }

  async number(id: number, sequence: number): Promise<void> {
    this.numbered.push(sequence);
    this.rows = this.rows.map((row) => (row.id === id ? { ...row, sequence } : row));
  }

  async remove(ids: readonly number[]): Promise<void> {
    this.rows = this.rows.filter(({ id }) => !ids.includes(id));
  }

  async stanzasOf(key: string): Promise<Unacknowledged[]> {
    return this.rows.filter((row) => row.key === key);
  }

  async strays(afterId: number, limit: number): Promise<Unacknowledged[]> {
    const strays = this.rows.filter(({ id, key }) => id > afterId && (key === undefined || !this.sessions.has(key)));
    return strays.slice(0, limit);
  }

  #add(owner: string, key: string | undefined, stanza: NewUnacknowledged): number {
    this.#lastId += 1;
    this.rows.push({ ...stanza, id: this.#lastId, owner, key });
    return this.#lastId;
  }

  #change(key: string, changes: Partial<ResumableSession>): void {
    const session = this.sessions.get(key);
    if (session) this.sessions.set(key, { ...session, ...changes });
  }
}
