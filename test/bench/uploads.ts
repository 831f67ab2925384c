// What the server moves in a second with files over TLS, beside a bare file server of Node.js, its memory with many at a time, and the
// latency of chat meanwhile. `node test/bench/uploads.ts [REPETITIONS]`; the two servers are this file in processes of their own.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { startServer } from '../../src/compose/server.ts';
import { configSchema } from '../../src/config/schema.ts';
import { createLog } from '../../src/support/log.ts';
import { addUser } from '../../src/web/control/user-operations.ts';
import { TestClient } from '../support/test-client.ts';
import { makeCertificate } from './certificate.ts';
import { coresOf, onCores } from './cores.ts';
import { endWithUs } from './end-with-us.ts';
import { Generator } from './generator.ts';
import { median } from './statistics.ts';
import { Workplace } from './workplace.ts';

const [large, small] = [100_000_000, 10_000_000];
const usualRepetitions = 5;
const atATime = 200;
const users = 5;
/** Pairs who chat. */
const pairs = 10;
const chatSeconds = 6;
const chatRounds = 5;
const cores = 'one each';
const host = '127.0.0.1';
const here = [{ host, port: 0 }];

interface Paths {
  readonly put: string;
  readonly get: string;
}

/** A server to measure, in a process of its own. */
interface Subject {
  readonly name: 'ampere' | 'bare';
  readonly pid: number;
  readonly https: number;
  /** With TLS. */
  readonly c2s: number;
  slot(size: number, number: number): Promise<Paths>;
  stop(): void;
}

async function serveAmpere(directory: string): Promise<string> {
  const config = configSchema({ directory, environment: {} }).parse({
    domains: ['localhost'],
    dataDir: 'data',
    listen: { c2s: here, c2sTls: here, http: [], https: here },
    s2s: { enabled: false },
    tls: { certificate: 'certificate.pem', key: 'key.pem', required: false },
    web: { publicUrl: 'https://localhost' },
    uploads: { maxBytesPerDay: 2 ** 40, maxBytesPerAccount: 2 ** 40, maxBytes: 2 ** 40, reserveBytes: 0 },
    limits: { disabled: true },
  });
  const { administration, addresses } = await startServer(config, {
    log: await createLog({ level: 'silent', format: 'json' }),
  });
  const names = Array.from({ length: users }, (_, user) => `user${user}`);
  const chatting = Array.from({ length: 2 * pairs }, (_, user) => `chat${user}`);
  for (const name of [...names, ...chatting])
    await administration.call(addUser, { jid: `${name}@localhost`, password: 'password' });
  return [addresses.https, addresses.c2s, addresses.c2sTls].map(([address]) => address?.port).join(' ');
}

/** Makes no checks, and does not care whether anything is on the disk. */
async function serveBare(directory: string): Promise<string> {
  const [cert, key] = ['certificate.pem', 'key.pem'].map((name) => readFileSync(join(directory, name)));
  const server = createServer({ cert, key }, (incoming, response) => {
    const file = join(directory, `bare-${incoming.url?.slice(1)}`);
    if (incoming.method !== 'PUT') return void createReadStream(file).pipe(response);
    void pipeline(incoming, createWriteStream(file)).then(() => response.writeHead(201).end());
  });
  await once(server.listen(0, host), 'listening');
  return `${(server.address() as AddressInfo).port} 0 0`;
}

async function start(name: Subject['name'], directory: string): Promise<Subject> {
  const [file, args] = onCores(coresOf[cores].server, [process.execPath, import.meta.filename, name, directory]);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  endWithUs(child);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const [https = 0, c2s = 0, c2sTls = 0] = line.split(' ').map(Number);
  const clients =
    name === 'bare' ? [] : await Promise.all(Array.from({ length: users }, (_, user) => login(c2s, user)));
  let slots: Promise<unknown> = Promise.resolve();
  return {
    name,
    pid: child.pid ?? 0,
    https,
    c2s: c2sTls,
    slot: async (size, number) => {
      const client = clients[number % users];
      if (!client) return { put: `/${number}`, get: `/${number}` };
      // One after the other, because the answers are not told apart.
      const slot = slots.then(() => slotOf(client, size));
      slots = slot;
      return slot;
    },
    stop: () => void child.kill('SIGKILL'),
  };
}

async function login(port: number, user: number): Promise<TestClient> {
  const client = await TestClient.connect({ host, port }, 'localhost');
  await client.opens();
  await client.authenticates({ username: `user${user}`, password: 'password' });
  await client.binds();
  return client;
}

async function slotOf(client: TestClient, size: number): Promise<Paths> {
  const wanted = `<request xmlns="urn:xmpp:http:upload:0" filename="f" size="${size}"/>`;
  const { raw } = await client.asks(`<iq type="get" to="upload.localhost">${wanted}</iq>`);
  const path = (which: string) => new RegExp(`<${which} url="https://localhost([^"]*)"/>`).exec(raw)?.[1] ?? '';
  return { put: path('put'), get: path('get') };
}

