// What the server moves in a second with files over TLS, beside a bare file server of Node.js, and its memory with many at a time.
// `node test/bench/uploads.ts`; the two servers are this file in processes of their own.
import { spawn } from 'node:child_process';
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
import { median } from './statistics.ts';

const [large, small] = [100_000_000, 10_000_000];
const repetitions = 5;
const atATime = 200;
const users = 5;
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
  readonly c2s: number;
  slot(size: number, number: number): Promise<Paths>;
  stop(): void;
}

async function serveAmpere(directory: string): Promise<string> {
  const config = configSchema({ directory, environment: {} }).parse({
    domains: ['localhost'],
    dataDir: 'data',
    listen: { c2s: here, c2sTls: [], http: [], https: here },
    s2s: { enabled: false },
    tls: { certificate: 'certificate.pem', key: 'key.pem', required: false },
    web: { publicUrl: 'https://localhost' },
    uploads: { maxBytesPerDay: 2 ** 40, maxBytesPerAccount: 2 ** 40, maxBytes: 2 ** 40, reserveBytes: 0 },
    limits: { disabled: true },
  });
  const { administration, addresses } = await startServer(config, {
    log: await createLog({ level: 'silent', format: 'json' }),
  });
  for (let user = 0; user < users; user++)
    await administration.call(addUser, { jid: `user${user}@localhost`, password: 'password' });
  return `${addresses.https[0]?.port} ${addresses.c2s[0]?.port}`;
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
  return `${(server.address() as AddressInfo).port} 0`;
}

async function start(name: Subject['name'], directory: string): Promise<Subject> {
  const child = spawn(process.execPath, [import.meta.filename, name, directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const [https = 0, c2s = 0] = line.split(' ').map(Number);
  const clients =
    name === 'bare' ? [] : await Promise.all(Array.from({ length: users }, (_, user) => login(c2s, user)));
  return {
    name,
    pid: child.pid ?? 0,
    https,
    c2s,
    slot: async (size, number) => {
      const client = clients[number % users];
      return client ? slotOf(client, size) : { put: `/${number}`, get: `/${number}` };
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

async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ampere-bench-uploads-'));
  await makeCertificate(directory);
  const subjects = [await start('bare', directory), await start('ampere', directory)];
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
  } finally {
    for (const subject of subjects) subject.stop();
    rmSync(directory, { recursive: true, force: true });
  }
  process.exit(0);
}

const [, , role, directory = ''] = process.argv;
if (role === 'ampere') console.log(await serveAmpere(directory));
else if (role === 'bare') console.log(await serveBare(directory));
else await run();
