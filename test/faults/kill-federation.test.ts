import { expect } from 'chai';
import { ScriptedServer } from '../support/scripted-server.ts';
import { ResilientClient, type SentMessage } from './resilient-client.ts';
import { SeededRandom } from './seeded-random.ts';
import { ServerFixture } from './server-under-test.ts';

const rounds = 5;
/** The number of unacknowledged messages. */
const window = 20;

describe('a server that is killed while it sends to another server (XEP-0198 §4)', function () {
  this.timeout(300_000);
  const fixture = new ServerFixture();

  for (const managed of [true, false]) {
    it(`loses nothing it acknowledged, to a server with${managed ? '' : 'out'} stream management`, async () => {
      const random = new SeededRandom();
      const peer = await ScriptedServer.start('peer.example');
      peer.managed = managed;
      const overrides = { 'peer.example': [{ host: '127.0.0.1', port: peer.port }] };
      const elsewhere = { s2s: [], s2sTls: [], components: [] };
      const listen = { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [], ...elsewhere };
      const settings = { listen, s2s: { tlsRequired: false, overrides } };
      const acknowledged: SentMessage[] = [];
      const romeo = new ResilientClient('romeo', true, {
        acknowledged: (messages) => void acknowledged.push(...messages),
      });
      let written = 0;
      const writes = () => {
        while (romeo.unacknowledged < window) romeo.sends({ id: `letter-${written++}`, to: 'x@peer.example' });
      };
      for (let round = 0; round < rounds; round++) {
        const server = await fixture.start(['romeo'], { settings });
        await romeo.connects(server.port);
        const until = acknowledged.length + random.between(1, 60);
        writes();
        await romeo.reads(() => (acknowledged.length < until ? writes() : server.kill()));
        peer.drops();
        expect(await server.end()).to.equal(null);
      }
      const last = await fixture.start(['romeo'], { settings });
      const received = new Set<string | undefined>();
      let stanzas = 0;
      while (acknowledged.some(({ id }) => !received.has(id))) {
        received.add((await peer.receives()).attributes.get('id'));
        stanzas += 1;
      }
      peer.stop();
      await last.stop();
      const repeated = stanzas - received.size;
      console.log(
        `      ${rounds} kills, seed ${random.seed}: ${acknowledged.length} acknowledged, ${repeated} repeated`,
      );
    });
  }
});
