import { LineProcess } from '../support/line-process.ts';
import type { ServerProcess } from '../support/server-process.ts';
import type { ClientProgram } from './client-programs.ts';

/** Who logs in, and how. */
export interface Login {
  readonly jid: string;
  readonly password: string;
  /** `https`: through a WebSocket. `bosh`: through BOSH. */
  readonly security?: 'starttls' | 'direct' | 'https' | 'bosh';
  /** The authorities the client trusts; the server's own when absent. */
  readonly caFile?: string;
}

/** Where clients connect, and the authority that they trust. */
type ServerToReach = Pick<ServerProcess, 'place' | 'caFile'>;

/**
 * A stock client in its own process. Orders and events are lines of words parted by tabs.
 *
 * Orders: `message TO BODY`, `presence SHOW STATUS`, `subscribe JID`, `approve JID`, `roster-add JID NAME GROUP`, `roster`, `quit`.
 * Events: `online JID`, `refused CONDITION`, `untrusted REASON`, `message FROM BODY STAMP`, `presence FROM TYPE SHOW STATUS`,
 * `push JID SUBSCRIPTION`, `item JID NAME SUBSCRIPTION GROUPS`, `roster-end`, `closed`.
 *
 * Of programs that know tokens also: the orders `disconnect` and `connect`.
 *
 * Of programs that know carbons also: the order `carbons`; the events `carbons-on` and `carbon DIRECTION FROM TO BODY`.
 *
 * Of programs that know archives also: the orders `archive PEER`, `archive-backwards PEER`, `archive-ends`, `archive-fields` and
 * `archive-default POLICY`; the events `archived FROM BODY ID`, `archive-end`, `archive-ends FIRST LAST`, `archive-fields NAME…` and
 * `archive-default POLICY`.
 *
 * Of programs that know personal eventing also: the orders `wants NODE`, `publish NODE ID NAME ACCESS-MODEL MAX-ITEMS` and `items JID NODE`;
 * the events `published NODE ID`, `not-published NODE CONDITION`, `item-of JID NODE ID NAME`, `items-end JID NODE` and
 * `no-items JID NODE CONDITION`.
 *
 * Of programs that know rooms also: the orders `join ROOM NICK`, `say ROOM BODY` and `kick ROOM NICK`; the event `said OCCUPANT BODY`.
 *
 * slixmpp also has the orders `open ROOM`, which opens a new room, `resumable` and `connect`, with which it reconnects and can resume its
 * session, `bookmark ROOM NAME` and `avatar IMAGE`; the events `opened ROOM` and `resumed`. nbxmpp has the orders `bookmarks PLACE`,
 * `store-bookmarks PLACE ROOM NAME…`, `photo JID`, `publish-avatar IMAGE`, `fetch-avatar JID SHA-1`, `upload NAME TYPE TEXT` and
 * `fetch URL`; the events `bookmark PLACE ROOM NAME`, `bookmarks-end PLACE`, `avatar JID SHA-1`, `photo JID SHA-1 SHA-1`,
 * `avatar-published`, `avatar-news JID SHA-1`, `avatar-data JID SHA-1`, `uploaded URL STATUS` and `fetched URL STATUS TEXT`.
 *
 * Of programs that know AMP also (rules are `ACTION CONDITION VALUE`): the orders `rules TO ID BODY RULE…` and `amp-features DOMAIN`;
 * the events `report STATUS ID FROM RULE`, `amp-error LIST ID CONDITION RULE…`, `feature NAME` and `features-end`.
 */
export class ClientProcess implements AsyncDisposable {
  readonly #process: LineProcess;
  readonly #consumed = new Set<number>();

  private constructor(process: LineProcess) {
    this.#process = process;
  }

  /** Starts a client that tries to log in. */
  static async start(program: ClientProgram, server: ServerToReach, login: Login): Promise<ClientProcess> {
    const { jid, password, security = 'starttls', caFile = server.caFile } = login;
    const { host, ports } = server.place;
    const [file, ...args] = await program.command();
    args.push(host, String(ports[security === 'bosh' ? 'https' : security]), security, jid, password, caFile);
    const name = `${program.name} as ${jid}`;
    return new ClientProcess(new LineProcess(name, file, args, { NODE_EXTRA_CA_CERTS: caFile }));
  }

  /** Starts a client and waits until it has logged in and is available. */
  static async login(program: ClientProgram, server: ServerToReach, login: Login): Promise<ClientProcess> {
    const client = await ClientProcess.start(program, server, login);
    try {
      const [, fullJid = ''] = await client.expect('online', login.jid);
      // A session is sent its own presence (RFC 6121 §4.2.2): from then on it certainly counts as available.
      await client.expect('presence', fullJid, 'available');
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Gives it an order. */
  tell(...words: readonly string[]): void {
    this.#process.write(words.join('\t'));
  }

  /** Waits for an event that was not expected before and whose words are these; a bare JID also stands for its full JIDs. */
  expect(...words: readonly string[]): Promise<readonly string[]> {
    return this.#process.waitFor(`"${words.join(' ')}"`, () => this.#take(words));
  }

  /** Every event of one kind so far, in order. */
  heard(event: string): readonly (readonly string[])[] {
    return this.#process.lines.map((line) => line.split('\t')).filter(([kind]) => kind === event);
  }

  /** Closes the stream and waits for the program to end well. */
  async quit(): Promise<void> {
    this.tell('quit');
    await this.ended();
  }

  /** Waits for the program to end by itself. */
  async ended(): Promise<void> {
    const exitCode = await this.#process.end();
    if (exitCode !== 0) throw new Error(`client ended with ${exitCode}: ${this.#process.complaints.join('\n')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#process.end();
  }

  #take(wanted: readonly string[]): readonly string[] | undefined {
    for (const [index, line] of this.#process.lines.entries()) {
      const words = line.split('\t');
      if (this.#consumed.has(index) || !wanted.every((word, position) => stands(word, words[position]))) continue;
      this.#consumed.add(index);
      return words;
    }
    return undefined;
  }
}

function stands(wanted: string, word = ''): boolean {
  return word === wanted || word.startsWith(`${wanted}/`);
}
