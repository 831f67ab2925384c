import { expect } from 'chai';
import type { ExistingRoom } from '../../src/groupchat/room/state.ts';
import { SeededRandom } from '../faults/seeded-random.ts';
import { nameOf, RandomSteps, type Step } from './random-steps.ts';
import { configuration } from './room-bench.ts';
import type { RoomClient } from './room-client.ts';
import { type WholeRoom, WholeServer } from './whole-room.ts';

const locals = ['juliet', 'romeo', 'nurse', 'tybalt'].flatMap((name) => [`${name}@a.example/a`, `${name}@a.example/b`]);
const remotes = ['mercutio', 'rosaline'].flatMap((name) => [`${name}@b.example/a`, `${name}@b.example/b`]);
const clients = [...locals, ...remotes];
const names = new Set(clients.map(nameOf));
const owner = 'juliet@a.example/a';
const addresses = ['hall@rooms.example', 'orchard@rooms.example'];
/** More by hand: `AMPERE_WALKS=100 mocha test/groupchat/whole-room.test.ts`. */
const walks = Number(process.env['AMPERE_WALKS'] ?? 1);
const stepsOfWalk = 250;

/** What happens in one room. */
class WalkedRoom {
  readonly #random: SeededRandom;
  readonly #whole: WholeRoom;
  readonly #steps: RandomSteps;
  /** Clients that must enter again to learn who shows full JIDs. */
  readonly #unrefreshed = new Set<string>();
  #room!: ExistingRoom;

  constructor(random: SeededRandom, whole: WholeRoom) {
    this.#random = random;
    this.#whole = whole;
    const isInside = (client: string) => this.#room?.occupants.isInside(client);
    this.#steps = new RandomSteps(random, { owner, clients, isInside });
  }

  async opens(): Promise<void> {
    await this.#whole.does(this.#steps.enters(owner));
    const stanza = configuration({ 'muc#roomconfig_persistentroom': '1' });
    await this.#whole.does({ client: owner, stanza, nick: '', expected: 'yes' });
    await this.looks();
  }

  async looks(): Promise<void> {
    this.#room = await this.#whole.state();
  }

