import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { TestClient } from '../support/test-client.ts';
import { domain, password } from './accounts.ts';
import { type Case, cases } from './cases.ts';
import { fillNodes, nodeName } from './fill.ts';
import { Generator } from './generator.ts';
import { drive } from './measure.ts';
import { RunningServer } from './running-server.ts';
import { ampereIn } from './servers/ampere.ts';
import { Workplace } from './workplace.ts';

/*
 * Measures logins of somebody whose contacts have many nodes, beside the chat of others: `node test/bench/login-scale.ts --contacts 500
 * --nodes 5 --seconds 10`. Prints latencies of the chat alone and while somebody logs in again and again, and what a login takes until the
 * last item of the last node has come.
 */

const { values } = parseArgs({
  options: {
    contacts: { type: 'string', default: '500' },
    nodes: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
  },
});
const [contacts, nodes] = [Number(values.contacts), Number(values.nodes)];
const server = ampereIn(resolve(import.meta.dirname, '../..'), false);
const chat = cases.find(({ name }) => name === 'rate-1000');
if (!chat) throw new Error('there is no case with chat at a fixed rate');
const what: Case = { ...chat, tls: false, settings: { ...chat.settings, rate: 2000, base: 2000 } };
const caps = '<c xmlns="http://jabber.org/protocol/caps" hash="sha-1" node="urn:example:client" ver="nothing"/>';

/** Logs in as u0, and resolves when everything that its contacts publish has come. Answers what its client can. */
async function logsIn(port: number): Promise<void> {
  const client = await TestClient.connect({ host: '127.0.0.1', port }, domain);
  await client.opens();
  await client.authenticates({ username: 'u0', password, mechanism: 'SCRAM-SHA-1' });
  await client.binds('phone');
  client.sends(`<iq type="get" id="roster"><query xmlns="jabber:iq:roster"/></iq><presence>${caps}</presence>`);
  for (let items = 0; items < contacts * nodes; ) {
    const { name, attributes, raw } = await client.receives('<any.>...</any.>');
    if (name === 'message') items += 1;
    if (name === 'iq' && raw.includes('disco#info')) answers(client, attributes.get('id'), attributes.get('from'));
  }
  await client.closes();
}

function answers(client: TestClient, id: string | undefined, to: string | undefined): void {
  const features = Array.from({ length: nodes }, (_, number) => `<feature var="${nodeName(number)}+notify"/>`);
  const query = `<query xmlns="http://jabber.org/protocol/disco#info">${features.join('')}</query>`;
  client.sends(`<iq type="result" id="${id}" to="${to}">${query}</iq>`);
}

const workplace = await Workplace.open();
const place = await workplace.placeFor(server);
fillNodes(join(place.data, 'ampere.db'), contacts, nodes);
await using running = await RunningServer.start(server, place, what);
const parts = { workplace, generator: await Generator.build(workplace), seconds: Number(values.seconds) };
const print = (
  title: string,
  { p50Us = 0, p99Us = 0, p999Us = 0 }: { p50Us?: number; p99Us?: number; p999Us?: number },
) => console.log(title.padEnd(30), ...[p50Us, p99Us, p999Us].map((us) => `${(us / 1000).toFixed(2)} ms`));

await logsIn(place.ports.plain);
console.log('chat'.padEnd(30), 'p50 / p99 / p99.9');
print('alone', await drive(running, server, what, parts));
let isOver = false;
const took: number[] = [];
const logins = (async () => {
  while (!isOver) {
    const beganMs = performance.now();
    await logsIn(place.ports.plain);
    took.push(performance.now() - beganMs);
  }
})();
print('beside logins', await drive(running, server, what, parts));
isOver = true;
await logins;
took.sort((one, other) => one - other);
console.log(`${took.length} logins`.padEnd(30), `median ${took[Math.floor(took.length / 2)]?.toFixed(0)} ms`);
