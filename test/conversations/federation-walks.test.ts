import fc from 'fast-check';
import { FederatedServer } from '../support/federated-server.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ScriptedServer, serverHeader } from '../support/scripted-server.ts';
import type { TestClient } from '../support/test-client.ts';

const pair = 'from="peer.example" to="a.example"';
const sasl = 'urn:ietf:params:xml:ns:xmpp-sasl';
const sm = 'urn:xmpp:sm:3';

/** What a server may say, in any order. */
const words = [
  serverHeader(pair),
  serverHeader('from="other.example" to="a.example"'),
  serverHeader('to="a.example"'),
  '<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>',
  '<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>',
  `<auth xmlns="${sasl}" mechanism="EXTERNAL">=</auth>`,
  `<auth xmlns="${sasl}" mechanism="PLAIN">AHgAeA==</auth>`,
  `<response xmlns="${sasl}"/>`,
  `<success xmlns="${sasl}"/>`,
  '<stream:features/>',
  '<bidi xmlns="urn:xmpp:bidi"/>',
  `<db:result ${pair}>key</db:result>`,
  `<db:result ${pair} type="valid"/>`,
  '<db:result from="other.example" to="a.example">key</db:result>',
  '<db:result from="a.example" to="peer.example" type="error"><error type="x"/></db:result>',
  `<db:verify ${pair} id="1">key</db:verify>`,
  `<db:verify ${pair} id="1" type="invalid"/>`,
  `<db:verify ${pair}>key</db:verify>`,
  `<db:verify ${pair} id="1" type="perhaps"/>`,
  '<db:other from="x" to="y"/>',
  `<enable xmlns="${sm}" resume="true"/>`,
  `<enabled xmlns="${sm}"/>`,
  `<failed xmlns="${sm}"/>`,
  `<resume xmlns="${sm}" h="0" previd="x"/>`,
  `<r xmlns="${sm}"/>`,
  `<a xmlns="${sm}" h="0"/>`,
  `<a xmlns="${sm}" h="1"/>`,
  `<a xmlns="${sm}"/>`,
  `<message ${pair}><body>x</body></message>`,
  '<message from="x@peer.example" to="romeo@a.example" type="chat"><body>x</body></message>',
  '<message from="x@other.example" to="nobody@a.example" type="chat"><body>x</body></message>',
  '<presence from="x@peer.example" to="romeo@a.example" type="probe"/>',
  '<presence from="x@peer.example" to="romeo@a.example" type="subscribe"/>',
  '<iq from="x@peer.example" to="a.example" type="get" id="1"><ping xmlns="urn:xmpp:ping"/></iq>',
  '<stream:error><reset xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></stream:error>',
  ' ',
  '</stream:stream>',
  'leave',
  'listen',
];

/** What the other server may say on a stream that we have opened. */
const answers = [
  '<stream:features/>',
  `<stream:features><mechanisms xmlns="${sasl}"><mechanism>EXTERNAL</mechanism></mechanisms></stream:features>`,
  '<stream:features><dialback xmlns="urn:xmpp:features:dialback"/><bidi xmlns="urn:xmpp:features:bidi"/></stream:features>',
  `<stream:features><dialback xmlns="urn:xmpp:features:dialback"/><sm xmlns="${sm}"/></stream:features>`,
  '<db:result from="peer.example" to="a.example" type="valid"/>',
  '<db:result from="peer.example" to="a.example" type="invalid"/>',
  '<db:result from="peer.example" to="a.example" type="error"/>',
  '<db:verify from="peer.example" to="a.example" id="x" type="valid"/>',
  serverHeader('from="peer.example" to="a.example" id="y"'),
  ...words.filter((word) => word.startsWith('<') && !word.startsWith('<?')),
];

/** Whatever it takes for the server to have read all that was sent: an end, or a pause of its own. */
async function listens(client: TestClient): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
  client.connection.resumeReading();
}

describe('A walk through the states of a stream between servers', () => {
  it('that we have opened makes no illegal transition, and causes no internal error', async () => {
    const peer = await ScriptedServer.start('peer.example');
    const settings = { tlsRequired: false, backOff: { firstSeconds: 1, longestSeconds: 1 } };
    const clock = new ManualClock();
    const others = new Map([[peer.domain, peer.port]]);
    const [server] = await FederatedServer.startAll(['a.example'], 'dialback', { others, settings, clock });
    if (!server) throw new Error('a server was started');
    const romeo = await server.arrives('romeo');
    let rounds = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...answers), { maxLength: 8 }), async (steps) => {
        peer.welcome = (_header, client) => {
          peer.welcome = (_again, same) => same.disconnects();
          client.sends(serverHeader('from="peer.example" to="a.example" id="x"'));
          for (const step of steps) client.sends(step);
          client.disconnects();
        };
        clock.advance(1500);
        const id = `m${rounds++}`;
        romeo.sends(`<message to="x@peer.example" type="chat" id="${id}"><body>x</body></message>`);
        await romeo.drains();
      }),
      { numRuns: 200 },
    );
    peer.drops();
    await server.stop();
    peer.stop();
  });

  it('makes no illegal transition, causes no internal error, and leaves nothing behind', async () => {
    const peer = await ScriptedServer.start('peer.example');
    const other = await ScriptedServer.start('other.example');
    const others = new Map([peer, other].map(({ domain, port }) => [domain, port]));
    const [server] = await FederatedServer.startAll(['a.example'], 'dialback', {
      others,
      settings: { tlsRequired: false },
    });
    if (!server) throw new Error('a server was started');
    const romeo = await server.arrives('romeo');
    const start = fc.constantFrom('peer', 'nothing', 'proven');
    const walk = fc.array(fc.constantFrom(...words), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(start, walk, async (from, steps) => {
        const client =
          from === 'proven' ? await peer.proves(server.port, 'a.example') : await peer.connects(server.port);
        if (from === 'peer') client.sends(serverHeader(pair));
        for (const step of steps) {
          if (step === 'leave') client.disconnects();
          else if (step === 'listen') await listens(client);
          else client.sends(step);
        }
        await listens(client);
        client.disconnects();
      }),
      { numRuns: 300 },
    );
    await romeo.drains();
    peer.drops();
    other.drops();
    // An illegal step is logged as an error, and no server stops in peace with one in its log.
    await server.stop();
    peer.stop();
    other.stop();
  });
});