  /** Somebody does something. */
  async does(title: string): Promise<void> {
    const name = this.#steps.pick(clients.filter((one) => !this.#client(one).isAway && !this.#client(one).isStale));
    const client = this.#client(name);
    client.hasSession = true;
    client.reads(client.unread);
    const step = this.#steps.next(name);
    this.#awaits(step);
    expect(await this.#whole.does(step), `${title}: ${name} sends ${step.stanza}`).to.equal(step.expected);
    if (!step.refreshes) return;
    for (const one of clients) this.#unrefreshed.add(one);
    for (const one of clients) if (!this.#client(one).isAway && !this.#client(one).isStale) await this.#refreshes(one);
  }

  /** All clients of the occupant get a private message. */
  #awaits({ stanza, nick, expected }: Step): void {
    const id = /type='chat' id='(\w+)'/.exec(stanza)?.[1];
    if (id === undefined || expected !== 'yes') return;
    for (const { jid } of this.#room.occupants.named(nick)?.sessions ?? [])
      this.#client(jid.toString()).awaited.push(id);
  }

  /** Some write, and perhaps one changes the room; then the server crashes. */
  begins(): void {
    const present = this.#inside().filter((one) => !this.#client(one).isAway);
    for (const one of present.slice(0, this.#random.between(0, 4))) this.#begins(this.#steps.says(one));
    if (present.length === 0) return;
    const one = this.#steps.pick(present);
    this.#begins(this.#tossesCoin() ? this.#steps.affiliates(one) : this.#steps.configures(one));
  }

  #begins(step: Step): void {
    this.#whole.begins(step).catch(() => undefined);
  }

  /** The server runs `restart`, in which it stops and starts again. */
  restarted(orderly: boolean): void {
    this.#steps.plain.restarts();
    if (!orderly) for (const one of clients) this.#unrefreshed.add(one);
    this.#leaveUnless((name) => this.#client(name).hasSession);
  }

  /** The other server cannot be reached. */
  async losesLink(): Promise<void> {
    await this.#whole.losesLink(remotes);
    const { occupants } = await this.#whole.state();
    this.#leaveUnless((name) => occupants.isInside(name));
  }

  /** Who was in the room with a client, and is so no more, has left. */
  #leaveUnless(isStill: (client: string) => boolean): void {
    const still = new Set(this.#inside().filter(isStill).map(nameOf));
    for (const name of names) if (!still.has(name)) this.#steps.plain.leaves(name);
  }

  /** Some are back after a restart or a crash, and some read. */
  async goesOn(): Promise<void> {
    await this.looks();
    for (const [name, client] of this.#whole.clients) {
      if (client.isAway && this.#tossesCoin()) await this.#returns(name);
      if (client.isStale && this.#tossesCoin()) await this.#entersAgain(name);
    }
    for (const client of this.#whole.clients.values()) {
      if (client.isAway) continue;
      client.reads(this.#tossesCoin() ? client.unread : this.#random.between(0, client.unread + 1));
      if (this.#tossesCoin()) client.confirms();
    }
    await this.looks();
  }

  /** A client is back after a restart. */
  async #returns(name: string): Promise<void> {
    await this.#whole.welcomesBack(this.#client(name));
    await this.#refreshes(name);
  }

  /** A client of another server notices that ours has crashed: it enters again, unless it is out by now (XEP-0410). */
  async #entersAgain(name: string): Promise<void> {
    this.#client(name).ends();
    this.#unrefreshed.add(name);
    await this.#refreshes(name);
  }

  /** A client that is in the room enters again. */
  async #refreshes(name: string): Promise<void> {
    await this.looks();
    if (!this.#unrefreshed.delete(name) || !this.#room.occupants.isInside(name)) return;
    await this.#whole.does(this.#steps.enters(name));
    await this.looks();
  }

  async checks(title: string): Promise<void> {
    const archived = await this.#whole.archived();
    for (const name of names) {
      const role = this.#room.occupants.named(name)?.role ?? 'none';
      expect(role, `${title}: role of ${name}`).to.equal(this.#steps.plain.person(name).role);
    }
    for (const [name, client] of this.#whole.clients) {
      if (client.isAway || client.isStale) continue;
      checkHeard(client, archived, `${title}: what ${name} has heard`);
      if (client.unread > 0) continue;
      client.view.check(this.#room, name, title);
      expect(client.whispers, `${title}: what was whispered to ${name}`).to.deep.equal(client.awaited);
    }
  }

  #client(name: string): RoomClient {
    return this.#whole.client(name);
  }

  #inside(): string[] {
    return clients.filter((client) => this.#room.occupants.isInside(client));
  }

  #tossesCoin(): boolean {
    return this.#random.between(0, 2) === 0;
  }
}

/** A walk of a server with two rooms through random steps, restarts, crashes, and broken links to another server. */
class Walk {
  readonly #random: SeededRandom;
  readonly #server = new WholeServer(addresses, clients);
  readonly #rooms: readonly WalkedRoom[];

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#rooms = [...this.#server.wholeRooms.values()].map((whole) => new WalkedRoom(random, whole));
  }

  async run(title: string): Promise<void> {
    await this.#server.start();
    try {
      await this.#all((room) => room.opens());
      for (let number = 0; number < stepsOfWalk; number += 1) await this.#goOn(`${title}, step ${number}`);
    } finally {
      await this.#server.end();
    }
    expect(this.#server.alarms, title).to.deep.equal([]);
  }

  async #goOn(title: string): Promise<void> {
    const kind = this.#random.between(0, 25);
    if (kind === 0) await this.#restarts(true);
    else if (kind === 1) await this.#restarts(false);
    else if (kind === 2) await this.#all((room) => room.losesLink());
    else if (kind < 5) await this.#server.secondPasses();
    else await this.#rooms[this.#random.between(0, this.#rooms.length)]?.does(title);
    await this.#all((room) => room.goesOn());
    for (const [index, room] of this.#rooms.entries()) await room.checks(`${title} in ${addresses[index]}`);
  }

  async #restarts(orderly: boolean): Promise<void> {
    // Those who do not come back.
    const lost = new Set(locals.filter(() => this.#random.between(0, 5) === 0));
    if (!orderly) for (const room of this.#rooms) room.begins();
    await this.#server.restarts(lost, orderly);
    for (const room of this.#rooms) room.restarted(orderly);
  }

  async #all(act: (room: WalkedRoom) => Promise<void>): Promise<void> {
    for (const room of this.#rooms) await act(room);
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

describe('Rooms with their store under random steps, restarts, crashes and broken links', function () {
  this.timeout(60_000 * walks);

  it('decide as the rules say, show every client the same room, and lose no message', async () => {
    const random = new SeededRandom();
    for (let walk = 0; walk < walks; walk += 1) await new Walk(random).run(`seed ${random.seed}, walk ${walk}`);
  });
});
