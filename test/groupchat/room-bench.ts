import { readMessage, readPresence, readRequest, type Wish } from '../../src/groupchat/read-command.ts';
import { applied } from '../../src/groupchat/room/apply.ts';
import type { Creation, RoomCommand } from '../../src/groupchat/room/command.ts';
import { decide } from '../../src/groupchat/room/decide.ts';
import type { RoomChange } from '../../src/groupchat/room/decision.ts';
import { type ExistingRoom, existing, type RoomState } from '../../src/groupchat/room/state.ts';
import { Jid } from '../../src/protocol/jid.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { errorReply } from '../../src/protocol/stanza-replies.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import { brief } from './brief.ts';

/** Something that a client got, in the order of all clients. */
interface Delivery {
  readonly client: string;
  readonly stanza: Stanza;
}

/** A room without an owner: stanzas go in as text, and what each client gets comes out. */
export class RoomBench {
  readonly address: Jid;
  state: RoomState;
  nowMs = Date.UTC(2026, 0, 1);
  creation: Creation = { occupantKey: Buffer.alloc(32, 1) };
  /** The changes of the last command. */
  changes: readonly RoomChange[] = [];
  #deliveries: Delivery[] = [];
  #posted = 0;

  constructor(address = 'hall@rooms.example') {
    this.address = Jid.parse(address);
    this.state = { kind: 'absent', address: this.address };
  }

  get room(): ExistingRoom {
    return existing(this.state);
  }

  /** Has a client send a stanza without addresses to the room, or to the occupant with this nickname. */
  sends(client: string, text: string, nick = ''): void {
    const from = Jid.parse(client);
    const to = nick === '' ? this.address : this.address.withResource(nick);
    const stanza = readStanza(text).with({ from, to });
    try {
      const wish = this.#wishOf(stanza, from, to);
      if (wish) this.does(wish);
    } catch (error) {
      const reply = error instanceof StanzaError ? errorReply(stanza, error) : undefined;
      if (!reply) throw error;
      this.#deliveries.push({ client, stanza: reply });
    }
  }

  /** Carries a wish out. */
  does(wish: Wish): void {
    this.takes(this.#commandOf(wish));
  }

  /** Carries a command out. */
  takes(command: RoomCommand): void {
    const { changes, announcements } = decide(this.state, command);
    this.changes = changes;
    this.state = changes.reduce<RoomState>(applied, this.state);
    for (const { stanza, to } of announcements)
      for (const client of to)
        this.#deliveries.push({ client: client.toString(), stanza: stanza.with({ to: client }) });
  }

  /** Everything that a client has got since it was last asked, briefly. */
  gets(client: string): string[] {
    return this.stanzas(client).map((stanza) => brief(stanza.toString()));
  }

  /** The same as stanzas. */
  stanzas(client: string): Stanza[] {
    const got = this.#deliveries.filter((one) => one.client === client);
    this.#deliveries = this.#deliveries.filter((one) => one.client !== client);
    return got.map(({ stanza }) => stanza);
  }

  /** What all clients have got, in its order: the client before the line. */
  all(): string[] {
    return this.#deliveries.splice(0).map(({ client, stanza }) => `${nameOf(client)} < ${brief(stanza.toString())}`);
  }

  /** Has a client enter, and returns what it gets. */
  enters(client: string, nick: string, content = ''): string[] {
    this.sends(client, `<presence><x xmlns='http://jabber.org/protocol/muc'>${content}</x></presence>`, nick);
    return this.gets(client);
  }

  /** A room that `owner` has made, with others in it; nobody has read anything. Each is called as its account. */
  peopled(owner: string, ...others: string[]): this {
    this.enters(owner, nameOf(owner));
    this.configures(owner, {});
    for (const other of others) this.enters(other, nameOf(other));
    this.all();
    return this;
  }

  /** Has a client submit the configuration form. */
  configures(client: string, values: Readonly<Record<string, string | readonly string[]>>): void {
    this.sends(client, configuration(values));
  }

  /** Has a client change roles and affiliations. */
  administers(client: string, ...items: string[]): void {
    this.sends(client, administration(...items));
  }

  #wishOf(stanza: Stanza, from: Jid, to: Jid): Wish | undefined {
    switch (stanza.kind) {
      case 'presence':
        return readPresence(stanza, from, to);
      case 'message':
        return readMessage(stanza, from, to);
      case 'iq':
        return readRequest(stanza, from, to);
    }
  }

  #commandOf(wish: Wish): RoomCommand {
    const { nowMs, creation } = this;
    if (wish.kind === 'enter') return { ...wish, nowMs, creation };
    if (wish.kind === 'post') return { ...wish, nowMs, archive: this.#archive() };
    if (wish.kind === 'moderate') return { ...wish, nowMs, target: undefined, archive: this.#archive() };
    return { ...wish, nowMs };
  }

  #archive(): { number: number; id: string } {
    this.#posted += 1;
    return { number: this.#posted, id: `id${this.#posted}` };
  }
}

/** The request that submits the configuration form. */
export function configuration(values: Readonly<Record<string, string | readonly string[]>>): string {
  const fields = Object.entries(values).map(([name, value]) => {
    const written = [value].flat().map((one) => `<value>${one}</value>`);
    return `<field var='${name}'>${written.join('')}</field>`;
  });
  const type = "<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>";
  const x = `<x xmlns='jabber:x:data' type='submit'>${fields.length > 0 ? type : ''}${fields.join('')}</x>`;
  return `<iq type='set' id='c'><query xmlns='http://jabber.org/protocol/muc#owner'>${x}</query></iq>`;
}

/** The request that changes roles and affiliations. */
export function administration(...items: string[]): string {
  const query = `<query xmlns='http://jabber.org/protocol/muc#admin'>${items.join('')}</query>`;
  return `<iq type='set' id='a'>${query}</iq>`;
}

function nameOf(client: string): string {
  return client.replace(/@.*$/, '');
}
