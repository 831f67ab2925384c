import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { TestClient } from '../support/test-client.ts';
import { TestConnection } from '../support/test-connection.ts';
import { domain, password } from './accounts.ts';
import { cases } from './cases.ts';
import { fillArchive } from './fill.ts';
import { RunningServer } from './running-server.ts';
import { ampereIn } from './servers/ampere.ts';
import { Workplace } from './workplace.ts';

/*
 * Measures answers from a large archive as a client gets them: `node test/bench/archive-answers.ts --messages 2000000 --queries 500`. Half
 * of the messages belong to the client. Prints the milliseconds from a query to its answer, and the CPU time of the server for one.
 */

const { values } = parseArgs({
  options: { messages: { type: 'string', default: '2000000' }, queries: { type: 'string', default: '500' } },
});
const queries = Number(values.queries);
const pageSize = 50;
const patienceMs = 30_000;

/** Writes, and resolves when what has come since ends with a text. Reads no XML, which would take longer than the server does. */
async function ask(socket: Socket, request: string, last: string): Promise<string> {
  const signal = AbortSignal.timeout(patienceMs);
  let answer = '';
  socket.write(request);
  try {
    while (!answer.endsWith(last)) {
      const [bytes] = await once(socket, 'data', { signal });
      answer += bytes.toString('latin1');
    }
  } catch (cause) {
    throw new Error(`${request} was not answered with ${last} but with ${answer.slice(-1000)}`, { cause });
  }
  return answer;
}

async function login(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  const client = new TestClient(TestConnection.accepted(socket), domain);
  await client.opens();
  await client.authenticates({ username: 'u0', password, mechanism: 'SCRAM-SHA-1' });
  await client.binds('phone');
  socket.removeAllListeners('data');
  return socket;
}

/** A query for the last messages, of all or of those with one peer. */
function query(id: number, peer: string | undefined): string {
  const field = (name: string, value: string) => `<field var='${name}'><value>${value}</value></field>`;
  const fields = field('FORM_TYPE', 'urn:xmpp:mam:2') + (peer ? field('with', peer) : '');
  const form = `<x xmlns='jabber:x:data' type='submit'>${fields}</x>`;
  const set = `<set xmlns='http://jabber.org/protocol/rsm'><max>${pageSize}</max><before/></set>`;
  return `<iq type='set' id='q${id}'><query xmlns='urn:xmpp:mam:2'>${form}${set}</query></iq>`;
}

async function measure(title: string, socket: Socket, peer?: string): Promise<void> {
  const times: number[] = [];
  const before = running.cpuSeconds;
  for (let id = 0; id < queries; id++) {
    const beganMs = performance.now();
    const answer = await ask(socket, query(id, peer), '</fin></iq>');
    times.push(performance.now() - beganMs);
    const found = answer.split('<result ').length - 1;
    if (found !== pageSize) throw new Error(`a page has ${found} messages instead of ${pageSize}`);
  }
  const cpuMs = ((running.cpuSeconds - before) * 1000) / queries;
  const [first] = times;
  times.sort((one, other) => one - other);
  const at = (part: number) => (times[Math.floor(part * times.length)] ?? 0).toFixed(2);
  console.log(
    title.padEnd(30),
    `first ${first?.toFixed(2)}  p50 ${at(0.5)}  p99 ${at(0.99)}  CPU ${cpuMs.toFixed(2)} ms`,
  );
}

const server = ampereIn(resolve(import.meta.dirname, '../..'), false);
const start = cases.find(({ kind }) => kind === 'start');
if (!start) throw new Error('there is no case for the start');
const workplace = await Workplace.open();
const place = await workplace.placeFor(server);
fillArchive(join(place.data, 'ampere.db'), Number(values.messages), `u0@${domain}`);
await using running = await RunningServer.start(server, place, { ...start, archive: true });
const socket = await login(place.ports.plain);
await measure(`last ${pageSize} of all`, socket);
await measure(`last ${pageSize} with one peer`, socket, 'peer0@y.example');
socket.destroy();
