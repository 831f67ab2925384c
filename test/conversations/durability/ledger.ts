/** One message of a walk. */
export interface SentMessage {
  readonly id: string;
  /** The name of the client that sends it. */
  readonly writer: string;
  /** The address, without the domain. */
  readonly to: string;
  readonly type: 'chat' | 'normal';
  /** Its text, the same in every copy. */
  readonly body: string;
  /** The time at which it expires (XEP-0079 §3.3.2). */
  readonly expiresAtMs?: number | undefined;
}

/** A message received by an account. */
interface Receipt {
  readonly account: string;
  readonly id: string;
  /** The id that the archive of the account has given it. */
  readonly stanzaId: string | undefined;
}

/** A message in the archive of an account. */
export interface Archived {
  readonly stanzaId: string;
  readonly id: string;
  readonly body: string;
}

/** Records what was sent, acknowledged, refused and received, and finds broken promises. */
export class Ledger {
  readonly messages = new Map<string, SentMessage>();
  readonly acknowledged = new Set<string>();
  /** Messages that came back as errors. */
  readonly refused = new Set<string>();
  readonly received: Receipt[] = [];
  readonly faults: string[] = [];
  /** Messages of ended sessions: their errors may have reached no client. */
  readonly unheard = new Set<string>();
  /** The number of messages kept for an account with a client that may have answered no ping for ten minutes. */
  readonly keptUpTo = new Map<string, number>();
  /** Whether the disk has refused a write: errors may have been lost, and messages sent again. */
  troubled = false;

  /** How often each message was written: again, if its client did not know what had become of it. */
  readonly #writes = new Map<string, number>();

  write(message: SentMessage): void {
    this.messages.set(message.id, message);
  }

  /** The message is sent once more. */
  wrote({ id }: SentMessage): void {
    this.#writes.set(id, (this.#writes.get(id) ?? 0) + 1);
  }

  receive(account: string, id: string, body: string, stanzaId: string | undefined): void {
    const message = this.messages.get(id);
    if (!message) this.faults.push(`${account} got ${id}, which was never sent`);
    else if (message.body !== body) this.faults.push(`${account} got another text as ${id}`);
    else if (accountOf(message.to) !== account) this.faults.push(`${account} got ${id}, which is to ${message.to}`);
    this.received.push({ account, id, stanzaId });
  }

  refuse(id: string): void {
    this.refused.add(id);
  }

  /** Acknowledged messages that neither arrived nor came back. */
  lost(nowMs: number): string[] {
    const arrived = new Set(this.received.map(({ id }) => id));
    const isLost = ({ id, to, type, expiresAtMs }: SentMessage) =>
      !arrived.has(id) &&
      !this.refused.has(id) &&
      !(this.troubled && this.unheard.has(id)) &&
      // Its error went to a session that may have ended.
      !(type === 'normal' && to.includes('/')) &&
      !(expiresAtMs !== undefined && expiresAtMs <= nowMs);
    return [...this.acknowledged].filter((id) => {
      const message = this.messages.get(id);
      return message && isLost(message) && !this.#mayBeForgotten(message);
    });
  }

  /** What is wrong with the archive of an account. */
  archiveFaults(account: string, archived: readonly Archived[]): string[] {
    const forged = archived.filter(({ id, body }) => this.messages.get(id)?.body !== body);
    const copies = Map.groupBy(archived, ({ id }) => id);
    const excess = [...copies].filter(([id, { length }]) => length > (this.#writes.get(id) ?? 0));
    const ids = new Map(archived.map(({ stanzaId, id }) => [stanzaId, id]));
    const mistaken = this.received.filter(
      (one) => one.account === account && one.stanzaId !== undefined && (ids.get(one.stanzaId) ?? one.id) !== one.id,
    );
    const missing = [...this.acknowledged].filter((id) => this.#isArchivedBy(account, id) && !copies.has(id));
    return [
      ...forged.map(({ id }) => `${account}'s archive has ${id}, which was not sent like that`),
      ...excess.map(([id]) => `${account}'s archive has ${id} more often than it was sent`),
      ...mistaken.map(({ id }) => `${account} got ${id} under the id of another message`),
      ...missing.map((id) => `${account}'s archive does not have ${id}`),
    ];
  }

  /** Whether a message that was acknowledged must be in the archive. A rule may have ended one, or its delivery have failed. */
  #isArchivedBy(account: string, id: string): boolean {
    const message = this.messages.get(id);
    if (!message || message.expiresAtMs !== undefined || this.troubled) return false;
    if (accountOf(message.writer) === account) return true;
    const mayFail = message.type === 'normal' && message.to.includes('/');
    return accountOf(message.to) === account && !this.refused.has(id) && !mayFail && !this.#mayBeForgotten(message);
  }

  #mayBeForgotten(message: SentMessage): boolean {
    const account = accountOf(message.to);
    const most = this.keptUpTo.get(account);
    if (most === undefined) return false;
    return [...this.messages.values()].filter(({ to }) => accountOf(to) === account).length > most;
  }

  /** Messages whose first copy came after that of a later one of the same writer to the same address. */
  disorder(account: string): string[] {
    if (this.troubled) return [];
    const latest = new Map<string, number>();
    const first = new Set(this.received.filter((one) => one.account === account).map(({ id }) => id));
    return [...first].filter((id) => {
      const { writer, to, type } = this.messages.get(id) ?? { writer: '', to: '', type: '' };
      const key = `${writer} ${to} ${type}`;
      const number = Number(id.split('-')[1]);
      const early = number < (latest.get(key) ?? -1);
      latest.set(key, Math.max(number, latest.get(key) ?? -1));
      return early;
    });
  }
}

/** The account of a name such as `carol` or `carol/home`. */
export function accountOf(name: string): string {
  return name.split('/')[0] ?? '';
}
