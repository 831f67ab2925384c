import { ManualClock } from '../support/manual-clock.ts';
import { creates, hearEachOther, joins, sharesRoom, untilLine } from '../support/shares-rooms.ts';
import { needsPackages } from './needs-packages.ts';
import { Neighbors } from './neighbors.ts';
import type { PeerKind } from './peer-kind.ts';
import { printsIfFailed } from './prints-if-failed.ts';

/** Defines how users of Ampere and of another server share rooms of either. */
export function describeRooms(kind: PeerKind): void {
  describe(`Ampere and ${kind.name}, in rooms`, () => {
    needsPackages(kind.packages);
    let neighbors: Neighbors;
    printsIfFailed(() => neighbors?.said);

    const clock = new ManualClock();

    before(async () => {
      const settings = { rooms: { enabled: true } };
      neighbors = await Neighbors.start(kind, { way: 'dialback', bidi: false, settings, clock });
    });

    after(async () => {
      await neighbors?.stop();
    });

    it(`a user of ${kind.name} is a guest in a room of Ampere`, async () => {
      const { ampere, peer } = neighbors;
      const [owner, guest] = [await ampere.arrives('romeo'), await peer.arrives('juliet')];
      await sharesRoom({ room: `balcony@conference.${ampere.domain}`, owner, guest });
    });

    it(`a user of Ampere is a guest in a room of ${kind.name}`, async () => {
      const { ampere, peer } = neighbors;
      const [owner, guest] = [await peer.arrives('nurse'), await ampere.arrives('benvolio')];
      await sharesRoom({ room: `orchard@conference.${peer.domain}`, owner, guest });
    });

    it(`a user of Ampere learns that a crash of ${kind.name} has put it out of a room`, async () => {
      const { ampere, peer } = neighbors;
      const room = `crypt@conference.${peer.domain}`;
      const [owner, guest] = [await peer.arrives('capulet'), await ampere.arrives('montague')];
      await creates(owner, room);
      await joins(guest, room);
      await peer.restarts();
      clock.advance(5000);
      await untilLine(guest, '-guest none/none 110 333');
    });

    it(`a user of ${kind.name} stays in a room of Ampere over a restart of Ampere`, async () => {
      const { ampere, peer } = neighbors;
      const room = `tomb@conference.${ampere.domain}`;
      const [owner, guest] = [await ampere.arrives('paris'), await peer.arrives('rosaline')];
      await creates(owner, room);
      await joins(guest, room);
      await ampere.halt();
      await ampere.start();
      const again = await ampere.logsIn('paris');
      await creates(again, room);
      await untilLine(guest, /^\+owner /);
      await hearEachOther({ room, owner: again, guest }, 'after the restart');
    });
  });
}
