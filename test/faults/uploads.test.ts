import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type LineProcess, patienceMs } from '../support/line-process.ts';
import { TestClient } from '../support/test-client.ts';
import { connected, remaining, requestText } from '../web/http/raw-http.ts';
import { SeededRandom } from './seeded-random.ts';
import { ServerFixture } from './server-under-test.ts';
import { SmallDisk } from './small-disk.ts';

const url = 'https://files.example.org';
const settings = {
  listen: {
    c2s: [{ host: '127.0.0.1', port: 0 }],
    c2sTls: [],
    http: [{ host: '127.0.0.1', port: 0 }],
    https: [],
    proxy: [],
  },
  web: { publicUrl: url },
  uploads: { reserveBytes: 0 },
};
const mebibyte = 2 ** 20;

/** A user who uploads. */
class Uploader {
  readonly #client: TestClient;
  readonly #port: number;

  private constructor(client: TestClient, port: number) {
    this.#client = client;
    this.#port = port;
  }

  static async connects(port: number, httpPort: number): Promise<Uploader> {
    const client = await TestClient.connect({ host: '127.0.0.1', port }, 'localhost');
    await client.opens();
    await client.authenticates({ username: 'romeo', password: 'romeo-password' });
    await client.binds();
    return new Uploader(client, httpPort);
  }

  /** The paths of a slot; undefined if it was refused. */
  async slot(size: number): Promise<{ readonly put: string; readonly get: string } | undefined> {
    const { raw } = await this.#client.asks(
      `<iq type="get" to="upload.localhost"><request xmlns="urn:xmpp:http:upload:0" filename="a" size="${size}"/></iq>`,
    );
    const [, put, get] = new RegExp(`<put url="${url}([^"]*)"/><get url="${url}([^"]*)"/>`).exec(raw) ?? [];
    return put !== undefined && get !== undefined ? { put, get } : undefined;
  }

  /** Sends a request and resolves with the status of the answer. */
  async puts(path: string, body: Buffer): Promise<number> {
    return (await fetch(`http://127.0.0.1:${this.#port}${path}`, { method: 'PUT', body })).status;
  }

  /** Resolves with the hash of what was read, or with the status if it was not 200. */
  async reads(path: string): Promise<string | number> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}${path}`);
    return answer.status === 200 ? hashOf(Buffer.from(await answer.arrayBuffer())) : answer.status;
  }

  leaves(): void {
    this.#client.disconnects();
  }
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Waits until something is so, for a while. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  while (!isSo()) {
    if (performance.now() > deadlineMs) throw new Error(`${what}: not so after ${patienceMs} ms`);
    await new Promise(setImmediate);
  }
}

/** The names of all contents in a directory of uploads. */
function contentsIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).flatMap((name) =>
    readdirSync(join(directory, name)).map((file) => (name === 'incoming' ? `incoming ${file}` : file)),
  );
}

describe('uploads to a server that is killed', function () {
  this.timeout(120_000);
  const rounds = 5;
  const fixture = new ServerFixture();

  it('are whole if they were answered with 201, and leave nothing otherwise', async () => {
    const random = new SeededRandom();
    const stored = new Map<string, string>();
    for (let round = 0; round < rounds; round++) {
      const server = await fixture.start(['romeo'], { settings });
      const clients = [];
      for (let count = 0; count < 3; count++) clients.push(await Uploader.connects(server.port, server.httpPort));
      const uploadsUntilTheEnd = async (romeo: Uploader) => {
        for (;;) {
          const body = random.bytes(random.between(1, 300_000));
          const paths = await romeo.slot(body.length);
          if (!paths) return;
          if ((await romeo.puts(paths.put, body)) === 201) stored.set(paths.get, hashOf(body));
        }
      };
      const uploads = clients.map(uploadsUntilTheEnd);
      const ended = Promise.all(uploads).then(() => {
        throw new Error('a slot was refused');
      });
      const uploading = Promise.allSettled([...uploads, ended]);
      const goal = stored.size + random.between(1, 12);
      await Promise.race([until('enough uploads', () => stored.size >= goal), ended]);
      server.kill();
      for (const client of clients) client.leaves();
      await uploading;
      expect(await server.end()).to.equal(null);
    }
    const server = await fixture.start(['romeo'], { settings });
    const romeo = await Uploader.connects(server.port, server.httpPort);
    for (const [path, hash] of stored) expect(await romeo.reads(path), path).to.equal(hash);
    const left = () => contentsIn(join(fixture.dataDir, 'uploads'));
    // An upload may have become durable just before its answer was lost.
    await until('incoming is empty', () => !left().some((name) => name.startsWith('incoming')));
    romeo.leaves();
    await server.stop();
    const ids = new Set([...stored.keys()].map((path) => path.split('/')[2]));
    expect(left().filter((id) => ids.has(id))).to.have.length(ids.size);
    console.log(`      ${rounds} kills, seed ${random.seed}: ${stored.size} files acknowledged, all whole`);
  });
});

describe('uploads to a full disk', () => {
  let disk: SmallDisk | undefined;
  before(async function () {
    disk = await SmallDisk.make(16);
    if (disk) return;
    console.log('      skipped: this user may not mount a file system in a namespace of its own');
    this.skip();
  });
  after(() => disk?.close());

  it('are answered with 507, lose nothing, and work again when space is free', async () => {
    if (!disk) return;
    const server = disk.serve(['romeo'], mebibyte, settings);
    try {
      await fillsAndFrees(disk, server);
    } finally {
      server.kill('SIGKILL');
      await server.end();
    }
  });
});

async function fillsAndFrees(disk: SmallDisk, server: LineProcess): Promise<void> {
  const portOf = (name: string) => server.lines.find((line) => line.startsWith(`${name} `))?.slice(5);
  const port = Number(await server.waitFor('its port', () => portOf('port')));
  const httpPort = Number(portOf('http'));
  const romeo = await Uploader.connects(port, httpPort);
  const body = Buffer.alloc(2 * mebibyte, 'whole');
  const slot = async () => (await romeo.slot(body.length)) ?? expect.fail('there was no slot');
  const [whole, half, next] = [await slot(), await slot(), await slot()];
  expect(await romeo.puts(whole.put, body)).to.equal(201);

  // The disk fills up in the middle of an upload.
  const socket = await connected(httpPort);
  socket.write(requestText(`PUT ${half.put}`, [`Content-Length: ${body.length}`, 'Connection: close']));
  socket.write(body.subarray(0, mebibyte));
  const incoming = () => contentsIn(disk.path('uploads')).filter((name) => name.startsWith('incoming'));
  await until('an upload has begun', () => incoming().length > 0);
  disk.fill();
  socket.write(body.subarray(mebibyte));
  expect(await remaining(socket)).to.match(/^HTTP\/1\.1 507 /);
  expect(incoming()).to.deep.equal([]);

  // The rest of the space goes, too: nothing more can begin.
  disk.fill();
  expect(await romeo.puts(next.put, body)).to.equal(507);
  expect(await romeo.slot(body.length)).to.equal(undefined);
  expect(await romeo.reads(whole.get)).to.equal(hashOf(body));

  disk.clear();
  // The store looks at the space every five seconds.
  const deadlineMs = performance.now() + patienceMs;
  for (let status = 0; status !== 201; status = await romeo.puts(half.put, body)) {
    expect(status).to.be.oneOf([0, 507]);
    expect(performance.now()).to.be.below(deadlineMs);
  }
  for (const { get } of [whole, half]) expect(await romeo.reads(get)).to.equal(hashOf(body));
  romeo.leaves();
}
