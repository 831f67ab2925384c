/** One message of the walk. */
export interface Letter {
  readonly id: string;
  /** The name of the actor who writes it. */
  readonly writer: string;
  /** The address as it was written, without the domain. */
  readonly to: string;
  readonly type: 'chat' | 'normal';
  /** What the message says; the same in every copy. */
  readonly body: string;
  /** It is dropped if it is not delivered by then (XEP-0079 §3.3.2). */
  readonly expiresAtMs?: number | undefined;
}

/** What a recipient got. */
interface Receipt {
  readonly account: string;
  readonly id: string;
}

/** What was promised and what has come of it. */
export class Ledger {
  readonly letters = new Map<string, Letter>();
  readonly acknowledged = new Set<string>();
  /** Came back as an error. */
  readonly refused = new Set<string>();
  readonly received: Receipt[] = [];
  readonly faults: string[] = [];
  /** Written in sessions that have ended: if they were refused, nobody may have heard it. */
  readonly unheard = new Set<string>();
  /** Accounts for which only so many letters are kept, because a client of theirs may have proved nothing for ten minutes. */
  readonly keptUpTo = new Map<string, number>();
  /** Whether the disk has refused something: letters may have come back unheard, and been written again. */
  troubled = false;

  write(letter: Letter): void {
    this.letters.set(letter.id, letter);
  }

  receive(account: string, id: string, body: string): void {
    const letter = this.letters.get(id);
    if (!letter) this.faults.push(`${account} got ${id}, which nobody has written`);
    else if (letter.body !== body) this.faults.push(`${account} got another text as ${id}`);
    else if (accountOf(letter.to) !== account) this.faults.push(`${account} got ${id}, which is to ${letter.to}`);
    this.received.push({ account, id });
  }

  refuse(id: string): void {
    this.refused.add(id);
  }

  /** Letters that were acknowledged, and of which nobody knows anything. */
  lost(nowMs: number): string[] {
    const arrived = new Set(this.received.map(({ id }) => id));
    const isLost = ({ id, to, type, expiresAtMs }: Letter) =>
      !arrived.has(id) &&
      !this.refused.has(id) &&
      !(this.troubled && this.unheard.has(id)) &&
      // Its error went to a session that may have ended since.
      !(type === 'normal' && to.includes('/')) &&
      !(expiresAtMs !== undefined && expiresAtMs <= nowMs);
    return [...this.acknowledged].filter((id) => {
      const letter = this.letters.get(id);
      return letter && isLost(letter) && !this.#mayBeForgotten(letter);
    });
  }

  #mayBeForgotten(letter: Letter): boolean {
    const account = accountOf(letter.to);
    const most = this.keptUpTo.get(account);
    if (most === undefined) return false;
    return [...this.letters.values()].filter(({ to }) => accountOf(to) === account).length > most;
  }

  /** Letters whose first copy came behind that of a later one of the same writer to the same address. */
  disorder(account: string): string[] {
    if (this.troubled) return [];
    const latest = new Map<string, number>();
    const first = new Set(this.received.filter((one) => one.account === account).map(({ id }) => id));
    return [...first].filter((id) => {
      const { writer, to, type } = this.letters.get(id) ?? { writer: '', to: '', type: '' };
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
