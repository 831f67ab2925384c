import { expect } from 'chai';
import { ScriptedServer } from '../support/scripted-server.ts';
import { Chance } from './chance.ts';
import { type Letter, Party } from './party.ts';
import { CrimeScene } from './victim.ts';

const rounds = 5;
/** Messages on the way at the same time. */
const window = 20;

describe('a server that is killed while it writes to another one (XEP-0198 §4)', function () {
  this.timeout(300_000);
  const scene = new CrimeScene();

  for (const managed of [true, false]) {
    it(`has lost nothing it acknowledged, if the other has ${managed ? '' : 'no '}stream management`, async () => {
      const chance = new Chance();
      const peer = await ScriptedServer.start('peer.example');
      peer.managed = managed;
      const overrides = { 'peer.example': [{ host: '127.0.0.1', port: peer.port }] };
      const elsewhere = { s2s: [], s2sTls: [], components: [] };
      const listen = { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [], ...elsewhere };
      const settings = { listen, s2s: { tlsRequired: false, overrides } };
      const acknowledged: Letter[] = [];
      const romeo = new Party('romeo', true, { acknowledged: (letters) => void acknowledged.push(...letters) });
      let written = 0;
      const writes = () => {
        while (romeo.unacknowledged < window) romeo.writes({ id: `letter-${written++}`, to: 'x@peer.example' });
      };
      for (let round = 0; round < rounds; round++) {
        const server = await scene.start(['romeo'], { settings });
        await romeo.arrives(server.port);
        const until = acknowledged.length + chance.between(1, 60);
        writes();
        await romeo.reads(() => (acknowledged.length < until ? writes() : server.kill()));
        peer.drops();
        expect(await server.end()).to.equal(null);
      }
      const last = await scene.start(['romeo'], { settings });
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
        `      ${rounds} kills, seed ${chance.seed}: ${acknowledged.length} acknowledged, ${repeated} repeated`,
      );
    });
  }
});
