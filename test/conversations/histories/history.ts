import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Server, startServer } from '../../../src/compose/server.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type ArchivedEntry, readArchive, readPage } from '../../support/read-archive.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { TestClient } from '../../support/test-client.ts';
import { childOf, findTree, type Tree } from '../../support/xml-tree.ts';
import { InstantDisk } from '../durability/instant-disk.ts';
import { type InitialState, turns } from '../durability/walk.ts';
import { accountOf, type Entry, Model } from './model.ts';
import { type AccountName, accounts, type Burst, type Content, type Device, devices, type Step } from './steps.ts';

const keepDays = 10;
const hourMs = 3_600_000;
const mam = 'urn:xmpp:mam:2';

/** A message as a device got it, at once or as a carbon. */
interface Seen {
  readonly device: Device;
  readonly id: string;
  readonly stanzaId: string | undefined;
}

/** A server, its clients, and a model of what its archives should have. */
export class History {
  readonly faults: string[] = [];
  readonly #model = new Model();
  readonly #initialState: InitialState;
  readonly #clients = new Map<Device, TestClient>();
  readonly #seen: Seen[] = [];
  #directory = '';
  #clock = new ManualClock();
  #log = new RecordingLog();
  #disk: InstantDisk;
  #server: Server | undefined;

  constructor(from: InitialState) {
    this.#initialState = from;
    this.#disk = new InstantDisk(from.image);
  }

  /** How many messages were sent. */
  get sent(): number {
    return this.#model.entries.size;
  }

