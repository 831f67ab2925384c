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

  write(message: SentMessage): void {
    this.messages.set(message.id, message);
  }

  receive(account: string, id: string, body: string): void {
    const message = this.messages.get(id);
    if (!message) this.faults.push(`${account} got ${id}, which was never sent`);
    else if (message.body !== body) this.faults.push(`${account} got another text as ${id}`);
    else if (accountOf(message.to) !== account) this.faults.push(`${account} got ${id}, which is to ${message.to}`);
    this.received.push({ account, id });
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
