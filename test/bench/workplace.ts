import { existsSync, rmSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { accountCount } from './accounts.ts';
import { type Certificate, makeCertificate } from './certificate.ts';
import { freePorts, type Place } from './place.ts';
import type { BenchServer } from './servers/bench-server.ts';

/** What is worth keeping between runs: the generator, the accounts, the keys of the generator's users. */
const cache = resolve(import.meta.dirname, '../../node_modules/.cache/ampere-bench');

/** A directory that goes when we end, and what is kept between runs. */
export class Workplace {
  readonly #directory: string;
  readonly #certificate: Certificate;

  private constructor(directory: string, certificate: Certificate) {
    this.#directory = directory;
    this.#certificate = certificate;
  }

  static async open(): Promise<Workplace> {
    await mkdir(cache, { recursive: true });
    const directory = await mkdtemp(join(tmpdir(), 'ampere-bench-'));
    process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
    return new Workplace(directory, await makeCertificate(directory));
  }

  /** A file that is kept. */
  kept(name: string): string {
    return join(cache, name);
  }

  /** A place with the accounts, as nobody has used it before. */
  async placeFor(server: BenchServer): Promise<Place> {
    const seed = await this.#seeded(server);
    const place = await this.#emptyPlace(server);
    await cp(seed, place.data, { recursive: true, preserveTimestamps: true });
    return place;
  }

  /** Where the generator keeps the keys of the users of `server`: they belong to the salts of its accounts. */
  async keysOf(server: BenchServer): Promise<string> {
    return this.kept(`${await this.#seedName(server)}.keys`);
  }

  async #seedName(server: BenchServer): Promise<string> {
    return [server.product, await server.version(), accountCount, await server.seedKey()].filter(Boolean).join('-');
  }

  async #seeded(server: BenchServer): Promise<string> {
    const seed = this.kept(await this.#seedName(server));
    if (existsSync(seed)) return seed;
    await this.#forget(server);
    process.stderr.write(`making the accounts of ${server.title}\n`);
    const place = await this.#emptyPlace(server);
    await server.seed(place);
    await cp(place.data, `${seed}.new`, { recursive: true, preserveTimestamps: true });
    await rename(`${seed}.new`, seed);
    return seed;
  }

  /** The accounts of other versions of the server. */
  async #forget(server: BenchServer): Promise<void> {
    const names = (await readdir(cache)).filter((name) => name.startsWith(`${server.product}-`));
    await Promise.all(names.map((name) => rm(join(cache, name), { recursive: true })));
  }

  async #emptyPlace(server: BenchServer): Promise<Place> {
    const directory = join(this.#directory, server.name);
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory);
    return { directory, data: join(directory, 'data'), ports: await freePorts(), certificate: this.#certificate };
  }
}
