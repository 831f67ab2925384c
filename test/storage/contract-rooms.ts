import { expect } from 'chai';
import { timeOfId } from '../../src/storage/ordered-ids.ts';
import type {
  NewRoom,
  OccupantChange,
  RoomListing,
  RoomMessage,
  RoomRange,
  RoomStore,
} from '../../src/storage/rooms.ts';
import { rejection } from './rejection.ts';

const everything: RoomRange = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };
const hidden: RoomListing = { name: '', isPublic: false };
const juliet = 'juliet@capulet.example';
const romeo = 'romeo@montague.example';

/** A view into a larger buffer, as bytes from a socket are. */
function bytesOf(text: string): Buffer {
  return Buffer.from(`....${text}....`).subarray(4, -4);
}

function texts(messages: readonly RoomMessage[]): string[] {
  return messages.map(({ bytes }) => bytes.toString());
}

/** Does all that the limits demand, and that destroyed rooms have left. */
export async function tidyRooms(store: RoomStore, limits: Partial<Parameters<RoomStore['tidy']>[0]> = {}) {
  const all = { removeBeforeId: 0, maxMessages: Number.MAX_SAFE_INTEGER, ...limits };
  for (let round = 0; round < 10_000; round++) if (!(await store.tidy(all))) return;
  throw new Error('tidying does not end');
}

