import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { addressRecord, DnsServer, srvRecord } from '../federation/dns-server.ts';
import { LineProcess, patienceMs } from '../support/line-process.ts';
import type { ServerProcess } from '../support/server-process.ts';

const run = promisify(execFile);

/** Resolvers ask at the standard port alone. */
const nameServer = { host: '127.0.0.53', port: 53 };

/** Runs a program that asks the name server of the test, and trusts the authority of the server under test alone. */
const inside = `mount --bind "$0/resolv.conf" /etc/resolv.conf && mount -t tmpfs tmpfs /etc/ssl/certs &&
cp "$0/ca.pem" /etc/ssl/certs/ca-certificates.crt && exec "$@"`;

/** A bus that starts no programs. */
const busConfiguration = (home: string): string => `<busconfig>
  <type>session</type><listen>unix:path=${home}/bus</listen><auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>`;

/** Dino, with a display, a bus and a name server of its own. It is driven by the keyboard; what it knows is read from its database. */
export class Dino implements AsyncDisposable {
  readonly #home: string;
  readonly #dns = new DnsServer();
  readonly #running: LineProcess[] = [];
  #environment: NodeJS.ProcessEnv = {};

  private constructor(home: string) {
    this.#home = home;
  }

  /** Starts it with an account, and waits until it begins a stream. It trusts one authority, by default that of the server. */
  static async start(server: ServerProcess, jid: string, password: string, caFile = server.caFile): Promise<Dino> {
    const dino = new Dino(await mkdtemp(join(tmpdir(), 'ampere-dino-')));
    try {
      await dino.#makeSurroundings(server, caFile);
      // It makes its database even so.
      await run('dino-im', ['--version'], { env: { ...process.env, ...dino.#environment } });
      dino.#addAccount(jid, password);
      const command = ['--mount', 'sh', '-c', inside, dino.#home, 'dino-im', '--print-xmpp=all'];
      const program = dino.#spawn('Dino', 'unshare', command);
      // Until then, a second Dino would not find it on the bus.
      await program.waitFor('stream', () => program.complaints.find((line) => line.startsWith('XMPP OUT')));
      return dino;
    } catch (error) {
      await dino[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Opens the first conversation with somebody, writes a message, and sends it. */
  async writes(to: string, text: string): Promise<void> {
    const options = { env: { ...process.env, ...this.#environment }, timeout: patienceMs };
    await run('dino-im', [`xmpp:${to}?message`], options);
    // This one has only told the first one, which may take its time.
    await this.knows(
      'conversation',
      'SELECT 1 FROM conversation JOIN jid ON jid.id = jid_id WHERE active AND bare_jid = ?',
      to,
    );
    const window = ['search', '--sync', '--onlyvisible', '--name', '^Dino$'];
    await run('xdotool', [...window, 'windowfocus', '--sync', 'type', text], options);
    await run('xdotool', ['key', 'Return'], options);
  }

  /** Waits for a line of its log. */
  async says(words: string): Promise<void> {
    const program = this.#running.at(-1);
    await program?.waitFor(`"${words}"`, () => program.complaints.find((line) => line.includes(words)));
  }

  /** Waits until a query of its database has a result; rejects with what Dino said at the deadline. */
  async knows(what: string, sql: string, ...values: readonly string[]): Promise<void> {
    const database = this.#database({ readonly: true });
    try {
      const query = database.prepare(sql);
      const deadlineMs = performance.now() + patienceMs;
      while (query.get(...values) === undefined) {
        if (performance.now() > deadlineMs) throw new Error(`Dino knows of no ${what}:\n${this.#running.at(-1)?.said}`);
        await delay(50);
      }
    } finally {
      database.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#running.toReversed()) {
      one.kill('SIGTERM');
      await one.end();
    }
    this.#dns.stop();
    await rm(this.#home, { recursive: true, force: true });
  }

  async #makeSurroundings({ domain, place }: ServerProcess, caFile: string): Promise<void> {
    const { starttls, direct } = place.ports;
    this.#dns.answers
      .set(`SRV _xmpp-client._tcp.${domain}`, [srvRecord(10, 0, starttls, domain)])
      .set(`SRV _xmpps-client._tcp.${domain}`, [srvRecord(20, 0, direct, domain)])
      .set(`A ${domain}`, [addressRecord(place.host)]);
    await this.#dns.start(nameServer);
    await writeFile(join(this.#home, 'resolv.conf'), `nameserver ${nameServer.host}\n`);
    await copyFile(caFile, join(this.#home, 'ca.pem'));
    await writeFile(join(this.#home, 'bus.conf'), busConfiguration(this.#home));
    const display = this.#spawn('Xvfb', 'Xvfb', ['-displayfd', '1', '-screen', '0', '1024x768x24', '-nolisten', 'tcp']);
    const bus = this.#spawn('D-Bus', 'dbus-daemon', [
      ...['--nofork', '--nopidfile', '--nosyslog', '--print-address'],
      `--config-file=${this.#home}/bus.conf`,
    ]);
    const number = await display.waitFor('display', () => display.lines[0]);
    const address = await bus.waitFor('bus', () => bus.lines[0]);
    this.#environment = {
      ...{ HOME: this.#home, XDG_DATA_HOME: `${this.#home}/data`, XDG_CONFIG_HOME: `${this.#home}/config` },
      ...{ XDG_CACHE_HOME: `${this.#home}/cache`, XDG_RUNTIME_DIR: this.#home, LC_ALL: 'C.UTF-8' },
      ...{ DISPLAY: `:${number}`, DBUS_SESSION_BUS_ADDRESS: address, GDK_BACKEND: 'x11', GSK_RENDERER: 'cairo' },
      ...{ GTK_A11Y: 'none', GSETTINGS_BACKEND: 'memory' },
    };
  }

  #spawn(name: string, file: string, args: readonly string[]): LineProcess {
    const started = new LineProcess(name, file, args, this.#environment);
    this.#running.push(started);
    return started;
  }

  #addAccount(jid: string, password: string): void {
    const database = this.#database();
    const insert = 'INSERT INTO account (bare_jid, resourcepart, password, alias, enabled) VALUES (?, ?, ?, ?, 1)';
    database.prepare(insert).run(jid, 'dino', password, '');
    database.close();
  }

  #database(options: Database.Options = {}): Database.Database {
    return new Database(join(this.#home, 'data/dino/dino.db'), options);
  }
}