  async open(): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), 'ampere-history-'));
    await cp(join(this.#initialState.directory, 'tls'), join(this.#directory, 'tls'), { recursive: true });
    await this.#start();
    for (const device of devices) await this.#comes(device);
  }

  async end(): Promise<void> {
    for (const device of [...this.#clients.keys()]) this.#leaves(device);
    await this.#stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async takes(step: Step): Promise<void> {
    switch (step.does) {
      case 'sends':
        for (const burst of step.bursts) this.#send(burst);
        return this.#settle();
      case 'pages':
        return this.#page(step);
      case 'leaves':
        return this.#leaves(step.device);
      case 'comes':
        return this.#comes(step.device);
      case 'prefers':
        return this.#prefer(step.account, step.keeps);
      case 'takes back':
        return this.#takeBack(step.from, step.which);
      case 'days pass':
        return this.#daysPass(step.days);
      case 'restarts':
        return this.#restart(() => this.#stop());
      case 'crashes':
        return this.#restart(async () => undefined);
      case 'crashes while sending':
        return this.#crashWhileSending(step.burst, step.turns);
    }
  }

  /** Compares the archives with the model, and with what the devices got. */
  async compare(): Promise<void> {
    for (const account of accounts) {
      const found = await this.#reads(account, (reader) => readArchive(reader, 50));
      this.#compareWith(account, found, this.#model.archiveOf(account));
      this.#compareSeen(account, found);
    }
    this.faults.push(...this.#log.alarms.splice(0));
  }

  // --- the server

  async #start(): Promise<void> {
    const config = configSchema({ directory: this.#directory, environment: {} }).parse({
      listen: { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [], http: [], https: [], proxy: [] },
      tls: { required: false },
      s2s: { enabled: false },
      authentication: { scramIterations: 4096 },
      archive: { keepDays },
      limits: { disabled: true },
      dataDir: this.#directory,
    });
    this.#server = await startServer(config, { log: this.#log, clock: this.#clock, openStorage: this.#disk.open });
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    let over = false;
    const stopped = server?.stop().finally(() => {
      over = true;
    });
    for (let waited = 0; !over && waited < 2000; waited++) {
      await turns(5);
      if (waited > 20) this.#clock.advance(500);
    }
    await stopped;
  }

  /** Starts another server from the state of the disk, and brings back the devices that were there. */
  async #restart(before: () => Promise<void>): Promise<void> {
    const there = [...this.#clients.keys()];
    await before();
    const image = this.#disk.image();
    for (const device of there) this.#leaves(device);
    // A server that has crashed is ended, too, so that nothing is left of it. Its disk is not used any more.
    await this.#stop();
    this.#disk = new InstantDisk(image);
    // Never at the moment of the crash itself.
    this.#clock = new ManualClock(this.#clock.nowMs() + 100);
    await this.#start();
    for (const device of there) await this.#comes(device);
  }

  async #crashWhileSending(burst: Burst, count: number): Promise<void> {
    const sent = this.#send(burst);
    await turns(count);
    for (const entry of sent) entry.isUncertain = true;
    await this.#restart(async () => undefined);
  }

  /** Old messages are removed every hour. Nobody is connected meanwhile: nobody would answer pings. */
  async #daysPass(days: number): Promise<void> {
    const there = [...this.#clients.keys()];
    for (const device of there) this.#leaves(device);
    await turns(20);
    for (let hour = 0; hour < days * 24; hour++) {
      this.#clock.advance(hourMs);
      await turns(3);
    }
    for (let waited = 0; waited < 500 && !this.#disk.idle; waited++) await turns(5);
    this.#clock.advance(hourMs);
    await turns(50);
    this.#model.sweep(this.#clock.nowMs() - keepDays * 24 * hourMs);
    for (const device of there) await this.#comes(device);
  }

  // --- clients

  async #comes(device: Device): Promise<void> {
    if (this.#clients.has(device)) return;
    const client = await this.#logsIn(device);
    this.#clients.set(device, client);
    client.sends('<iq type="set" id="carbons"><enable xmlns="urn:xmpp:carbons:2"/></iq><presence/>');
    // Also until it has confirmed its stored messages. Those that are not confirmed come again after a restart.
    await this.#settle();
  }

  async #logsIn(name: string): Promise<TestClient> {
    const address = this.#server?.addresses.c2s[0];
    if (!address) throw new Error('the server is not listening');
    const client = await TestClient.connect({ host: address.address, port: address.port }, 'localhost');
    const [account = '', resource = ''] = name.split('/');
    const answerPings = client.connection.intercept;
    client.connection.intercept = (tree) => answerPings?.(tree) || this.#takes(name, tree);
    await client.opens();
    await client.authenticates({ username: account, password: `${account}-password` });
    await client.binds(resource);
    return client;
  }

  #leaves(device: Device): void {
    this.#clients.get(device)?.disconnects();
    this.#clients.delete(device);
  }

  /** True for messages, except for the results of queries. */
  #takes(name: string, tree: Tree): boolean {
    if (tree.name !== 'message' || childOf(tree, 'result')) return tree.name === 'presence';
    const device = devices.find((one) => one === name);
    const carbon = tree.children.find(
      (child) =>
        child.ns === 'urn:xmpp:carbons:2' && tree.attributes.get('from') === `${accountNameOf(name)}@localhost`,
    );
    const message = (carbon && findTree(carbon, 'message')) ?? tree;
    const by = `${accountNameOf(name)}@localhost`;
    const stamps = message.children.filter((child) => child.name === 'stanza-id' && child.attributes.get('by') === by);
    if (stamps.length > 1) this.faults.push(`${name} got several ids: ${tree.raw}`);
    if (device)
      this.#seen.push({ device, id: message.attributes.get('id') ?? '', stanzaId: stamps[0]?.attributes.get('id') });
    return true;
  }

  async #reads<Result>(account: AccountName, read: (reader: TestClient) => Promise<Result>): Promise<Result> {
    const reader = await this.#logsIn(`${account}/reader`);
    const result = await read(reader);
    reader.disconnects();
    return result;
  }

  /** Resolves when everything that was sent has arrived and is confirmed: what is stored, what comes from there, and the answer. */
  async #settle(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      for (const client of this.#clients.values()) await client.drains();
      for (let waited = 0; waited < 500 && !this.#disk.idle; waited++) await turns(2);
    }
  }

  #send({ from, to, contents }: Burst): Entry[] {
    const client = this.#clients.get(from);
    if (!client) return [];
    return contents.map((content) => {
      const entry = this.#model.send(from, to, content, this.#clock.nowMs());
      client.sends(messageOf(entry, content));
      return entry;
    });
  }

  async #prefer(account: AccountName, keeps: boolean): Promise<void> {
    const prefs = `<prefs xmlns="${mam}" default="${keeps ? 'always' : 'never'}"><always/><never/></prefs>`;
    await this.#reads(account, (reader) => reader.asks(`<iq type="set">${prefs}</iq>`));
    this.#model.prefer(account, keeps);
  }

  /** A device takes back a message of its account. */
  async #takeBack(from: Device, which: number): Promise<void> {
    const client = this.#clients.get(from);
    const target = [...this.#model.entries.values()][which];
    if (!client || !target || target.isUncertain || target.content === 'retraction') return;
    const entry = this.#model.send(from, target.to, 'retraction', this.#clock.nowMs());
    const retract = `<retract xmlns="urn:xmpp:message-retract:1" id="${target.id}"/>`;
    client.sends(`<message id="${entry.id}" to="${target.to}@localhost" type="chat">${retract}</message>`);
    await this.#settle();
    if (accountOf(from) === accountOf(target.from)) this.#model.takeBack(target, entry);
  }

  /** Pages through an archive while messages come. */
  async #page({ account, max, backwards, burst }: Extract<Step, { does: 'pages' }>): Promise<void> {
    const before = this.#model.archiveOf(account);
    const found = await this.#reads(account, async (reader) => {
      const entries: ArchivedEntry[] = [];
      for (;;) {
        const edge = backwards ? entries[0] : entries.at(-1);
        const [name, id] = [backwards ? 'before' : 'after', edge?.id ?? ''];
        const set = edge || backwards ? `<${name}>${id}</${name}>` : '';
        const { found, complete } = await readPage(reader, `<max>${max}</max>${set}`);
        if (found.length > max) this.faults.push(`a page of ${found.length} messages, and ${max} were wanted`);
        if (backwards) entries.unshift(...found);
        else entries.push(...found);
        if (complete) return entries;
        if (entries.length <= 2 * max) {
          this.#send(burst);
          await this.#settle();
        }
      }
    });
    await this.#settle();
    this.#compareWith(account, found, backwards ? before : this.#model.archiveOf(account));
  }

  // --- comparing

  #compareWith(account: AccountName, found: readonly ArchivedEntry[], wanted: readonly Entry[]): void {
    const ids = found.map(({ message }) => message.attributes.get('id') ?? '');
    const say = (what: string) => this.faults.push(`${account}'s archive: ${what}`);
    if (new Set(ids).size < ids.length) say(`a message twice: ${ids}`);
    const there = new Set(ids);
    for (const { id, isUncertain } of wanted) if (!isUncertain && !there.has(id)) say(`${id} is missing`);
    const known = new Map(wanted.map((entry) => [entry.id, entry]));
    for (const { message } of found) {
      const entry = known.get(message.attributes.get('id') ?? '');
      const fault = entry ? difference(message, entry) : 'was not written, or should be gone';
      if (fault) say(`${message.attributes.get('id')}: ${fault}: ${message.raw}`);
    }
    for (const device of devices) {
      const own = ids.filter((id) => known.get(id)?.from === device).map(numberOf);
      if (own.some((number, index) => number < (own[index - 1] ?? -1))) say(`out of order: ${ids}`);
    }
  }

  /** Each device got each message once, under the id of its archive, and in the order of its archive. */
  #compareSeen(account: AccountName, found: readonly ArchivedEntry[]): void {
    const places = new Map(found.map(({ id }, place) => [id, place]));
    const ids = new Map(found.map(({ id, message }) => [id, message.attributes.get('id')]));
    for (const device of devices.filter((one) => accountOf(one) === account)) {
      const seen = this.#seen.filter((one) => one.device === device);
      const twice = seen.filter(({ id }, index) => seen.findIndex((one) => one.id === id) < index);
      for (const { id } of twice) this.faults.push(`${device} got ${id} twice`);
      const stamped = seen.flatMap(({ id, stanzaId }) => (stanzaId === undefined ? [] : [{ id, stanzaId }]));
      for (const { id, stanzaId } of stamped) this.#compareStamp(account, { id, stanzaId }, ids.get(stanzaId));
      const order = stamped.flatMap(({ stanzaId }) => places.get(stanzaId) ?? []);
      if (order.some((place, index) => place < (order[index - 1] ?? -1))) this.faults.push(`${device}: out of order`);
    }
  }

  #compareStamp(
    account: AccountName,
    { id, stanzaId }: { id: string; stanzaId: string },
    found: string | undefined,
  ): void {
    if (found === id) return;
    const entry = this.#model.entries.get(id);
    // Swept, or lost by the crash.
    const isGone = entry && (!entry.archives.has(account) || entry.isUncertain) && found === undefined;
    if (!isGone) this.faults.push(`${account} got ${id} as ${stanzaId}, and the archive has ${found}`);
  }
}

