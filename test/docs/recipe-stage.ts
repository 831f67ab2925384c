import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { runCli } from '../../src/cli/run-cli.ts';
import { befriend } from '../support/conversation.ts';
import { patienceMs } from '../support/line-process.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { expectTree, rawOf, TestClient } from '../support/test-client.ts';
import { type Settings, startTestServer, type TestServer } from '../support/test-server.ts';
import type { Tree } from '../support/xml-tree.ts';
import type { Recipe, Step } from './recipes.ts';

const domains = ['montague.example', 'capulet.example'];
const addresses = new Map([
  ['Romeo', 'romeo@montague.example/orchard'],
  ['Juliet', 'juliet@capulet.example/balcony'],
  ['Nurse', 'nurse@capulet.example/kitchen'],
]);
const noon = Date.UTC(2026, 2, 1, 12);
/** Clients that nobody pings while hours pass at once. */
const patient = { idlePingAfterSeconds: 86_400, writeStallSeconds: 86_400 };
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const unitsMs = new Map([
  ['second', 1000],
  ['minute', 60_000],
  ['hour', 3_600_000],
  ['day', 86_400_000],
]);

/** An account of a recipe: its client while it is online, and what has come and not been looked at. */
class Actor {
  readonly #server: TestServer;
  readonly #jid: string;
  #client: TestClient | undefined;
  #inbox: Tree[] = [];

  constructor(server: TestServer, jid: string) {
    this.#server = server;
    this.#jid = jid;
  }

  get client(): TestClient {
    return this.#client ?? expect.fail(`${this.#jid} is offline`);
  }

  async comesOnline(resource: string = this.#jid.split('/')[1] ?? ''): Promise<void> {
    const [local = '', domain = ''] = this.#jid.split(/[@/]/);
    const { c2sTls } = this.#server;
    const client = await TestClient.connect({ ...c2sTls, tls: { ...c2sTls.tls, servername: domain } }, domain);
    this.#client = client;
    await client.opens();
    await client.authenticates({ username: local, password: 'wherefore' });
    await client.binds(resource);
    await client.appears();
    this.#takes(client.arrival);
  }

  async goesOffline(): Promise<void> {
    await this.client.closes();
    this.#client = undefined;
  }

  async sends(xml: string): Promise<void> {
    this.client.sends(xml);
    this.#takes(await this.client.drains());
  }