/** The contract of rooms. Every test has rooms of its own. */
export function describeRooms(storeOf: () => RoomStore): void {
  let rooms = 0;
  let store: RoomStore;
  beforeEach(() => {
    store = storeOf();
  });

  function newRoom(change: Partial<NewRoom> = {}): NewRoom {
    return {
      address: `room${rooms++}@conference.example`,
      createdAtMs: 1_700_000_000_000,
      config: '{"name":"Verona"}',
      occupantKey: bytesOf('0123456789abcdef0123456789abcdef'),
      affiliations: [{ jid: juliet, affiliation: 'owner' }],
      ...change,
    };
  }

  /** The number and the address of a new room. */
  async function made(change: Partial<NewRoom> = {}, listing = hidden): Promise<{ room: number; address: string }> {
    const room = newRoom(change);
    return { room: await store.create(room, listing), address: room.address };
  }

  function append(room: number, text: string): number {
    const id = store.newMessageId();
    void store.append({ room, id, bytes: bytesOf(text), author: `${juliet}/balcony`, occupantId: 'o1' });
    return id;
  }

  describe('rooms', () => {
    it('finds nothing at an address without a room', async () => {
      expect(await store.open('nowhere@conference.example')).to.deep.equal({ record: undefined, tombstone: undefined });
    });

    it('keeps what a room was created with', async () => {
      const affiliations = [
        { jid: juliet, affiliation: 'owner' },
        { jid: romeo, affiliation: 'member', nick: 'Romeo', nickKey: 'romeo', reason: 'star-crossed' },
      ];
      const room = newRoom({ affiliations });
      const number = await store.create(room, hidden);
      const { record } = await store.open(room.address);
      const empty = { subject: undefined, avatarHashes: [], occupants: [], departed: [] };
      expect(record).to.deep.equal({ ...room, room: number, ...empty });
    });

    describe('remember the clients in them', () => {
      const present = (jid: string, nick: string, seenId = 0): OccupantChange => ({
        kind: 'present',
        occupant: { jid, nick, role: 'participant', presence: bytesOf(`<presence>${nick}</presence>`), seenId },
      });
      const occupantsOf = async (address: string) => {
        const { occupants = [], departed = [] } = (await store.open(address)).record ?? {};
        const lines = occupants.map(({ jid, nick, presence, seenId }) => `${jid} ${nick} ${seenId} ${presence}`);
        return [...lines, ...departed.map((nick) => `-${nick}`)];
      };

      it('in the order of their last presence, and what each has confirmed', async () => {
        const { room, address } = await made();
        for (const name of ['a', 'b', 'a']) void store.changeOccupant(room, present(`${name}@x.example/1`, name));
        await store.changeOccupant(room, { kind: 'seen', jid: 'b@x.example/1', seenId: 7 });
        expect(await occupantsOf(address)).to.deep.equal([
          'b@x.example/1 b 7 <presence>b</presence>',
          'a@x.example/1 a 0 <presence>a</presence>',
        ]);
      });

      it('and the nicknames that were left', async () => {
        const { room, address } = await made();
        void store.changeOccupant(room, present('a@x.example/1', 'old'));
        void store.changeOccupant(room, { kind: 'left', jid: 'a@x.example/1', nick: 'old' });
        await store.changeOccupant(room, present('a@x.example/1', 'new'));
        expect(await occupantsOf(address)).to.deep.equal(['a@x.example/1 new 0 <presence>new</presence>', '-old']);
      });

      it('as long as they exist', async () => {
        const { room, address } = await made();
        await store.destroy(room, undefined);
        await store.changeOccupant(room, present('a@x.example/1', 'a'));
        expect(await store.occupied('', 1000)).not.to.include(address);
      });

      it('and find the occupied and the temporary ones', async () => {
        const [first, second, third] = [await made(), await made(), await made({ config: '{"persistent":false}' })];
        await store.changeOccupant(second.room, present('a@x.example/1', 'a'));
        const found = await store.occupied('', 1000);
        expect([first, second, third].map(({ address }) => found.includes(address))).to.deep.equal([false, true, true]);
        expect(await store.occupied(second.address, 1000)).not.to.include(second.address);
        expect(await store.occupied('', 1)).to.have.length(1);
      });

      it('and whether the last run has ended in an orderly way', async () => {
        await store.begin();
        expect(await store.begin()).to.equal(false);
        await store.end();
        expect([await store.begin(), await store.begin()]).to.deep.equal([true, false]);
      });
    });

    it('keep a vCard and the hashes of its photos, until it is removed', async () => {
      const { room, address } = await made();
      const hashesOf = async () => (await store.open(address)).record?.avatarHashes;
      expect([await store.vcard(room), await hashesOf()]).to.deep.equal([undefined, []]);
      const vcard = { xml: '<vCard/>', avatarHashes: ['a', 'b'] };
      await store.change(room, [{ kind: 'vcard', vcard: { ...vcard, avatarHashes: ['c'] } }]);
      await store.change(room, [{ kind: 'vcard', vcard }]);
      expect([await store.vcard(room), await hashesOf()]).to.deep.equal(['<vCard/>', ['a', 'b']]);
      await store.change(room, [{ kind: 'vcard', vcard: undefined }]);
      expect([await store.vcard(room), await hashesOf()]).to.deep.equal([undefined, []]);
      await store.change(room, [{ kind: 'vcard', vcard }]);
      await store.destroy(room, undefined);
      expect(await store.vcard(room)).to.equal(undefined);
    });

    it('creates one room at an address', async () => {
      const room = newRoom();
      await store.create(room, hidden);
      expect((await rejection(store.create(room, hidden))).code).to.equal('conflict');
    });

    describe('are imported', () => {
      const content = '{"room":"x"}';
      const says = (room: number, text: string) =>
        store.append({ room, id: store.newMessageId(), bytes: bytesOf(text), author: juliet, occupantId: 'o1' });

      it('with their messages and changes, and are not there before', async () => {
        const room = newRoom();
        const number = await store.beginImport({ address: room.address, content });
        await says(number, 'a');
        expect(await store.findImport(number)).to.deep.equal({ address: room.address, content });
        expect((await store.open(room.address)).record).to.equal(undefined);
        const subject = { message: bytesOf('<message/>'), atMs: 7 };
        await store.endImport(number, room, hidden, [{ kind: 'subject', subject }]);
        const { record } = await store.open(room.address);
        expect([record?.room, record?.subject?.atMs, record?.affiliations]).to.deep.equal([
          number,
          7,
          room.affiliations,
        ]);
        expect(texts(await store.page(number, everything, 10, 'first'))).to.deep.equal(['a']);
        expect((await store.list('', 1000)).find(({ address }) => address === room.address)?.messages).to.equal(1);
        expect(await store.findImport(number)).to.equal(undefined);
        expect((await rejection(store.endImport(number, newRoom(), hidden, []))).code).to.equal('not-found');
      });

      it('anew if the first import has not ended', async () => {
        const room = newRoom();
        const first = await store.beginImport({ address: room.address, content });
        await says(first, 'a');
        const second = await store.beginImport({ address: room.address, content });
        await Promise.all([says(first, 'b'), says(second, 'c')]);
        expect((await rejection(store.endImport(first, room, hidden, []))).code).to.equal('not-found');
        await store.endImport(second, room, hidden, []);
        expect(texts(await store.page(second, everything, 10, 'first'))).to.deep.equal(['c']);
      });

      it('only to an address that has no room', async () => {
        const { address } = await made();
        expect((await rejection(store.beginImport({ address, content }))).code).to.equal('conflict');
        const room = newRoom();
        const number = await store.beginImport({ address: room.address, content });
        const other = await store.create(room, hidden);
        expect((await rejection(store.endImport(number, room, hidden, []))).code).to.equal('conflict');
        expect((await store.open(room.address)).record?.room).to.equal(other);
      });
    });

    it('measures the archives of all rooms together, more than one step at once', async () => {
      const before = await store.usage();
      const [one, other] = [await made(), await made()];
      for (let n = 0; n < 2100; n++) append(n % 2 === 0 ? one.room : other.room, 'four');
      const last = append(one.room, 'sixsix');
      const usage = await store.usage();
      expect(usage.messages - before.messages).to.equal(2101);
      expect(usage.bytes - before.bytes).to.equal(2100 * 4 + 6);
      expect(usage.lastId).to.equal(last);
    });

    it('makes all changes of a set', async () => {
      const { room, address } = await made();
      await store.change(room, [
        { kind: 'config', config: '{"name":"Mantua"}', listing: { name: 'Mantua', isPublic: false } },
        { kind: 'affiliation', entry: { jid: romeo, affiliation: 'member' } },
        { kind: 'affiliation-removed', jid: juliet },
        { kind: 'subject', subject: { message: bytesOf('<message/>'), atMs: 7 } },
      ]);
      const { record } = await store.open(address);
      expect(record?.config).to.equal('{"name":"Mantua"}');
      expect(record?.affiliations).to.deep.equal([{ jid: romeo, affiliation: 'member' }]);
      expect(record?.subject).to.deep.equal({ message: Buffer.from('<message/>'), atMs: 7 });
    });

    it('replaces the affiliation of a user, with nothing of the old one', async () => {
      const { room, address } = await made();
      const entry = { jid: romeo, affiliation: 'member', nick: 'Romeo', nickKey: 'romeo', reason: 'love' };
      await store.change(room, [{ kind: 'affiliation', entry }]);
      await store.change(room, [{ kind: 'affiliation', entry: { jid: romeo, affiliation: 'admin' } }]);
      const found = (await store.open(address)).record?.affiliations.find(({ jid }) => jid === romeo);
      expect(found).to.deep.equal({ jid: romeo, affiliation: 'admin' });
    });

    it('lets users swap their reserved nicknames in one set', async () => {
      const { room, address } = await made();
      const named = (jid: string, nickKey: string) =>
        ({ kind: 'affiliation', entry: { jid, affiliation: 'member', nick: nickKey, nickKey } }) as const;
      await store.change(room, [named(juliet, 'a'), named(romeo, 'b')]);
      await store.change(room, [named(juliet, 'b'), named(romeo, 'a')]);
      const nicks = (await store.open(address)).record?.affiliations.map(({ jid, nick }) => [jid, nick]);
      expect(nicks).to.have.deep.members([
        [juliet, 'b'],
        [romeo, 'a'],
      ]);
    });

    it('changes no room that does not exist', async () => {
      const { room } = await made();
      await store.destroy(room, undefined);
      const change = store.change(room, [{ kind: 'affiliation', entry: { jid: romeo, affiliation: 'member' } }]);
      expect((await rejection(change)).code).to.equal('not-found');
      expect((await rejection(store.destroy(room, undefined))).code).to.equal('not-found');
    });

    it('gives a recreated room another number, and nothing of the old one', async () => {
      const { room, address } = await made();
      append(room, 'old');
      await store.destroy(room, undefined);
      const again = await made({ address, affiliations: [{ jid: romeo, affiliation: 'owner' }] });
      expect(again.room).to.be.greaterThan(room);
      expect((await store.open(address)).record?.affiliations).to.deep.equal([{ jid: romeo, affiliation: 'owner' }]);
      expect(await store.page(again.room, everything, 10, 'first')).to.deep.equal([]);
    });

    it('keeps a tombstone until somebody creates the room again', async () => {
      const { room, address } = await made();
      const tombstone = {
        untilMs: Date.now() + 1e9,
        owners: [juliet],
        alternative: 'b@conference.example',
        reason: 'old',
      };
      await store.destroy(room, tombstone);
      const found = await store.open(address);
      expect(found.record).to.equal(undefined);
      expect(found.tombstone).to.deep.equal(tombstone);
      await tidyRooms(store);
      expect((await store.open(address)).tombstone).to.deep.equal(tombstone);
      const again = await made({ address });
      expect((await store.open(address)).tombstone).to.equal(undefined);
      await store.destroy(again.room, undefined);
      expect(await store.open(address)).to.deep.equal({ record: undefined, tombstone: undefined });
    });

    it('knows no tombstone whose time is over', async () => {
      const { room, address } = await made();
      await store.destroy(room, { untilMs: Date.now() - 1, owners: [] });
      expect((await store.open(address)).tombstone).to.equal(undefined);
      await tidyRooms(store);
    });

    it('forgets a user in all rooms', async () => {
      const user = `user${rooms}@capulet.example`;
      const owned = await made({ affiliations: [{ jid: user, affiliation: 'owner' }] });
      const joined = await made();
      await store.change(joined.room, [{ kind: 'affiliation', entry: { jid: user, affiliation: 'member' } }]);
      await made();
      expect(await store.forget(user)).to.have.members([owned.address, joined.address]);
      expect((await store.open(owned.address)).record?.affiliations).to.deep.equal([]);
      expect((await store.open(joined.address)).record?.affiliations).to.have.length(1);
      expect(await store.forget(user)).to.deep.equal([]);
    });

    it('counts all rooms, and those of an owner', async () => {
      const user = `owner${rooms}@capulet.example`;
      const { all } = await store.countRooms(user);
      await made({ affiliations: [{ jid: user, affiliation: 'owner' }] });
      const { room } = await made({ affiliations: [{ jid: user, affiliation: 'admin' }] });
      expect(await store.countRooms(user)).to.deep.equal({ all: all + 2, owned: 1 });
      await store.destroy(room, undefined);
      expect(await store.countRooms(user)).to.deep.equal({ all: all + 1, owned: 1 });
    });

    it('lists all rooms with the size of their archives', async () => {
      const { room, address } = await made({ address: 'zz1@zz.example' }, { name: 'Z', isPublic: true });
      const hiddenOne = await made({ address: 'zz2@zz.example' });
      append(room, 'one');
      expect(await store.list('zz0', 1)).to.deep.equal([{ address, name: 'Z', isPublic: true, messages: 1 }]);
      const next = [{ address: hiddenOne.address, name: '', isPublic: false, messages: 0 }];
      expect(await store.list(address, 9)).to.deep.equal(next);
    });

    it('lists the public rooms of a domain in pages', async () => {
      const domain = `list${rooms}.example`;
      const numbers = new Map<string, number>();
      for (const name of ['c', 'a', 'b', 'x']) {
        const { room } = await made(
          { address: `${name}@${domain}` },
          { name: name.toUpperCase(), isPublic: name !== 'x' },
        );
        numbers.set(name, room);
      }
      await made({ address: `a@other.${domain}` }, { name: 'O', isPublic: true });
      const page = async (after: string, limit: number) =>
        (await store.publicRooms(domain, after, limit)).map(({ address, name }) => `${address} ${name}`);
      expect(await page('', 2)).to.deep.equal([`a@${domain} A`, `b@${domain} B`]);
      expect(await page(`b@${domain}`, 2)).to.deep.equal([`c@${domain} C`]);
      expect(await store.countPublicRooms(domain)).to.equal(3);
      await store.change(numbers.get('x')!, [{ kind: 'config', config: '{}', listing: { name: 'X', isPublic: true } }]);
      await store.change(numbers.get('a')!, [
        { kind: 'config', config: '{}', listing: { name: 'A', isPublic: false } },
      ]);
      expect(await page('', 9)).to.deep.equal([`b@${domain} B`, `c@${domain} C`, `x@${domain} X`]);
    });
  });

  describe('the messages of rooms', () => {
    const pages: readonly [
      what: string,
      range: (ids: number[]) => RoomRange,
      limit: number,
      first: string,
      last: string,
    ][] = [
      ['all of them', () => everything, 10, 'abcd', 'abcd'],
      ['some of them', () => everything, 3, 'abc', 'bcd'],
      ['none', () => everything, 0, '', ''],
      ['those behind one', (ids) => ({ ...everything, afterId: ids[1]! }), 10, 'cd', 'cd'],
      ['those before one', (ids) => ({ ...everything, beforeId: ids[2]! }), 1, 'a', 'b'],
      ['those between two', (ids) => ({ afterId: ids[0]!, beforeId: ids[3]! }), 10, 'bc', 'bc'],
    ];
    for (const [what, range, limit, first, last] of pages) {
      it(`reads and counts ${what}`, async () => {
        const [{ room }, other] = [await made(), await made()];
        const ids = ['a', 'b', 'c', 'd'].map((text) => {
          append(other.room, 'other');
          return append(room, text);
        });
        expect(texts(await store.page(room, range(ids), limit, 'first')).join('')).to.equal(first);
        expect(texts(await store.page(room, range(ids), limit, 'last')).join('')).to.equal(last);
        expect(await store.count(room, range(ids), limit)).to.equal(first.length);
        expect(await store.bounds(room)).to.deep.equal([ids[0], ids[3]]);
      });
    }

    it('finds single ones, and none of other rooms', async () => {
      const [{ room }, other] = [await made(), await made()];
      const [one, theirs, two] = [append(room, 'one'), append(other.room, 'theirs'), append(room, 'two')];
      const found = await store.find(room, [one, theirs, two, 1]);
      expect(found).to.deep.equal([
        { id: one, bytes: Buffer.from('one'), author: `${juliet}/balcony`, occupantId: 'o1' },
        { id: two, bytes: Buffer.from('two'), author: `${juliet}/balcony`, occupantId: 'o1' },
      ]);
    });

    it('answers from a room without messages', async () => {
      const { room } = await made();
      expect(await store.page(room, everything, 10, 'last')).to.deep.equal([]);
      expect(await store.count(room, everything, 10)).to.equal(0);
      expect(await store.bounds(room)).to.equal(undefined);
    });

    it('replaces the content of one message', async () => {
      const [{ room }, other] = [await made(), await made()];
      const [one, theirs] = [append(room, 'one'), append(other.room, 'theirs')];
      await store.change(room, [
        { kind: 'message-replaced', id: one, bytes: bytesOf('gone') },
        { kind: 'message-replaced', id: theirs, bytes: bytesOf('gone') },
      ]);
      expect(texts(await store.page(room, everything, 10, 'first'))).to.deep.equal(['gone']);
      expect(texts(await store.page(other.room, everything, 10, 'first'))).to.deep.equal(['theirs']);
    });

    it('have unused ids at any moment, in the order of the moments', async () => {
      const [{ room }, other] = [await made(), await made()];
      const [early, late] = [Date.UTC(2020, 0, 1), Date.UTC(2020, 0, 2)];
      const imports = async (into: number, ...timesMs: number[]) => {
        const ids = await store.idsAt(timesMs);
        const message = { author: juliet, occupantId: 'o1', bytes: bytesOf('old') };
        await Promise.all(ids.map((id) => store.append({ ...message, room: into, id })));
        return ids;
      };
      const first = await imports(room, early, early, late);
      const second = await imports(other.room, early, late);
      expect([...first, ...second].map(timeOfId)).to.deep.equal([early, early, late, early, late]);
      expect(new Set([...first, ...second]).size).to.equal(5);
      append(room, 'new');
      const found = await store.page(room, everything, 10, 'first');
      expect(found.map(({ id }) => id).slice(0, 3)).to.deep.equal(first);
      expect(texts(found)).to.deep.equal(['old', 'old', 'old', 'new']);
    });

    it('drops a message of a room that is gone, and keeps the others of its turn', async () => {
      const [{ room }, gone] = [await made(), await made()];
      await store.destroy(gone.room, undefined);
      const message = { author: juliet, occupantId: 'o1', bytes: bytesOf('kept') };
      await Promise.all([
        store.append({ ...message, room: gone.room, id: store.newMessageId() }),
        store.append({ ...message, room, id: store.newMessageId() }),
      ]);
      expect(await store.bounds(gone.room)).to.equal(undefined);
      expect(texts(await store.page(room, everything, 10, 'first'))).to.deep.equal(['kept']);
    });

    it('removes those of a destroyed room little by little', async () => {
      const [{ room }, other] = [await made(), await made()];
      for (let number = 0; number < 600; number++) append(room, `${number}`);
      append(other.room, 'kept');
      await store.destroy(room, undefined);
      await tidyRooms(store);
      expect(await store.bounds(room)).to.equal(undefined);
      expect(texts(await store.page(other.room, everything, 10, 'first'))).to.deep.equal(['kept']);
    });

    it('removes those that are too old, in every room', async () => {
      const [one, other] = [await made(), await made()];
      append(one.room, 'a');
      append(other.room, 'b');
      const bound = store.newMessageId();
      append(one.room, 'c');
      await tidyRooms(store, { removeBeforeId: bound });
      expect(texts(await store.page(one.room, everything, 10, 'first'))).to.deep.equal(['c']);
      expect(await store.bounds(other.room)).to.equal(undefined);
    });

    it('removes the oldest of too many, also after others were removed', async () => {
      const [one, other] = [await made(), await made()];
      append(one.room, 'old');
      const bound = store.newMessageId();
      for (let number = 0; number < 600; number++) append(one.room, `${number}`);
      append(other.room, 'x');
      await tidyRooms(store, { removeBeforeId: bound });
      await tidyRooms(store, { maxMessages: 3 });
      expect(texts(await store.page(one.room, everything, 10, 'first'))).to.deep.equal(['597', '598', '599']);
      expect(texts(await store.page(other.room, everything, 10, 'first'))).to.deep.equal(['x']);
    });

    it('sees in a query everything that was appended before it', async () => {
      const { room } = await made();
      append(room, 'a');
      const first = store.page(room, everything, 10, 'first');
      append(room, 'b');
      expect(texts(await first)).to.deep.equal(['a']);
      expect(texts(await store.page(room, everything, 10, 'first'))).to.deep.equal(['a', 'b']);
    });
  });
}