/** Sends a request, and reads and counts the answer. */
async function transfer(
  port: number,
  method: 'GET' | 'PUT',
  path: string,
  size: number,
  agent: Agent,
): Promise<number> {
  const headers = method === 'PUT' ? { 'content-length': size } : {};
  const sent = request({ host, port, method, path, agent, headers, rejectUnauthorized: false });
  const answered = once(sent, 'response');
  if (method === 'PUT') {
    const chunk = Buffer.alloc(65_536, 'x');
    for (let left = size; left > 0; left -= chunk.length)
      if (!sent.write(left < chunk.length ? chunk.subarray(0, left) : chunk)) await once(sent, 'drain');
  }
  sent.end();
  const [response] = await answered;
  let bytes = 0;
  for await (const part of response) bytes += part.length;
  if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode}`);
  return bytes;
}

/** Megabytes in a second, to the server and back. */
async function rates({ https, slot }: Subject, number: number): Promise<{ put: number; get: number }> {
  const agent = new Agent({ keepAlive: true });
  const paths = await slot(large, number);
  const rate = async (method: 'GET' | 'PUT', path: string) => {
    const began = performance.now();
    await transfer(https, method, path, large, agent);
    return large / 1000 / (performance.now() - began);
  };
  const measured = { put: await rate('PUT', paths.put), get: await rate('GET', paths.get) };
  agent.destroy();
  return measured;
}

function residentMebibytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** The most memory while many files move at the same time. */
async function memory({ pid, https, slot }: Subject): Promise<Record<string, string>> {
  const agent = new Agent({ keepAlive: true, maxSockets: atATime });
  const slots: Paths[] = [];
  for (let number = 0; number < atATime; number++) slots.push(await slot(small, 1000 + number));
  const figures: Record<string, string> = { before: residentMebibytes(pid).toFixed(0) };
  for (const method of ['PUT', 'GET'] as const) {
    let most = 0;
    const look = setInterval(() => (most = Math.max(most, residentMebibytes(pid))), 50);
    await Promise.all(slots.map(({ put, get }) => transfer(https, method, method === 'PUT' ? put : get, small, agent)));
    clearInterval(look);
    figures[`most in ${method}`] = most.toFixed(0);
  }
  agent.destroy();
  return figures;
}

/** Of chat at a fixed rate. */
interface Latencies {
  readonly p50Us: number;
  readonly p99Us: number;
}

type Chat = () => Promise<Latencies>;

async function chatOn({ pid, c2s }: Subject): Promise<Chat> {
  const workplace = await Workplace.open();
  const generator = await Generator.build(workplace);
  const settings = { domain: 'localhost', prefix: 'chat', password: 'password', pairs, rate: 1000, warm: 2 };
  const order = { scenario: 'messages', tls: true, webSocket: false, raw: false, cores, keys: '/dev/null' } as const;
  const server = { pid, place: { ports: { plain: 0, tls: c2s, https: 0 } } };
  return () => generator.drive(server, { ...order, settings: { ...settings, seconds: chatSeconds } });
}

/** The chat while many files move at the same time. */
async function besides({ https, slot }: Subject, method: 'GET' | 'PUT', chat: Chat) {
  const agent = new Agent({ keepAlive: true, maxSockets: atATime });
  let isOver = false;
  const upload = async (number: number): Promise<string> => {
    const { put, get } = await slot(small, number);
    await transfer(https, 'PUT', put, small, agent);
    return get;
  };
  const files = method === 'GET' ? await Promise.all(Array.from({ length: users }, (_, number) => upload(number))) : [];
  const move = async (number: number) => {
    const path = files[number % users] ?? '';
    while (!isOver) await (method === 'PUT' ? upload(number) : transfer(https, 'GET', path, small, agent));
  };
  const moves = Array.from({ length: atATime }, (_, number) => move(number));
  const latencies = await chat();
  isOver = true;
  await Promise.all(moves);
  agent.destroy();
  return latencies;
}

/** Latencies of chat alone and beside files, in turns. */
async function compareChat(server: Subject): Promise<void> {
  // Otherwise the disk is busy with what the bare server has written.
  execFileSync('sync');
  const chat = await chatOn(server);
  const kinds = {
    alone: chat,
    [`beside ${atATime} × PUT`]: () => besides(server, 'PUT', chat),
    [`beside ${atATime} × GET`]: () => besides(server, 'GET', chat),
  };
  const found = Object.entries(kinds).map(([title, measure]) => ({ title, measure, rounds: [] as Latencies[] }));
  for (let round = 0; round < chatRounds; round++)
    for (const { measure, rounds } of found) rounds.push(await measure());
  for (const { title, rounds } of found) {
    const ms = (of: keyof Latencies) => (median(rounds.map((latencies) => latencies[of])) / 1000).toFixed(2);
    console.log(`chat ${title}, p50 / p99 in ms`, ms('p50Us'), '/', ms('p99Us'));
  }
}

async function run(repetitions: number): Promise<void> {
  execFileSync('taskset', ['-cp', coresOf[cores].generator.join(), String(process.pid)]);
  const directory = mkdtempSync(join(tmpdir(), 'ampere-bench-uploads-'));
  await makeCertificate(directory);
  const subjects = [await start('bare', directory), await start('ampere', directory)] as const;
  try {
    const found = subjects.map((subject) => ({ subject, put: [] as number[], get: [] as number[] }));
    for (let round = 0; round < repetitions; round++)
      for (const { subject, put, get } of found) {
        const measured = await rates(subject, round);
        put.push(measured.put);
        get.push(measured.get);
      }
    const [bare, ampere] = found.map(({ put, get }) => ({ put: median(put), get: median(get) }));
    console.log('MB/s', { bare, ampere });
    console.log('ratio', { put: ampere!.put / bare!.put, get: ampere!.get / bare!.get });
    for (const subject of subjects) console.log(`MiB, ${atATime} at a time`, subject.name, await memory(subject));
    await compareChat(subjects[1]);
  } finally {
    for (const subject of subjects) subject.stop();
    rmSync(directory, { recursive: true, force: true });
  }
  process.exit(0);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
const [, , role, directory = ''] = process.argv;
if (role === 'ampere') console.log(await serveAmpere(directory));
else if (role === 'bare') console.log(await serveBare(directory));
else await run(Number(role ?? usualRepetitions));
