import { TestClient } from './test-client.ts';
import { startTestServer, type TestServer, type TestServerOptions } from './test-server.ts';

/** A client of an account, and whether and how it shows itself. */
export interface Appearance {
  /** The resource asked for; the server makes one if none is given. */
  readonly resource?: string;
  /** The initial presence; false for a session that sends none. */
  readonly presence?: string | false;
  /** Asks for the roster first, so that pushes come (RFC 6121 §2.2). */
  readonly roster?: boolean;
}

let accounts = 0;

/** An account that exists on the stage's server for one test. */
export class Account {
  readonly local: string;
  readonly domain: string;
  readonly password: string;
  readonly #stage: Stage;

  constructor(stage: Stage, local: string, domain: string, password: string) {
    this.#stage = stage;
    this.local = local;
    this.domain = domain;
    this.password = password;
  }

  get jid(): string {
    return `${this.local}@${this.domain}`;
  }

  /** Connects a client, bound but silent. */
  async connects(resource?: string): Promise<TestClient> {
    const client = await this.#stage.client(this.domain);
    await client.opens();
    await client.authenticates({ username: this.local, password: this.password });
    await client.binds(resource);
    return client;
  }

  /** Connects a client that sends initial presence. */
  async arrives({ resource, presence = '<presence/>', roster = false }: Appearance = {}): Promise<TestClient> {
    const client = await this.connects(resource);
    if (roster)
      await client.gets('<iq type="get"><query xmlns="jabber:iq:roster"/></iq>', '<iq type="result">...</iq>');
    if (presence !== false) await client.appears(presence);
    return client;
  }
}

/** One server for the tests of a file, with fresh accounts for every test. Made inside a `describe`. */
export class Stage {
  readonly #options: TestServerOptions;
  readonly #clients: TestClient[] = [];
  #server: TestServer | undefined;

  constructor(options: TestServerOptions = {}) {
    this.#options = options;
    before(async () => {
      this.#server = await startTestServer(options);
    });
    afterEach(() => this.leave());
    after(() => this.#server?.stop());
  }

  get server(): TestServer {
    if (!this.#server) throw new Error('the server runs only while tests do');
    return this.#server;
  }

  get domain(): string {
    return this.#options.domains?.[0] ?? 'localhost';
  }

  /** Makes an account whose name begins with `name`. */
  async account(name: string, domain = this.domain): Promise<Account> {
    const local = `${name}${++accounts}`;
    const account = new Account(this, local, domain, `${local}-has-a-password`);
    await this.server.addUser(account.jid, account.password);
    return account;
  }

  /** Makes an account for each name, all with a client that has sent initial presence. */
  async enter<Name extends string>(names: readonly Name[], appearance?: Appearance): Promise<Record<Name, TestClient>> {
    const cast: Partial<Record<Name, TestClient>> = {};
    for (const name of names) cast[name] = await (await this.account(name)).arrives(appearance);
    return cast as Record<Name, TestClient>;
  }

  /** Connects with TLS and says nothing yet. */
  async client(domain = this.domain): Promise<TestClient> {
    const { c2sTls } = this.server;
    const target = { ...c2sTls, tls: { ...c2sTls.tls, servername: domain } };
    return this.keep(await TestClient.connect(target, domain));
  }

  /** Connects without TLS and says nothing yet. */
  async plainClient(domain = this.domain): Promise<TestClient> {
    return this.keep(await TestClient.connect(this.server.c2s, domain));
  }

  /** Has the client leave when the test is over. */
  keep(client: TestClient): TestClient {
    this.#clients.push(client);
    return client;
  }

  /** Ends every connection of the test. */
  leave(): void {
    for (const client of this.#clients.splice(0)) client.disconnects();
  }
}

/** Gives both mutual presence subscriptions; whatever that brings them is forgotten. */
export async function befriend(one: TestClient, other: TestClient): Promise<void> {
  for (const [asking, answering] of [
    [one, other],
    [other, one],
  ] as const) {
    asking.sends(`<presence to="${answering.bare}" type="subscribe"/>`);
    await asking.drains();
    answering.sends(`<presence to="${asking.bare}" type="subscribed"/>`);
    await answering.drains();
  }
  await one.drains();
  await other.drains();
}
