import { expect } from 'chai';
import { type Letter, Party } from './party.ts';
import type { CrimeScene, Victim } from './victim.ts';

/** Messages that one writer has on the way. */
const window = 20;

/** Who is there, and how they write. */
export interface Cast {
  /** They have stream management. */
  readonly writers: readonly string[];
  /** Those who are written to, in turn, and whether they have stream management. */
  readonly readers: Readonly<Record<string, boolean>>;
  /** What a message has besides its text, in bytes. */
  readonly padding?: number;
  /** What the rules of messages do when these would be stored, in turn. */
  readonly whenStored?: readonly NonNullable<Letter['whenStored']>[];
}

/** Writers and readers whose server is killed again and again, and the reckoning at the end. */
export class Company {
  /** What the server has acknowledged, in this order. */
  readonly acknowledged: Letter[] = [];
  readonly writers: readonly Party[];
  readonly readers: readonly Party[];
  readonly #padding: number;
  readonly #rules: Cast['whenStored'];
  #written = 0;

  constructor({ writers, readers, padding = 0, whenStored }: Cast) {
    const notices = { acknowledged: (letters: readonly Letter[]) => void this.acknowledged.push(...letters) };
    this.writers = writers.map((name) => new Party(name, true, notices));
    this.readers = Object.entries(readers).map(([name, managed]) => new Party(name, managed, notices));
    this.#padding = padding;
    this.#rules = whenStored;
  }

  get all(): readonly Party[] {
    return [...this.writers, ...this.readers];
  }

  get names(): string[] {
    return this.all.map(({ name }) => name);
  }

  reader(name: string): Party {
    return this.readers.find((party) => party.name === name) ?? expect.fail(`${name} reads nothing`);
  }

  /** Every writer writes until as much as may be is on the way. */
  write(): void {
    for (const writer of this.writers) {
      while (writer.unacknowledged < window) {
        const to = this.readers[this.#written % this.readers.length]?.name ?? '';
        const whenStored = this.#rules?.[this.#written % this.#rules.length];
        const rule = whenStored && { whenStored };
        writer.writes({ id: `${writer.name}-${this.#written}`, to, padding: this.#padding, ...rule });
        this.#written += 1;
      }
    }
  }

  /** Writes, and these read, until their connections are lost; `each` is called after everything that comes. */
  async carriesOn(parties: readonly Party[], each: () => void): Promise<void> {
    const go = () => {
      each();
      this.write();
    };
    go();
    await Promise.all(parties.map((party) => party.reads(go)));
  }

  /** Writes until so much more is acknowledged. */
  async writesAcknowledged(count: number): Promise<void> {
    const until = this.acknowledged.length + count;
    while (this.acknowledged.length < until) {
      this.write();
      for (const writer of this.writers) await writer.readsAcknowledgments();
    }
  }

  /** Everybody comes back to the last server and reads all there is; then it stops, and its database is whole. */
  async returns(scene: CrimeScene, server: Victim): Promise<void> {
    for (const party of this.all) await party.arrives(server.port);
    for (const writer of this.writers) await writer.readsAcknowledgments();
    for (const party of this.all) await party.empties();
    for (const party of this.all) party.leaves();
    await server.stop();
    scene.expectSoundDatabase();
  }

  /** Nothing acknowledged is lost, what each writer wrote to each reader is in order, and only whole messages came twice. */
  expectNothingLost(acknowledged: readonly Letter[] = this.acknowledged): void {
    const received = new Map(this.readers.map((party) => [party.name, new Set(party.received)]));
    const lost = acknowledged.filter(({ id, to }) => !received.get(to)?.has(id));
    expect(lost.map(({ id, to }) => `${id} to ${to}`)).to.deep.equal([]);
    for (const { name, received: ids } of this.readers) expect(disorder(ids), name).to.deep.equal([]);
  }

  /** Of every message with a rule that is met, its writer has heard; what rules have stopped has come to nobody. */
  expectEverythingReported(): void {
    const reported = new Set(this.writers.flatMap((writer) => writer.reported));
    const silent = this.acknowledged.filter(({ id }) => !reported.has(id));
    expect(silent.map(({ id, whenStored }) => `${whenStored} ${id}`)).to.deep.equal([]);
  }

  /** What happened, in figures. */
  get figures(): string {
    const repeated = this.readers.reduce((sum, { received }) => sum + received.length - new Set(received).size, 0);
    return `${this.acknowledged.length} acknowledged, 0 lost, ${repeated} repeated`;
  }
}

/** Messages whose first copy came before that of an earlier one of the same writer. */
function disorder(ids: readonly string[]): string[] {
  const latest = new Map<string, number>();
  return [...new Set(ids)].filter((id) => {
    const [writer = '', number] = id.split('-');
    const early = Number(number) < (latest.get(writer) ?? -1);
    latest.set(writer, Math.max(Number(number), latest.get(writer) ?? -1));
    return early;
  });
}
