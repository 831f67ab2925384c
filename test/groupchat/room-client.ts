import { Jid } from '../../src/protocol/jid.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import { childOf, parseTree, type Tree } from '../support/xml-tree.ts';
import { RoomView } from './room-view.ts';

/** Something that a client was sent, until it has read it. */
interface Mail {
  readonly stanza: Stanza;
  /** Says that the client has it. Only archived messages have this: the archive keeps them instead of the session. */
  readonly confirm?: (() => void) | undefined;
}

/**
 * A client of one room. That of a local user has a session, which outlives its connection and the restart of the server. Those of other servers
 * have none here: what they are sent waits on a link.
 */
export class RoomClient {
  readonly jid: Jid;
  readonly isLocal: boolean;
  readonly view = new RoomView();
  /** The ids of the messages that it has read since it has entered last, in the order in which they came first. */
  readonly heard: string[] = [];
  /** The ids of the private messages that it has read. */
  readonly whispers: string[] = [];
  /** The ids of those that it must get. */
  awaited: string[] = [];
  hasSession = true;
  /** Whether it has not come back yet after a restart. */
  isAway = false;
  /** Whether a crash has lost something that was on its way to another server: it knows what is in the room when it has entered again. */
  isStale = false;
  /** Whether its session has the room among those to which it has sent presence. */
  isDirected = false;
  /** What it was told of its last step. */
  error: string | undefined;
  #mailbox: Mail[] = [];
  #unconfirmed: Mail[] = [];

  constructor(jid: string, isLocal: boolean) {
    this.jid = Jid.parse(jid);
    this.isLocal = isLocal;
  }

  get unread(): number {
    return this.#mailbox.length;
  }

  gets(mail: Mail): void {
    this.#mailbox.push(mail);
  }

  /** Reads so much of what has come. */
  reads(count: number): void {
    for (const mail of this.#mailbox.splice(0, count)) {
      this.#take(parseTree(mail.stanza.toString()));
      if (mail.confirm) this.#unconfirmed.push(mail);
    }
  }

  /** Confirms everything that it has read. Another server confirms nothing to the room. */
  confirms(): void {
    for (const { confirm } of this.#unconfirmed.splice(0)) if (this.isLocal) confirm?.();
  }

  /** The server has stopped: the session keeps what only it has, and the link keeps everything. After a crash, nothing is left. */
  outlives(orderly: boolean): void {
    if (!orderly) this.#loses();
    else if (this.isLocal) this.#mailbox = this.#mailbox.filter(({ confirm }) => !confirm);
    this.isStale ||= !orderly && !this.isLocal;
    this.#unconfirmed = [];
  }

  /** Its server cannot be reached. Returns what comes back. */
  bounces(): readonly Stanza[] {
    const lost = this.#mailbox.map(({ stanza }) => stanza);
    this.#loses();
    return lost;
  }

  /** The session has ended, and with it everything that the client knows of the room. */
  ends(): void {
    this.isDirected = false;
    this.isStale = false;
    this.#loses();
    this.#unconfirmed = [];
    this.view.isInside = false;
    this.view.occupants.clear();
  }

  #loses(): void {
    this.#mailbox = [];
    this.awaited = [...this.whispers];
  }

  #take(tree: Tree): void {
    const error = childOf(tree, 'error');
    if (error) this.error = error.children[0]?.name;
    this.view.takes(tree);
    const id = tree.attributes.get('id') ?? '';
    // The answer to the presence with which it has entered begins anew.
    if (tree.name === 'presence' && id.startsWith('join') && !error) {
      this.heard.length = 0;
      this.isStale = false;
    }
    if (tree.name !== 'message' || error) return;
    if (tree.attributes.get('type') === 'chat') this.whispers.push(id);
    const archived = childOf(tree, 'stanza-id')?.attributes.get('id');
    if (archived !== undefined && !this.heard.includes(archived)) this.heard.push(archived);
  }
}