  async receives(pattern: string): Promise<void> {
    while (this.#inbox.length === 0) this.#takes([await this.client.receives('<any. xmlns="*">...</any.>')]);
    const [next] = this.#inbox.splice(0, 1);
    if (next) expectTree(next, pattern, { strict: true });
  }

  async receivesNothing(): Promise<void> {
    if (this.#client) this.#takes(await this.#client.drains());
    expect(this.#inbox.map(rawOf)).to.deep.equal([]);
  }

  leaves(): void {
    this.#client?.disconnects();
  }

  /** Who comes and goes is not the matter of these recipes. */
  #takes(trees: readonly Tree[]): void {
    this.#inbox.push(...trees.filter(({ name }) => name !== 'presence'));
  }
}

/** What a sentence means: the words in parentheses are given to `play`, before the block. */
interface Meaning {
  readonly sentence: RegExp;
  play(words: readonly string[], block: string): Promise<void> | void;
}

/** Plays one recipe on a server of its own. */
export class RecipeStage {
  readonly #recipe: Recipe;
  readonly #clock = new ManualClock(noon);
  readonly #actors = new Map<string, Actor>();
  readonly #meanings: readonly Meaning[] = [
    { sentence: /^(?:The configuration has|.* are strangers)$/, play: () => {} },
    { sentence: /^The operator runs$/, play: (_, block) => this.#runs(block) },
    { sentence: /^(\w+) sends$/, play: ([who], block) => this.#actor(who).sends(block) },
    { sentence: /^(\w+) receives$/, play: ([who], block) => this.#actor(who).receives(block) },
    { sentence: /^(\w+) receives nothing$/, play: ([who]) => this.#actor(who).receivesNothing() },
    { sentence: /^(\w+) comes online(?: as (\w+))?$/, play: ([who, as]) => this.#actor(who).comesOnline(as) },
    { sentence: /^(\w+) goes offline$/, play: ([who]) => this.#actor(who).goesOffline() },
    { sentence: /^(\d+) (\w+?)s? pass$/, play: ([count, unit]) => this.#passes(Number(count), unit) },
  ];
  #directory = '';

  constructor(recipe: Recipe) {
    this.#recipe = recipe;
  }

  async play(): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), 'ampere-recipe-'));
    const settings = { ...this.#settings(), dataDir: join(this.#directory, 'data') };
    await writeFile(join(this.#directory, 'server.json'), JSON.stringify({ ...settings, domains }));
    const server = await startTestServer({ domains, settings, clock: this.#clock });
    try {
      await this.#enter(server);
      for (const step of this.#recipe.steps) await this.#take(step);
    } finally {
      for (const actor of this.#actors.values()) actor.leaves();
      await server.stop();
      await rm(this.#directory, { recursive: true });
    }
  }

  #settings(): Settings {
    const written = this.#recipe.steps.find(({ sentence }) => sentence === 'The configuration has');
    return { limits: { disabled: true, c2s: patient }, ...(written && JSON.parse(written.block)) };
  }

  async #enter(server: TestServer): Promise<void> {
    for (const [name, jid] of addresses) {
      const actor = new Actor(server, jid);
      this.#actors.set(name, actor);
      await server.addUser(jid.replace(/\/.*/, ''), 'wherefore');
      await actor.comesOnline();
    }
    if (this.#recipe.steps.some(({ sentence }) => sentence === 'Romeo and Juliet are strangers')) return;
    await befriend(this.#actor('Romeo').client, this.#actor('Juliet').client);
  }

  async #take({ sentence, block }: Step): Promise<void> {
    for (const { sentence: pattern, play } of this.#meanings) {
      const match = pattern.exec(sentence);
      if (match) return play(match.slice(1), block);
    }
    throw new Error(`nobody knows what "${sentence}" means`);
  }

  #actor(name = ''): Actor {
    return this.#actors.get(name) ?? expect.fail(`${name} is not of the cast`);
  }

  /** Who comes next comes after what came due has been dealt with: hours pass at once, but the disk takes its time. */
  async #passes(count: number, unit = ''): Promise<void> {
    this.#clock.advance(count * (unitsMs.get(unit) ?? expect.fail(`how long is a ${unit}?`)));
    const db = new Database(join(this.#directory, 'data', 'ampere.db'), { readonly: true });
    const due = db.prepare('SELECT 1 FROM offline_messages WHERE due_at_ms <= ? UNION SELECT 1 FROM outbox');
    const giveUpAtMs = performance.now() + patienceMs;
    while (due.get(this.#clock.nowMs()) && performance.now() < giveUpAtMs) await nextTurn();
    db.close();
  }

  /** Commands stand behind `$ `, and what they print below them. */
  async #runs(block: string): Promise<void> {
    for (const command of block.split(/^\$ /m).slice(1)) {
      const [line = '', ...printed] = command.trimEnd().split('\n');
      const [program, ...args] = line.split(' ');
      expect(program).to.equal('ampere');
      expect(await this.#outputOf(args)).to.equal(printed.map((text) => `${text}\n`).join(''));
    }
  }

  async #outputOf(args: readonly string[]): Promise<string> {
    const said: string[] = [];
    const output = { write: (text: string) => void said.push(text) };
    const stdin = new PassThrough();
    stdin.end();
    const surroundings = { stdin, stdout: output, stderr: output, environment: {}, directory: this.#directory };
    await runCli(args, surroundings);
    return said.join('');
  }
}
