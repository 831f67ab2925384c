import { expect } from 'chai';
import { ControlClient } from '../../src/cli/control-client.ts';
import { exportedRooms } from '../../src/cli/export/export-rooms.ts';
import { importRooms } from '../../src/cli/import/import-rooms.ts';
import type { PortableRoom, PortableRoomMessage } from '../../src/groupchat/portable-room.ts';
import { listRooms } from '../../src/groupchat/room-operations.ts';
import { ServerFixture } from './server-under-test.ts';

const domain = 'conference.localhost';
const hall = `hall@${domain}`;
/** Three parts of 500, which is what one request has. */
const count = 1500;
const room: PortableRoom = {
  room: hall,
  config: '{"name":"Hall"}',
  affiliations: [{ jid: 'juliet@localhost', affiliation: 'owner' }],
  subject: { atMs: 1_600_000_000_000, xml: `<message from="${hall}/nurse"><subject>Verona</subject></message>` },
  messages: [],
};

function messageOf(number: number): PortableRoomMessage {
  const xml = `<message from="${hall}/nurse" type="groupchat"><body>${number}</body></message>`;
  return { atMs: 1_600_000_000_000 + number, xml };
}

describe('a server that is killed while a room is imported', function () {
  this.timeout(300_000);
  const fixture = new ServerFixture();

  async function starts() {
    const server = await fixture.start([], { settings: { rooms: { enabled: true } } });
    const operator = (await ControlClient.connect(fixture.dataDir)) ?? expect.fail('no control socket');
    return { server, operator };
  }

  /** Imports the room, and calls `at` before each message is read. */
  async function imports(operator: ControlClient, at: (number: number) => void = () => {}) {
    async function* messages(): AsyncGenerator<PortableRoomMessage> {
      for (let number = 0; number < count; number++) {
        at(number);
        yield messageOf(number);
      }
    }
    async function* rooms() {
      yield { place: hall, room, messages: messages(), losses: [] };
    }
    return importRooms(rooms(), operator, { domains: [domain] });
  }

  it('has the whole room or none, and the next import makes it whole', async () => {
    // After the first part, and when the last part is complete.
    for (const moment of [700, count - 1]) {
      const { server, operator } = await starts();
      const { created, problems } = await imports(operator, (number) => {
        if (number === moment) server.kill();
      });
      expect([created, problems.length], `killed at ${moment}`).to.deep.equal([0, 1]);
      expect(await server.end()).to.equal(null);
    }
    const { server, operator } = await starts();
    expect((await operator.call(listRooms, { limit: 10 })).rooms).to.deep.equal([]);
    expect(await imports(operator)).to.deep.include({ created: 1, problems: [] });
    expect((await operator.call(listRooms, { limit: 10 })).rooms).to.deep.equal([
      { address: hall, name: 'Hall', isPublic: false, messages: count },
    ]);
    const exported: string[] = [];
    for await (const lines of exportedRooms(operator, hall)) exported.push(lines);
    const bodies = [...exported.join('').matchAll(/<body>(\d+)</g)].map(([, body]) => Number(body));
    expect(bodies).to.deep.equal(Array.from({ length: count }, (_, number) => number));
    await server.stop();
    fixture.expectSoundDatabase();
  });
});
