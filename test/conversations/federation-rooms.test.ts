import { rm } from 'node:fs/promises';
import { dataPaths } from '../../src/storage/sqlite/data-directory.ts';
import { FederatedServer } from '../support/federated-server.ts';
import { ManualClock } from '../support/manual-clock.ts';
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

describe('A room of another server that is gone after the link has broken', () => {
  const clock = new ManualClock();
  let a: FederatedServer;
  let b: FederatedServer;

  before(async () => {
    const options = { clock, more: { rooms: { enabled: true } } };
    [a, b] = (await FederatedServer.startAll(['a.example', 'b.example'], 'certificate', options)) as [
      FederatedServer,
      FederatedServer,
    ];
  });

  after(async () => {
    await a.stop();
    await b.stop();
  });

  it('is left by its users, who are told by their own server', async () => {
    const room = 'grove@conference.a.example';
    const [owner, guest] = [await a.arrives('benvolio'), await b.arrives('balthasar')];
    await creates(owner, room);
    await joins(guest, room);
    await a.halt();
    const { database } = dataPaths(a.directory);
    for (const suffix of ['', '-wal', '-shm']) await rm(`${database}${suffix}`, { force: true });
    await a.start();
    clock.advance(5000);
    await untilLine(guest, '-guest none/none 110 333');
  });
});