function messageOf({ id, to }: Entry, content: Content): string {
  const forged = '<message xmlns="jabber:client" from="a@b.example" id="forged"><body>forged</body></message>';
  const forwarded = `<forwarded xmlns="urn:xmpp:forward:0">${forged}</forwarded>`;
  const parts: Record<Content, string> = {
    text: `<body>${id}</body>`,
    marker: `<displayed xmlns="urn:xmpp:chat-markers:0" id="x"/>`,
    state: '<composing xmlns="http://jabber.org/protocol/chatstates"/>',
    'no-store': `<body>${id}</body><no-store xmlns="urn:xmpp:hints"/>`,
    forgery: `<body>${id}</body><stanza-id xmlns="urn:xmpp:sid:0" by="${to.toUpperCase()}@localhost" id="forged"/><result xmlns="${mam}" id="forged">${forwarded}</result>`,
  };
  return `<message id="${id}" to="${to}@localhost" type="chat">${parts[content]}</message>`;
}

/** What an archived message has that its author has not written; undefined if it is as it should be. */
function difference(message: Tree, { id, from, to, content, isTakenBack }: Entry): string | undefined {
  const [author, recipient] = ['from', 'to'].map((name) => message.attributes.get(name));
  if (author !== `${from.split('/')[0]}@localhost/${from.split('/')[1]}`) return 'another author';
  if (recipient !== `${to}@localhost`) return 'another recipient';
  if (isTakenBack !== (childOf(message, 'retracted') !== undefined))
    return isTakenBack ? 'was taken back' : 'a tombstone';
  if (message.children.some((child) => child.name === 'stanza-id')) return 'a forged id';
  const hasBody = (content === 'text' || content === 'forgery') && !isTakenBack;
  return childOf(message, 'body')?.text === (hasBody ? id : undefined) ? undefined : 'another text';
}

function numberOf(id: string): number {
  return Number(id.split('-')[1]);
}

function accountNameOf(name: string): string {
  return name.split('/')[0] ?? '';
}
