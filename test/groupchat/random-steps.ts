import type { SeededRandom } from '../faults/seeded-random.ts';
import { PlainRoom } from './plain-room.ts';
import { administration, configuration } from './room-bench.ts';

const allAffiliations = ['outcast', 'none', 'member', 'admin', 'owner'] as const;
const allRoles = ['none', 'visitor', 'participant', 'moderator'] as const;

/** Something that a client does, and what must come of it: `yes`, or the condition of an error. */
export interface Step {
  readonly client: string;
  readonly stanza: string;
  /** To whom the stanza goes; '' is the room. */
  readonly nick: string;
  readonly expected: string;
  /** Clients learn full JIDs, or no longer, with the next presence: every client must enter again. */
  readonly refreshes?: true;
}

/** Random steps of clients, each called as its account, and what the rules of a room in plain words say of them. */
export class RandomSteps {
  readonly plain: PlainRoom;
  readonly #random: SeededRandom;
  readonly #clients: readonly string[];
  readonly #isInside: (client: string) => boolean;
  #joins = 0;
  #messages = 0;

  /** `owner` has made the room. `isInside` says whether a client is in it. */
  constructor(
    random: SeededRandom,
    { owner, clients, isInside }: { owner: string; clients: readonly string[]; isInside: (client: string) => boolean },
  ) {
    this.#random = random;
    this.#clients = clients;
    this.#isInside = isInside;
    this.plain = new PlainRoom(nameOf(owner));
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.#random.between(0, from.length)];
    if (picked === undefined) throw new Error('nothing to choose from');
    return picked;
  }

  enters(client: string): Step {
    const [name, id] = [nameOf(client), `join${this.#joins++}`];
    const stanza = `<presence id='${id}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`;
    return { client, stanza, nick: name, expected: this.plain.enters(name) };
  }

  leaves(client: string): Step {
    const name = nameOf(client);
    const others = this.#clients.filter((one) => one !== client && nameOf(one) === name);
    if (!others.some(this.#isInside)) this.plain.leaves(name);
    return { client, stanza: "<presence type='unavailable'/>", nick: name, expected: 'yes' };
  }

  /** One of the clients does something. */
  next(client: string): Step {
    switch (this.#random.between(0, 8)) {
      case 0:
      case 1:
        return this.enters(client);
      case 2:
        return this.leaves(client);
      default:
        return this.changes(client);
    }
  }

  /** One of the clients does something that leaves it where it is. */
  changes(client: string): Step {
    const [name, target] = [nameOf(client), nameOf(this.pick(this.#clients))];
    const isInside = this.#isInside(client);
    switch (this.#random.between(0, 6)) {
      case 0:
        return this.affiliates(client);
      case 3:
        return this.whispers(client);
      case 1: {
        const role = this.pick(allRoles);
        const stanza = administration(`<item role='${role}' nick='${target}'/>`);
        return { client, stanza, nick: '', expected: this.plain.gives(name, target, role, { isInside }) };
      }
      case 2:
        return this.configures(client);
      default:
        return this.says(client);
    }
  }

  says(client: string): Step {
    const id = `m${this.#messages++}`;
    const stanza = `<message type='groupchat' id='${id}'><body>${id}</body></message>`;
    const expected = this.plain.says(nameOf(client), { isInside: this.#isInside(client) });
    return { client, stanza, nick: '', expected };
  }

  /** Says something to one occupant (XEP-0045 §7.5). */
  whispers(client: string): Step {
    const [id, target] = [`p${this.#messages++}`, nameOf(this.pick(this.#clients))];
    const expected = this.plain.whispers(target, { isInside: this.#isInside(client) });
    return { client, stanza: `<message type='chat' id='${id}'><body>${id}</body></message>`, nick: target, expected };
  }

  /** Gives somebody an affiliation. */
  affiliates(client: string): Step {
    const user = this.pick(this.#clients).replace(/\/.*$/, '');
    const affiliation = this.pick(allAffiliations);
    const stanza = administration(`<item affiliation='${affiliation}' jid='${user}'/>`);
    return { client, stanza, nick: '', expected: this.plain.makes(nameOf(client), nameOf(user), affiliation) };
  }

  configures(client: string): Step {
    const name = nameOf(client);
    const value = this.#random.between(0, 2) === 1;
    const option = this.pick(['moderated', 'membersOnly', 'whois'] as const);
    if (option === 'whois') {
      const stanza = configuration({ 'muc#roomconfig_whois': value ? 'anyone' : 'moderators' });
      const expected = this.plain.person(name).affiliation === 'owner' ? 'yes' : 'forbidden';
      return { client, stanza, nick: '', expected, ...(expected === 'yes' && { refreshes: true }) };
    }
    const field = option === 'moderated' ? 'moderatedroom' : 'membersonly';
    const stanza = configuration({ [`muc#roomconfig_${field}`]: value ? '1' : '0' });
    return { client, stanza, nick: '', expected: this.plain.configures(name, option, value) };
  }
}

/** The account of a client. */
export function nameOf(client: string): string {
  return client.slice(0, client.indexOf('@'));
}
