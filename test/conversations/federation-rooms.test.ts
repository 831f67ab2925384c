import { FederatedServer } from '../support/federated-server.ts';
import { creates, hearEachOther, joins, sharesRoom, untilLine } from '../support/shares-rooms.ts';

describe('Rooms of one server with users of another', () => {
  let a: FederatedServer;
  let b: FederatedServer;

  before(async () => {
    const more = { rooms: { enabled: true } };
    [a, b] = (await FederatedServer.startAll(['a.example', 'b.example'], 'certificate', { more })) as [
      FederatedServer,
      FederatedServer,
    ];
  });

  after(async () => {
    await a.stop();
    await b.stop();
  });

  it('let them join, speak, be kicked and leave', async () => {
    const [owner, guest] = [await a.arrives('romeo'), await b.arrives('juliet')];
    await sharesRoom({ room: 'balcony@conference.a.example', owner, guest });
  });

  it('go on after a restart of the server of the room', async () => {
    const room = 'tomb@conference.a.example';
    const [owner, guest] = [await a.arrives('paris'), await b.arrives('nurse')];
    await creates(owner, room);
    await joins(guest, room);
    await a.halt();
    await a.start();
    const again = await a.logsIn('paris');
    await creates(again, room);
    await untilLine(guest, /^\+owner /);
    await hearEachOther({ room, owner: again, guest }, 'after the restart');
  });

  it('go on after a restart of the server of a user, who has left meanwhile', async () => {
    const room = 'street@conference.a.example';
    const [owner, guest] = [await a.arrives('mercutio'), await b.arrives('tybalt')];
    await creates(owner, room);
    await joins(guest, room);
    await untilLine(owner, /^\+guest /);
    await b.halt();
    await untilLine(owner, /^-guest /);
    await b.start();
    const again = await b.logsIn('tybalt');
    await joins(again, room);
    await hearEachOther({ room, owner, guest: again }, 'after the restart');
  });
});
