import { expect } from 'chai';
import { ArchiveIds } from '../../src/archives/archive-ids.ts';
import { readMessage, readPresence, readRequest, type Wish } from '../../src/groupchat/read-command.ts';
import { type RoomLimits, Rooms } from '../../src/groupchat/rooms.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import type { ArchivedForRecipients } from '../../src/routing/session.ts';
import type { OccupantChange } from '../../src/storage/rooms.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { brief } from './brief.ts';
import { MemoryRooms } from './memory-rooms.ts';

const hall = Jid.parse('hall@rooms.example');
const juliet = 'juliet@a.example/balcony';
const romeo = 'romeo@a.example/orchard';
const owner = 'http://jabber.org/protocol/muc#owner';

/** Writes that wait until the test lets them go on, one after the other. */
class Gate {
  readonly #waiting: PromiseWithResolvers<void>[] = [];

  readonly wait = (): Promise<void> => {
    const waiting = Promise.withResolvers<void>();
    this.#waiting.push(waiting);
    return waiting.promise;
  };

  async opens(error?: Error): Promise<void> {
    const next = this.#waiting.shift();
    if (!next) throw new Error('nothing is being written');
    if (error) next.reject(error);
    else next.resolve();
    await settled();
  }

  get count(): number {
    return this.#waiting.length;
  }
}

