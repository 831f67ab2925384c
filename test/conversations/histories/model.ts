import type { AccountName, Content, Device } from './steps.ts';

/** A message of a history, and the archives that should have it. */
export interface Entry {
  readonly id: string;
  readonly from: Device;
  readonly to: AccountName;
  readonly content: Content | 'retraction';
  readonly archives: Set<AccountName>;
  /** A crash came before it was answered: it may have been lost. */
  isUncertain: boolean;
  isTakenBack: boolean;
  /** When it was sent, milliseconds since 1970. */
  readonly atMs: number;
}

const kept: ReadonlySet<Entry['content']> = new Set(['text', 'marker', 'forgery', 'retraction']);

/** What archives should have: a list of messages, each with its accounts. */
export class Model {
  readonly entries = new Map<string, Entry>();
  readonly #keeps = new Map<AccountName, boolean>();
  #sent = 0;

  /** The account archives messages from now on, or none of them. */
  prefer(account: AccountName, keeps: boolean): void {
    this.#keeps.set(account, keeps);
  }

  send(from: Device, to: AccountName, content: Entry['content'], atMs: number): Entry {
    const ends = new Set([accountOf(from), to]);
    const archives = kept.has(content) ? [...ends].filter((end) => this.#keeps.get(end) ?? true) : [];
    // Starts with its author, and counts.
    const id = `${from.replace('/', '.')}-${this.#sent++}`;
    const entry: Entry = {
      id,
      from,
      to,
      content,
      archives: new Set(archives),
      isUncertain: false,
      isTakenBack: false,
      atMs,
    };
    this.entries.set(id, entry);
    return entry;
  }

  /** A retraction replaces a message if every archive that has the message keeps the retraction, too. */
  takeBack(target: Entry, retraction: Entry): void {
    const holders = [...target.archives];
    if (holders.length > 0 && holders.every((one) => retraction.archives.has(one))) target.isTakenBack = true;
  }

  /** Messages of before a moment are removed. */
  sweep(beforeMs: number): void {
    for (const { atMs, archives } of this.entries.values()) if (atMs < beforeMs) archives.clear();
  }

  /** The messages that an archive should have, in the order in which they were written. */
  archiveOf(account: AccountName): Entry[] {
    return [...this.entries.values()].filter(({ archives }) => archives.has(account));
  }
}

/** The account of a device. */
export function accountOf(device: Device): AccountName {
  return device.split('/')[0] as AccountName;
}
