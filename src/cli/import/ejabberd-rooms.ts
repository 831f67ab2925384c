import type { PortableRoom, PortableRoomMessage } from '../../groupchat/portable-room.ts';
import { Jid } from '../../protocol/jid.ts';
import { defaultRoomConfig, type RoomConfig } from '../../protocol/muc/room-config.ts';
import { readRoomVcard } from '../../protocol/muc/room-vcard.ts';
import { affiliationNamed } from '../../protocol/muc/vocabulary.ts';
import { ns } from '../../protocol/namespaces.ts';
import { xml } from '../../xml/element.ts';
import { parseElement } from '../../xml/parse-element.ts';
import { serialize } from '../../xml/serialize.ts';
import { addressOf, stanzaElement, timeMsOf } from './ejabberd-parts.ts';
import type { EjabberdRecord, EjabberdTables } from './ejabberd-tables.ts';
import { type ErlangTerm, itemsOf, nameOf, Tuple } from './erlang-terms.ts';
import { type FoundRoom, withOption } from './found-room.ts';
import { faultIn } from './loss-error.ts';

/** The persistent rooms in the tables, and the parts of these that cannot be read. Closes the tables. */
export async function* ejabberdRooms(tables: EjabberdTables, nowMs: number): AsyncGenerator<FoundRoom> {
  try {
    for (const damage of tables.damages) yield { ...damage, losses: [] };
    for (const address of tables.ownersIn('muc_room')) yield await new EjabberdRoom(tables, address, nowMs).found();
  } finally {
    await tables.close();
  }
}

/** The options of a room as ejabberd keeps them. */
type Options = ReadonlyMap<string, ErlangTerm>;

/** The fields of the form for the options that mean the same here. */
const fields: Readonly<Record<string, string>> = {
  title: 'muc#roomconfig_roomname',
  description: 'muc#roomconfig_roomdesc',
  lang: 'muc#roomconfig_lang',
  persistent: 'muc#roomconfig_persistentroom',
  public: 'muc#roomconfig_publicroom',
  members_only: 'muc#roomconfig_membersonly',
  allow_user_invites: 'muc#roomconfig_allowinvites',
  allow_change_subj: 'muc#roomconfig_changesubject',
  allowpm: 'muc#roomconfig_allowpm',
  max_users: 'muc#roomconfig_maxusers',
  presence_broadcast: 'muc#roomconfig_presencebroadcast',
  mam: 'muc#roomconfig_enablearchiving',
  logging: 'muc#roomconfig_enablelogging',
  pubsub: 'muc#roomconfig_pubsub',
};

/** Options that the import reads together with others, notes of the server, and lists that no room here gives away. */
const handled: ReadonlySet<string> = new Set([
  ...['moderated', 'members_by_default', 'anonymous', 'password', 'password_protected', 'allow_private_messages'],
  ...['affiliations', 'subject', 'subject_author', 'roles', 'robots', 'hibernation_time', 'vcard_xupdate'],
  ...['public_list', 'allow_query_users', 'captcha_whitelist', 'vcard'],
]);

/** The values of options without a meaning here that lose nothing. */
const insignificant: Readonly<Record<string, string | number | boolean>> = {
  allow_private_messages_from_visitors: 'anyone',
  allow_visitor_status: true,
  allow_visitor_nickchange: true,
  allow_voice_requests: true,
  voice_request_min_interval: 1800,
  allow_subscription: false,
  captcha_protected: false,
  enable_hats: false,
  subscribers: '',
  hats_users: '',
  hats_defs: '',
};

class EjabberdRoom {
  readonly #tables: EjabberdTables;
  readonly #address: string;
  readonly #losses: string[] = [];
  readonly #nowMs: number;

  constructor(tables: EjabberdTables, address: string, nowMs: number) {
    this.#tables = tables;
    this.#address = address;
    this.#nowMs = nowMs;
  }

