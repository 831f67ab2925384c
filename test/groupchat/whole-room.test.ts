import { expect } from 'chai';
import type { ExistingRoom } from '../../src/groupchat/room/state.ts';
import { SeededRandom } from '../faults/seeded-random.ts';
import { nameOf, RandomSteps } from './random-steps.ts';
import { configuration } from './room-bench.ts';
import { type RoomClient, WholeRoom } from './whole-room.ts';

const names = ['juliet', 'romeo', 'nurse', 'tybalt'] as const;
const clients = names.flatMap((name) => ['a', 'b'].map((resource) => `${name}@a.example/${resource}`));
const owner = 'juliet@a.example/a';
/** More by hand: `AMPERE_WALKS=100 mocha test/groupchat/whole-room.test.ts`. */
const walks = Number(process.env['AMPERE_WALKS'] ?? 2);
const stepsOfWalk = 250;

/** A walk of one room through random steps, restarts and crashes. */
class Walk {
  readonly #random: SeededRandom;
  readonly #whole = new WholeRoom(clients);
  readonly #steps: RandomSteps;
  /** Clients that must enter again to learn who shows full JIDs. */
  readonly #unrefreshed = new Set<string>();
  #room!: ExistingRoom;

  constructor(random: SeededRandom) {
    this.#random = random;
    const isInside = (client: string) => this.#room?.occupants.isInside(client);
    this.#steps = new RandomSteps(random, { owner, clients, isInside });
  }

  async run(title: string): Promise<void> {
    const whole = this.#whole;
    await whole.start();
    try {
      await whole.does(this.#steps.enters(owner));
      const stanza = configuration({ 'muc#roomconfig_persistentroom': '1' });
      await whole.does({ client: owner, stanza, nick: '', expected: 'yes' });
      this.#room = await whole.room();
      for (let number = 0; number < stepsOfWalk; number += 1) await this.#goOn(`${title}, step ${number}`);
    } finally {
      await whole.end();
    }
    expect(whole.alarms, title).to.deep.equal([]);
  }

  async #goOn(title: string): Promise<void> {
    const kind = this.#random.between(0, 25);
    if (kind === 0) await this.#restarts();
    else if (kind === 1) await this.#crashes();
    else if (kind < 4) await this.#whole.secondPasses();
    else await this.#does(title);
    this.#room = await this.#whole.room();
    for (const [name, client] of this.#whole.clients)
      if (client.isAway && this.#tossesCoin()) await this.#returns(name);
    this.#somebodyReads();
    await this.#check(title);
  }

  /** Somebody does something. */
  async #does(title: string): Promise<void> {
    const name = this.#steps.pick(clients.filter((one) => !this.#whole.client(one).isAway));
    const client = this.#whole.client(name);
    client.hasSession = true;
    client.reads(client.unread);
    const step = this.#steps.next(name);
    expect(await this.#whole.does(step), `${title}: ${name} sends ${step.stanza}`).to.equal(step.expected);
    if (!step.refreshes) return;
    for (const one of clients) this.#unrefreshed.add(one);
    for (const [one, { isAway }] of this.#whole.clients) if (!isAway) await this.#refreshes(one);
  }

  /** The server stops in an orderly way and starts again. */
  async #restarts(): Promise<void> {
    const inside = this.#inside();
    await this.#whole.restarts(this.#lost(), true);
    this.#steps.plain.restarts();
    for (const name of names) if (!this.#isStill(name, inside)) this.#steps.plain.leaves(name);
  }

  /** The server crashes while some write to the room, and perhaps one changes it. */
  async #crashes(): Promise<void> {
    const inside = this.#inside();
    const present = inside.filter((one) => !this.#whole.client(one).isAway);
    for (const one of present.slice(0, this.#random.between(0, 4))) this.#begins(this.#steps.says(one));
    if (present.length > 0) {
      const one = this.#steps.pick(present);
      this.#begins(this.#tossesCoin() ? this.#steps.affiliates(one) : this.#steps.configures(one));
    }
    await this.#whole.restarts(this.#lost(), false);
    this.#steps.plain.restarts();
    for (const one of clients) this.#unrefreshed.add(one);
    for (const name of names) if (!this.#isStill(name, inside)) this.#steps.plain.leaves(name);
  }

  #begins(step: Parameters<WholeRoom['begins']>[0]): void {
    this.#whole.begins(step).catch(() => undefined);
  }

  /** A client is back after a restart. */
  async #returns(name: string): Promise<void> {
    const client = this.#whole.client(name);
    await this.#whole.welcomesBack(client);
    await this.#refreshes(name);
  }

  /** A client that is in the room enters again. */
  async #refreshes(name: string): Promise<void> {
    this.#room = await this.#whole.room();
    if (!this.#unrefreshed.delete(name) || !this.#room.occupants.isInside(name)) return;
    await this.#whole.does(this.#steps.enters(name));
    this.#room = await this.#whole.room();
  }

  #somebodyReads(): void {
    for (const client of this.#whole.clients.values()) {
      if (client.isAway) continue;
      client.reads(this.#tossesCoin() ? client.unread : this.#random.between(0, client.unread + 1));
      if (this.#tossesCoin()) client.confirms();
    }
  }

  async #check(title: string): Promise<void> {
    const archived = await this.#whole.archived();
    for (const name of names) {
      const role = this.#room.occupants.named(name)?.role ?? 'none';
      expect(role, `${title}: role of ${name}`).to.equal(this.#steps.plain.person(name).role);
    }
    for (const [name, client] of this.#whole.clients) {
      if (client.isAway) continue;
      checkHeard(client, archived, `${title}: what ${name} has heard`);
      if (client.unread === 0) client.view.check(this.#room, name, title);
    }
  }

  /** Those who do not come back. */
  #lost(): Set<string> {
    return new Set(clients.filter(() => this.#random.between(0, 5) === 0));
  }

  #inside(): string[] {
    return clients.filter((client) => this.#room.occupants.isInside(client));
  }

  #isStill(name: string, inside: readonly string[]): boolean {
    return inside.some((client) => nameOf(client) === name && this.#whole.client(client).hasSession);
  }

  #tossesCoin(): boolean {
    return this.#random.between(0, 2) === 0;
  }
}

/** A client has heard a part of the archive without a hole, up to its end if it is in the room and has read everything. */
function checkHeard({ heard: all, view, unread }: RoomClient, archived: readonly string[], title: string): void {
  const start = all[0] === undefined ? archived.length : archived.indexOf(all[0]);
  // What it has not confirmed before it has entered again may come once more, too.
  const earlier = archived.slice(0, start);
  const heard = all.filter((id) => !earlier.includes(id));
  const isComplete = view.isInside && unread === 0;
  const expected = isComplete ? archived.slice(start) : archived.slice(start, start + heard.length);
  expect(heard, title).to.deep.equal(expected);
  if (isComplete) expect(heard.length > 0, title).to.equal(archived.length > 0);
}

describe('A room with its store under random steps, restarts and crashes', function () {
  this.timeout(60_000 * walks);

  it('decides as the rules say, shows every client the same room, and loses no message', async () => {
    const random = new SeededRandom();
    for (let walk = 0; walk < walks; walk += 1) await new Walk(random).run(`seed ${random.seed}, walk ${walk}`);
  });
});