/** Everything that needs no write is done. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('The owner of a room', () => {
  let store: MemoryRooms;
  let rooms: Rooms;
  let clock: ManualClock;
  let log: RecordingLog;
  let lines: string[];
  /** The local clients that are connected or can come back. */
  let sessions: Set<string>;
  let pings: string[];
  let pingError: StanzaError | undefined;
  /** The last archived message that each client was sent. */
  let received: Map<string, ArchivedForRecipients>;
  /** What was sent to the room; resolves when everything that follows was said. */
  let said: Promise<void>[];

  function open(limits: RoomLimits = { maxRooms: 10, maxRoomsPerOwner: 2 }, restored = Promise.resolve()): void {
    rooms = new Rooms({
      listed: { has: () => false, sparesMembers: true, reason: '', refused: () => undefined },
      store,
      ids: () => Promise.resolve(new ArchiveIds(Buffer.alloc(16))),
      limits,
      isLocalDomain: (domain) => domain === 'a.example',
      hasSession: (client) => sessions.has(client.toString()),
      restored,
      ping: async (occupant, client) => {
        pings.push(`${client} as ${occupant.resource}`);
        return pingError;
      },
      send: (announcements, confirmed) => {
        for (const { stanza, to, isArchived, posted } of announcements) {
          for (const client of to) {
            lines.push(`${client.local} < ${brief(stanza.with({ to: client }).toString())}`);
            if (isArchived && posted !== undefined) received.set(client.toString(), confirmed.archived(posted));
          }
        }
      },
      clock,
      log,
    });
  }

  beforeEach(() => {
    store = new MemoryRooms();
    clock = new ManualClock();
    log = new RecordingLog();
    lines = [];
    sessions = new Set();
    received = new Map();
    said = [];
    pings = [];
    pingError = undefined;
    open();
  });

  const wishOf = (client: string, text: string, nick: string): Wish => {
    const from = Jid.parse(client);
    const to = nick === '' ? hall : hall.withResource(nick);
    const stanza = readStanza(text).with({ from, to });
    const read = { presence: readPresence, message: readMessage, iq: readRequest }[stanza.kind];
    const wish = read(stanza, from, to);
    if (!wish) throw new Error('means nothing');
    return wish;
  };

  /** Sends something to the room; the error that comes back is a line, too. */
  const sends = (client: string, text: string, nick = ''): void => {
    const refused = (error: unknown) => {
      const condition = error instanceof StanzaError || error instanceof StorageError ? error.message : String(error);
      lines.push(`${Jid.parse(client).local} < refused: ${condition}`);
    };
    try {
      const done = rooms.take(hall, wishOf(client, text, nick));
      if (done instanceof Promise) said.push(done.catch(refused));
    } catch (error) {
      refused(error);
    }
  };
  const enters = (client: string, nick: string) =>
    sends(client, "<presence><x xmlns='http://jabber.org/protocol/muc'/></presence>", nick);
  const says = (client: string, text: string) =>
    sends(client, `<message type='groupchat' id='m'><body>${text}</body></message>`);
  const configures = (client: string, form = "<x xmlns='jabber:x:data' type='submit'/>") =>
    sends(client, `<iq type='set' id='c'><query xmlns='${owner}'>${form}</query></iq>`);
  const named = (name: string) =>
    `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>` +
    `<field var='muc#roomconfig_roomname'><value>${name}</value></field></x>`;
  const taken = async () => {
    await settled();
    return lines.splice(0);
  };

  /** The room with its owner and somebody else in it. */
  async function peopled(): Promise<void> {
    enters(juliet, 'juliet');
    configures(juliet);
    enters(romeo, 'romeo');
    await taken();
  }

  it('creates a room durably before its creator is in it, and takes what comes meanwhile after that', async () => {
    const gate = new Gate();
    store.before = gate.wait;
    enters(juliet, 'juliet');
    configures(juliet);
    enters(romeo, 'romeo');
    expect(await taken()).to.deep.equal([]);
    await gate.opens();
    expect((await taken()).filter((line) => line.includes('110'))).to.deep.equal([
      `juliet < +juliet owner/moderator ${juliet} 110 201`,
      `romeo < +romeo none/participant ${romeo} 110`,
    ]);
  });

  it('makes a message durable before anybody gets it, and keeps the order of all that follows', async () => {
    await peopled();
    const gate = new Gate();
    store.before = gate.wait;
    says(romeo, 'one');
    says(juliet, 'two');
    sends(juliet, "<message type='groupchat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>");
    enters('nurse@a.example/x', 'nurse');
    expect(await taken()).to.deep.equal([]);
    await gate.opens();
    expect(await taken()).to.deep.equal(['juliet < romeo: one', 'romeo < romeo: one']);
    await gate.opens();
    expect((await taken()).filter((line) => line.startsWith('romeo') || line.includes('late'))).to.deep.equal([
      'romeo < juliet: two',
      'romeo < juliet ! composing occupant-id',
      'nurse < romeo: one (late)',
      'nurse < juliet: two (late)',
      'romeo < +nurse none/participant',
    ]);
  });

  it('tells the author alone if a message cannot be stored', async () => {
    await peopled();
    const gate = new Gate();
    store.before = gate.wait;
    says(romeo, 'lost');
    says(romeo, 'kept');
    enters('nurse@a.example/x', 'nurse');
    await gate.opens(new StorageError('full', 'the disk is full'));
    await gate.opens();
    const got = await taken();
    expect(got.filter((line) => line.includes('lost'))).to.deep.equal([]);
    expect(got).to.include('romeo < refused: the disk is full').and.to.include('nurse < romeo: kept (late)');
    enters('tybalt@a.example/x', 'tybalt');
    expect((await taken()).filter((line) => line.includes('late'))).to.deep.equal(['tybalt < romeo: kept (late)']);
  });

  it('writes a configuration before anybody knows of it, and changes nothing if that fails', async () => {
    await peopled();
    const gate = new Gate();
    store.before = gate.wait;
    configures(juliet, named('Hall'));
    says(romeo, 'hi');
    expect([await taken(), gate.count]).to.deep.equal([[], 1]);
    await gate.opens(new StorageError('busy', 'later'));
    const state = await rooms.stateOf(hall);
    expect(state.kind === 'existing' && state.config.name).to.equal('');
    await gate.opens();
    expect(await taken()).to.deep.equal(['juliet < refused: later', 'juliet < romeo: hi', 'romeo < romeo: hi']);
  });

  it('does not wait for the disk when somebody comes or goes', async () => {
    await peopled();
    store.before = () => new Promise(() => undefined);
    sends(romeo, "<presence type='unavailable'/>", 'romeo');
    enters(romeo, 'romeo');
    expect((await taken()).filter((line) => line.includes('110'))).to.have.length(2);
  });

  it('refuses in the order of what was asked', async () => {
    await peopled();
    const gate = new Gate();
    store.before = gate.wait;
    says(romeo, 'hi');
    configures(romeo);
    expect(await taken()).to.deep.equal([]);
    await gate.opens();
    expect((await taken()).map((line) => line.split(':')[0])).to.deep.equal([
      'juliet < romeo',
      'romeo < romeo',
      'romeo < refused',
    ]);
  });

  it('has its room again after it has left memory', async () => {
    await peopled();
    configures(juliet, named('Hall'));
    says(romeo, 'hi');
    sends(juliet, "<message type='groupchat' id='s'><subject>Love</subject></message>");
    const item = "<item affiliation='member' jid='nurse@a.example' nick='Angelica'/>";
    sends(juliet, `<iq type='set' id='a'><query xmlns='http://jabber.org/protocol/muc#admin'>${item}</query></iq>`);
    for (const one of [juliet, romeo]) sends(one, "<presence type='unavailable'/>", 'x');
    await taken();
    clock.advance(20 * 60 * 1000);
    expect(clock.pendingCount).to.equal(0);
    enters(romeo, 'Angelica');
    expect(await taken()).to.deep.equal(['romeo < refused: conflict: somebody else has this nickname']);
    enters('nurse@a.example/x', 'nurse');
    expect(await taken()).to.deep.equal([
      'nurse < +nurse member/participant nurse@a.example/x 110',
      'nurse < romeo: hi (late)',
      'nurse < juliet # Love (late)',
    ]);
    const state = await rooms.stateOf(hall);
    expect(state.kind === 'existing' && state.config.name).to.equal('Hall');
  });

  it('ends a temporary room with its last occupant, and a stranger may take the address', async () => {
    await peopled();
    const temporary = named('x').replace(
      '</x>',
      "<field var='muc#roomconfig_persistentroom'><value>0</value></field></x>",
    );
    configures(juliet, temporary);
    for (const one of [juliet, romeo]) sends(one, "<presence type='unavailable'/>", 'x');
    await taken();
    expect((await store.open(hall.toString())).record).to.equal(undefined);
    enters(romeo, 'romeo');
    expect((await taken())[0]).to.contain('201');
  });

  it('opens a new room after five minutes', async () => {
    enters(juliet, 'juliet');
    await taken();
    clock.advance(5 * 60 * 1000);
    enters(romeo, 'romeo');
    expect(await taken()).to.include(`romeo < +romeo none/participant ${romeo} 110`);
  });

  it('does not open another room at the same address then', async () => {
    enters(juliet, 'juliet');
    sends(juliet, "<presence type='unavailable'/>", 'x');
    await taken();
    clock.advance(4 * 60 * 1000);
    enters(romeo, 'romeo');
    expect((await taken())[0]).to.contain('201');
    clock.advance(60 * 1000);
    enters(juliet, 'juliet');
    expect((await taken()).join()).to.contain('juliet < refused: item-not-found');
    clock.advance(4 * 60 * 1000);
    enters(juliet, 'juliet');
    expect((await taken()).join()).to.contain('juliet < +juliet');
  });

  it('lets only users of the server create rooms, and not too many', async () => {
    enters('x@elsewhere.example/x', 'x');
    expect((await taken()).join()).to.contain('refused: not-allowed');
    open({ maxRooms: 0, maxRoomsPerOwner: 2 });
    enters(juliet, 'juliet');
    expect((await taken()).join()).to.contain('refused: resource-constraint');
  });

  it('takes so many messages and entries of one user at once, and then makes it wait', async () => {
    await peopled();
    for (let n = 0; n < 21; n += 1) says(romeo, String(n));
    expect((await taken()).filter((line) => line.startsWith('romeo')).at(0)).to.contain('refused: policy-violation');
    clock.advance(1000);
    says(romeo, 'again');
    expect(await taken()).to.include('romeo < romeo: again');
    for (let n = 0; n < 10; n += 1) enters(romeo, 'romeo');
    expect((await taken()).join()).to.contain('refused: policy-violation');
  });

  it('forgets a user whose account was removed: whoever takes the name is a stranger', async () => {
    await peopled();
    await rooms.forget(Jid.parse('juliet@a.example'));
    const state = await rooms.stateOf(hall);
    expect(state.kind === 'existing' && state.affiliations.size).to.equal(0);
    expect(await taken()).to.include('romeo < +juliet none/participant');
    expect((await store.open(hall.toString())).record?.affiliations).to.deep.equal([]);
  });

  it('knows before a message is judged that it would refuse it, and changes nothing', async () => {
    await peopled();
    const refusal = (client: string, text: string, nick = '') =>
      rooms.refusalOf(hall, wishOf(client, text, nick))?.condition;
    const message = "<message type='groupchat' id='m'><body>hi</body></message>";
    expect(refusal(romeo, message)).to.equal(undefined);
    expect(refusal('x@a.example/x', message)).to.equal('not-acceptable');
    expect(refusal(romeo, "<message type='groupchat' id='m'><subject>x</subject></message>")).to.equal('forbidden');
    expect(refusal(romeo, "<message id='m'><body>hi</body></message>", 'nobody')).to.equal('item-not-found');
    expect(await taken()).to.deep.equal([]);
  });

  describe('after a restart', () => {
    /** Another run of the server, in which these clients can come back. */
    async function restarts(clients: readonly string[], orderly = true): Promise<void> {
      if (orderly) await rooms.stop();
      sessions = new Set(clients);
      open();
    }
    const confirms = (client: string) => received.get(client)?.confirmed(Jid.parse(client));
    const back = async (client: string, nick: string) => {
      await rooms.welcomeBack(hall.withResource(nick), Jid.parse(client));
      return taken();
    };

    it('has its occupants again, and those that cannot come back leave', async () => {
      await peopled();
      enters('nurse@a.example/x', 'nurse');
      enters('tybalt@b.example/x', 'tybalt');
      await taken();
      await restarts([juliet, romeo]);
      await rooms.recover();
      const left = '-nurse none/none nurse@a.example/x';
      expect(await taken()).to.deep.equal([
        `nurse < ${left} 110 333`,
        `juliet < ${left} 333`,
        'romeo < -nurse none/none 333',
        'tybalt < -nurse none/none 333',
      ]);
      says(romeo, 'still here');
      expect((await taken())[0]).to.equal('juliet < romeo: still here');
    });

    it('gives clients what they have not confirmed, before anything new', async () => {
      await peopled();
      says(romeo, 'one');
      await taken();
      confirms(juliet);
      for (const text of ['two', 'three']) says(romeo, text);
      await taken();
      await restarts([juliet, romeo]);
      says(juliet, 'four');
      expect((await taken()).filter((line) => line.startsWith('juliet'))).to.deep.equal([
        'juliet < romeo: two (late)',
        'juliet < romeo: three (late)',
        'juliet < juliet: four',
      ]);
    });

    it('counts the discussion that a newcomer has not confirmed', async () => {
      await peopled();
      for (const text of ['one', 'two']) says(romeo, text);
      enters('nurse@a.example/x', 'nurse');
      await taken();
      await restarts(['nurse@a.example/x']);
      await rooms.recover();
      expect((await taken()).slice(0, 2)).to.deep.equal(['nurse < romeo: one (late)', 'nurse < romeo: two (late)']);
    });

    it('gives again after a crash what was confirmed in the last twentieth of a second', async () => {
      await peopled();
      says(romeo, 'one');
      await taken();
      for (const client of [juliet, romeo]) confirms(client);
      clock.advance(50);
      says(romeo, 'two');
      await taken();
      confirms(juliet);
      await restarts([juliet, romeo], false);
      await rooms.recover();
      expect(await taken()).to.deep.equal(['juliet < romeo: two (late)', 'romeo < romeo: two (late)']);
    });

    it('writes confirmations of many clients no faster than a thousand in a second', async () => {
      open({ maxRooms: 10, maxRoomsPerOwner: 10, unlimited: true });
      await peopled();
      const many = Array.from({ length: 200 }, (_, n) => `n${n}@a.example/x`);
      for (const client of many) enters(client, Jid.parse(client).local);
      await Promise.all(said);
      const written: OccupantChange[] = [];
      const change = store.changeOccupant.bind(store);
      store.changeOccupant = (room, one) => {
        if (one.kind === 'seen') written.push(one);
        return change(room, one);
      };
      const writtenAfter = async (ms: number) => {
        says(romeo, 'hi');
        await taken();
        for (const client of many) confirms(client);
        clock.advance(ms - 1);
        const early = written.splice(0).length;
        clock.advance(1);
        return [early, written.splice(0).length];
      };
      expect(await writtenAfter(50)).to.deep.equal([0, 200]);
      expect(await writtenAfter(200)).to.deep.equal([0, 200]);
    });

    it('removes a client that has missed too much, and tells it', async () => {
      open({ maxRooms: 10, maxRoomsPerOwner: 10, unlimited: true });
      await peopled();
      for (let n = 0; n <= 1000; n += 1) says(romeo, String(n));
      await taken();
      confirms(romeo);
      await restarts([juliet, romeo]);
      await rooms.recover();
      expect(await taken()).to.deep.equal([
        `juliet < -juliet owner/none ${juliet} 110 333`,
        'romeo < -juliet owner/none 333',
      ]);
    });

    it('shows a client that is back after a crash who is here, and who is not', async () => {
      await peopled();
      enters('nurse@a.example/x', 'nurse');
      sends('nurse@a.example/x', "<presence type='unavailable'/>", 'nurse');
      await taken();
      await restarts([juliet, romeo], false);
      expect(await back(juliet, 'juliet')).to.deep.equal([
        'juliet < -nurse none/none',
        `juliet < +romeo none/participant ${romeo}`,
        `juliet < +juliet owner/moderator ${juliet} 110`,
      ]);
    });

    it('says nothing to a client that is back after an orderly stop', async () => {
      await peopled();
      await restarts([juliet, romeo]);
      expect(await back(juliet, 'juliet')).to.deep.equal([]);
    });

    it('tells a client that is not in the room any more', async () => {
      await restarts(['nurse@a.example/x'], false);
      expect(await back('nurse@a.example/x', 'nurse')).to.deep.equal(['nurse < -nurse none/none 110 307 333']);
    });

    it('ends a temporary room to which nobody comes back', async () => {
      await peopled();
      configures(
        juliet,
        named('x').replace('</x>', "<field var='muc#roomconfig_persistentroom'><value>0</value></field></x>"),
      );
      await restarts([]);
      await rooms.recover();
      await taken();
      expect((await store.open(hall.toString())).record).to.equal(undefined);
    });

    it('remembers roles, nicknames and presence', async () => {
      await peopled();
      sends(juliet, '<presence><show>away</show></presence>', 'Capulet');
      const item = "<item nick='romeo' role='visitor'/>";
      sends(juliet, `<iq type='set' id='a'><query xmlns='http://jabber.org/protocol/muc#admin'>${item}</query></iq>`);
      await taken();
      await restarts([juliet, romeo]);
      enters('nurse@a.example/x', 'nurse');
      expect((await taken()).filter((line) => line.startsWith('nurse')).slice(0, 2)).to.deep.equal([
        'nurse < +Capulet owner/moderator (away)',
        'nurse < +romeo none/visitor',
      ]);
    });

    it('shows a client that comes back only after another restart what the crash has changed', async () => {
      await peopled();
      await restarts([juliet], false);
      await rooms.recover();
      await restarts([juliet]);
      await taken();
      expect(await back(juliet, 'juliet')).to.deep.equal([
        'juliet < -romeo none/none',
        `juliet < +juliet owner/moderator ${juliet} 110`,
      ]);
      await restarts([juliet]);
      expect(await back(juliet, 'juliet')).to.deep.equal([]);
    });

    it('does not let somebody back in for whom the room is closed', async () => {
      await peopled();
      const item = "<item jid='romeo@a.example' affiliation='outcast'/>";
      const change = store.changeOccupant.bind(store);
      store.changeOccupant = () => Promise.resolve();
      sends(juliet, `<iq type='set' id='a'><query xmlns='http://jabber.org/protocol/muc#admin'>${item}</query></iq>`);
      await taken();
      store.changeOccupant = change;
      await restarts([juliet, romeo], false);
      await rooms.recover();
      expect(await taken()).to.deep.equal([
        `romeo < -romeo outcast/none ${romeo} 110 333`,
        `juliet < -romeo outcast/none ${romeo} 333`,
      ]);
    });

    it('waits until it is known which sessions can come back', async () => {
      await peopled();
      await rooms.stop();
      const restored = Promise.withResolvers<void>();
      sessions = new Set();
      open({ maxRooms: 10, maxRoomsPerOwner: 2 }, restored.promise);
      enters('nurse@a.example/x', 'nurse');
      expect(await taken()).to.deep.equal([]);
      sessions = new Set([juliet, romeo]);
      restored.resolve();
      expect((await taken()).filter((line) => line.includes('333'))).to.deep.equal([]);
    });
  });

  it('lets a crowd in over several turns of the event loop, in its order', async () => {
    open({ maxRooms: 10, maxRoomsPerOwner: 10, unlimited: true });
    await peopled();
    const crowd = Array.from({ length: 60 }, (_, n) => `n${n}@a.example/x`);
    for (const client of crowd) enters(client, Jid.parse(client).local);
    const first = await taken();
    expect(first.filter((line) => / 110$/.test(line)).length).to.be.within(5, 40);
    await Promise.all(said);
    const nicks = [...first, ...lines.splice(0)].flatMap((line) => /^romeo < \+(n\d+) /.exec(line)?.[1] ?? []);
    expect(nicks).to.deep.equal(crowd.map((client) => Jid.parse(client).local));
  });

  describe('with clients of other servers', () => {
    const tybalt = 'tybalt@b.example/x';

    /** Time passes, in which the room does what it does every minute. */
    async function minutesPass(minutes: number): Promise<void> {
      for (let minute = 0; minute < minutes; minute += 1) {
        clock.advance(60 * 1000);
        clock.advance(1000);
        await settled();
      }
    }

    it('pings those that were silent for half an hour, and removes them if they are gone', async () => {
      await peopled();
      enters(tybalt, 'tybalt');
      await minutesPass(20);
      says(tybalt, 'hi');
      await minutesPass(20);
      expect(pings).to.deep.equal([]);
      await taken();
      await minutesPass(15);
      expect([pings, await taken()]).to.deep.equal([[`${tybalt} as tybalt`], []]);
      pingError = StanzaError.remoteServerNotFound();
      await minutesPass(31);
      expect(await taken()).to.include('romeo < -tybalt none/none 333');
    });

    it('removes all users of a lost server before anybody is told', async () => {
      await peopled();
      const others = ['tybalt', 'paris'].map((name) => `${name}@b.example/x`);
      for (const one of others) enters(one, Jid.parse(one).local);
      await taken();
      const gone =
        "<error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
      for (const one of others) sends(one, `<message type='error'>${gone}</message>`);
      expect((await taken()).filter((line) => !line.includes(' 110'))).to.deep.equal([
        'juliet < -tybalt none/none tybalt@b.example/x 333',
        'romeo < -tybalt none/none 333',
        'juliet < -paris none/none paris@b.example/x 333',
        'romeo < -paris none/none 333',
      ]);
    });

    it('keeps those that answer with another error', async () => {
      await peopled();
      enters(tybalt, 'tybalt');
      pingError = StanzaError.notAllowed();
      await minutesPass(32);
      await taken();
      says(romeo, 'hi');
      expect(await taken()).to.include('tybalt < romeo: hi');
    });

    it('pings them after a restart, because they may have left meanwhile', async () => {
      await peopled();
      enters(tybalt, 'tybalt');
      await taken();
      await rooms.stop();
      sessions = new Set([juliet, romeo]);
      open();
      await rooms.recover();
      pingError = StanzaError.remoteServerTimeout();
      await minutesPass(1);
      expect(await taken()).to.deep.include('juliet < -tybalt none/none tybalt@b.example/x 333');
    });
  });

  it('says so if the room cannot be read, and tries again', async () => {
    const read = store.open.bind(store);
    store.open = () => Promise.reject(new StorageError('busy', 'later'));
    enters(juliet, 'juliet');
    expect(await taken()).to.deep.equal(['juliet < refused: later']);
    store.open = read;
    enters(juliet, 'juliet');
    expect((await taken())[0]).to.contain('201');
  });
});