  async found(): Promise<FoundRoom> {
    const [place, losses] = [this.#address, this.#losses];
    try {
      for await (const record of this.#tables.records('muc_room', place, this.#lose))
        return { place, room: await this.#portable(optionsIn(record)), messages: this.#messages(), losses };
      return { place, problem: losses[0] ?? 'it has no record', losses };
    } catch (error) {
      return { place, problem: faultIn(error), losses };
    }
  }

  async #portable(options: Options): Promise<PortableRoom> {
    return {
      room: Jid.parse(this.#address).toString(),
      config: JSON.stringify(this.#config(options)),
      affiliations: this.#affiliations(options, await this.#nicks()),
      vcard: this.#vcard(options.get('vcard')),
      subject: this.#subject(options, await this.#subjectAtMs()),
      messages: [],
    };
  }

  #config(options: Options): RoomConfig {
    // Newcomers without voice and members by default: that is how a room without moderation looks.
    const moderated = options.get('moderated') === true && options.get('members_by_default') === false;
    const whois = options.get('anonymous') === false ? 'anyone' : 'moderators';
    const password = options.get('password');
    let config: RoomConfig = { ...defaultRoomConfig, moderated, whois };
    if (options.get('password_protected') === true && typeof password === 'string' && password !== '')
      config = { ...config, passwordProtected: true, password };
    if (options.get('allow_private_messages') === false) config = { ...config, allowPm: 'none' };
    for (const [option, value] of options) config = this.#withOption(config, option, value);
    return config;
  }

  #withOption(config: RoomConfig, option: string, value: ErlangTerm): RoomConfig {
    if (handled.has(option) || value === undefined) return config;
    const name = fields[option];
    const values = valuesOf(value);
    try {
      if (name !== undefined) return withOption(config, name, ...values);
      // Only participants and those above them can write to somebody: the form has a word for this.
      if (option === 'allow_private_messages_from_visitors' && values[0] === 'nobody' && config.allowPm === 'anyone')
        return { ...config, allowPm: 'participants' };
      if (String(insignificant[option]) !== values.join()) this.#lose(`the option ${option}`);
    } catch (error) {
      this.#lose(`the option ${option}: ${faultIn(error)}`);
    }
    return config;
  }

  /** The nicknames that users have registered at the service, by their addresses. */
  async #nicks(): Promise<ReadonlyMap<string, string>> {
    const nicks = new Map<string, string>();
    const service = this.#address.slice(this.#address.lastIndexOf('@') + 1);
    for await (const record of this.#tables.records('muc_registered', service, this.#lose)) {
      const key = record.get('us_host');
      const nick = record.text('nick');
      if (key instanceof Tuple && nick) nicks.set(addressOf(key.items[0]), nick);
    }
    return nicks;
  }

  #affiliations(options: Options, nicks: ReadonlyMap<string, string>): PortableRoom['affiliations'] {
    return itemsOf(options.get('affiliations')).flatMap((entry) => {
      const [address, value] = entry instanceof Tuple ? entry.items : [];
      const user = addressOf(address);
      const [given, why] = value instanceof Tuple ? value.items : [value];
      const affiliation = affiliationNamed(nameOf(given));
      if (affiliation === undefined) this.#lose(`the affiliation ${nameOf(given)} of ${user}`);
      if (affiliation === undefined || affiliation === 'none') return [];
      const nick = affiliation === 'outcast' ? undefined : nicks.get(user);
      const reason = typeof why === 'string' && why !== '' ? why : undefined;
      return [{ jid: Jid.parse(user).toString(), affiliation, nick, reason }];
    });
  }

  #vcard(text: ErlangTerm): string | undefined {
    if (typeof text !== 'string' || text === '') return undefined;
    try {
      return readRoomVcard(parseElement(text))?.xml;
    } catch (error) {
      this.#lose(`the option vcard: ${faultIn(error)}`);
      return undefined;
    }
  }

  #subject(options: Options, atMs: number): PortableRoom['subject'] {
    const stored = options.get('subject');
    const texts = Array.isArray(stored) ? stored : stored ? [new Tuple(['', '', stored])] : [];
    if (texts.length === 0) return undefined;
    const author = options.get('subject_author');
    const nick = author instanceof Tuple ? author.items[0] : author;
    const from = nick ? `${this.#address}/${String(nick)}` : this.#address;
    const subjects = texts.map((text: ErlangTerm) => {
      const [, lang, data] = text instanceof Tuple ? text.items : [];
      return xml('subject', { 'xml:lang': lang ? String(lang) : undefined }, String(data ?? ''));
    });
    const message = xml('message', { xmlns: ns.client, type: 'groupchat', from }, ...subjects);
    return { atMs, xml: serialize(message) };
  }

  /** When the subject was set: the archive says so, if it has the message. */
  async #subjectAtMs(): Promise<number> {
    let atMs: number | undefined;
    // Whatever is lost is reported when the messages are read.
    for await (const record of this.#tables.records('archive_msg', this.#address, () => undefined))
      if (isSubject(record.get('packet'))) atMs = Math.max(atMs ?? 0, timeOf(record));
    return atMs ?? this.#nowMs;
  }

  async *#messages(): AsyncGenerator<PortableRoomMessage> {
    for await (const record of this.#tables.inOrder('archive_msg', this.#address, timeOf, this.#lose)) {
      try {
        const message = stanzaElement(record.get('packet'));
        message.attrs['from'] = `${this.#address}/${record.text('nick')}`;
        delete message.attrs['to'];
        yield { atMs: timeOf(record), xml: serialize(message) };
      } catch (error) {
        this.#lose(`a message: ${faultIn(error)}`);
      }
    }
  }

  readonly #lose = (what: string): void => {
    this.#losses.push(what);
  };
}

function timeOf(record: EjabberdRecord): number {
  return timeMsOf(record.get('timestamp')) ?? 0;
}

function isSubject(packet: ErlangTerm): boolean {
  const children = packet instanceof Tuple ? itemsOf(packet.items[3]) : [];
  const names = children.map((child) => (child instanceof Tuple ? child.items[1] : undefined));
  return names.includes('subject') && !names.includes('body');
}

function optionsIn(record: EjabberdRecord): Options {
  const pairs = record.list('opts').filter((option) => option instanceof Tuple);
  return new Map(pairs.map(({ items: [name, value] }) => [nameOf(name) ?? '', value]));
}

/** The values of an option as a form has them. */
function valuesOf(value: ErlangTerm): (string | number | boolean)[] {
  if (Array.isArray(value)) return value.flatMap(valuesOf);
  const one = nameOf(value) ?? value;
  return typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean' ? [one] : [];
}
