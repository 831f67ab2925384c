import type { DataForm } from '../data-form.ts';
import { booleanValue, type FieldValues, oneOf, type Spelling, someOf, textOfAtMost } from '../form-values.ts';
import { ns } from '../namespaces.ts';
import { StanzaError } from '../stanza-error.ts';
import { maxPasswordBytes } from './user-element.ts';
import type { Role } from './vocabulary.ts';

/** Roles of occupants. */
export type OccupantRole = Exclude<Role, 'none'>;

/** How a room behaves (XEP-0045 §10.1.3, §16.5.3). */
export interface RoomConfig {
  readonly name: string;
  readonly description: string;
  /** A language tag, or ''. */
  readonly lang: string;
  /** The room stays when its last occupant leaves. */
  readonly persistent: boolean;
  /** Anybody can find the room. */
  readonly public: boolean;
  readonly membersOnly: boolean;
  /** Newcomers have no voice. */
  readonly moderated: boolean;
  readonly passwordProtected: boolean;
  readonly password: string;
  /** The occupants to whom full JIDs are shown. */
  readonly whois: 'moderators' | 'anyone';
  /** Participants may change the subject. */
  readonly changeSubject: boolean;
  /** Members of a members-only room may invite others. */
  readonly allowInvites: boolean;
  /** The occupants who may send private messages. */
  readonly allowPm: 'anyone' | 'participants' | 'moderators' | 'none';
  readonly maxOccupants: number;
  /** The roles whose presence others see. */
  readonly presenceBroadcast: readonly OccupantRole[];
  /** The roles that may read the list of members, in addition to those who always may. */
  readonly listReaders: readonly OccupantRole[];
  readonly archiving: boolean;
  /** Somebody publishes the conversation. */
  readonly publicLog: boolean;
  /** How many messages a newcomer gets unless it asks for fewer. */
  readonly historyLength: number;
  /** The XMPP URI of a node, or ''. */
  readonly pubsub: string;
}

/** The configuration of a room whose creator asks for nothing else. */
export const defaultRoomConfig: RoomConfig = {
  name: '',
  description: '',
  lang: '',
  persistent: true,
  public: false,
  membersOnly: false,
  moderated: false,
  passwordProtected: false,
  password: '',
  whois: 'moderators',
  changeSubject: false,
  allowInvites: true,
  allowPm: 'anyone',
  maxOccupants: 1000,
  presenceBroadcast: ['moderator', 'participant', 'visitor'],
  listReaders: [],
  archiving: true,
  publicLog: false,
  historyLength: 20,
  pubsub: '',
};

/** The most messages that a newcomer gets. */
export const maxHistoryLength = 50;
/** The most occupants that a configuration can allow. */
const mostOccupants = 5000;

/** One field of the form. */
interface ConfigField {
  readonly key: keyof RoomConfig;
  readonly name: string;
  element(config: RoomConfig): DataForm['fields'][number];
  /** The configuration with another value. Throws `not-acceptable`. */
  changed(config: RoomConfig, values: readonly string[]): RoomConfig;
}

function field<Key extends keyof RoomConfig>(
  key: Key,
  name: string,
  label: string,
  { kind, read, write }: Spelling<RoomConfig[Key]>,
): ConfigField {
  return {
    key,
    name,
    element: (config) => ({ var: name, ...kind, label, values: write(config[key]) }),
    changed: (config, values) => {
      const value = read(values);
      if (value === undefined) throw StanzaError.notAcceptable(`'${name}' cannot have this value`);
      return { ...config, [key]: value };
    },
  };
}

/** A whole number from 0; larger ones than `most`, and `none`, count as `most`. */
function numberUpTo(most: number, choices?: readonly number[]): Spelling<number> {
  const options = choices?.map((choice) => ({ value: String(choice) }));
  return {
    kind: options ? { type: 'list-single', options } : { type: 'text-single' },
    read: ([value = '', ...more]) => {
      if (more.length > 0) return undefined;
      if (value === 'none') return most;
      return /^\d{1,9}$/.test(value) ? Math.min(Number(value), most) : undefined;
    },
    write: (value) => [String(value)],
  };
}

const occupantRoles = someOf<OccupantRole>('moderator', 'participant', 'visitor');
const roomSizes = numberUpTo(mostOccupants, [10, 50, 100, 500, 1000, mostOccupants]);

const fields: readonly ConfigField[] = [
  field('name', 'muc#roomconfig_roomname', 'Name', textOfAtMost(512)),
  field('description', 'muc#roomconfig_roomdesc', 'Description', textOfAtMost(1024)),
  field('lang', 'muc#roomconfig_lang', 'Language', textOfAtMost(64)),
  field('persistent', 'muc#roomconfig_persistentroom', 'Keep the room when it is empty', booleanValue),
  field('public', 'muc#roomconfig_publicroom', 'Show the room in searches', booleanValue),
  field('membersOnly', 'muc#roomconfig_membersonly', 'Only members may enter', booleanValue),
  field('moderated', 'muc#roomconfig_moderatedroom', 'Newcomers have no voice', booleanValue),
  field('passwordProtected', 'muc#roomconfig_passwordprotectedroom', 'Ask for a password', booleanValue),
  field('password', 'muc#roomconfig_roomsecret', 'Password', textOfAtMost(maxPasswordBytes, 'text-private')),
  field('whois', 'muc#roomconfig_whois', 'Show full JIDs to', oneOf('moderators', 'anyone')),
  field('changeSubject', 'muc#roomconfig_changesubject', 'Participants may change the subject', booleanValue),
  field('allowInvites', 'muc#roomconfig_allowinvites', 'Members may invite others', booleanValue),
  field(
    'allowPm',
    'muc#roomconfig_allowpm',
    'Private messages may be sent by',
    oneOf('anyone', 'participants', 'moderators', 'none'),
  ),
  field('maxOccupants', 'muc#roomconfig_maxusers', 'Most occupants', roomSizes),
  field('presenceBroadcast', 'muc#roomconfig_presencebroadcast', 'Roles whose presence others see', occupantRoles),
  field('listReaders', 'muc#roomconfig_getmemberlist', 'Roles that may read the list of members', occupantRoles),
  field('archiving', 'muc#roomconfig_enablearchiving', 'Archive messages', booleanValue),
  field('publicLog', 'muc#roomconfig_enablelogging', 'The conversation is published', booleanValue),
  field('historyLength', 'muc#maxhistoryfetch', 'Messages that newcomers get', numberUpTo(maxHistoryLength)),
  field('pubsub', 'muc#roomconfig_pubsub', 'XMPP URI of a node that belongs to the room', textOfAtMost(1024)),
];

/** Names that other servers use for these fields. */
const synonyms: Readonly<Record<string, string>> = {
  mam: 'muc#roomconfig_enablearchiving',
  'muc#roomconfig_mam': 'muc#roomconfig_enablearchiving',
  'muc#roomconfig_historylength': 'muc#maxhistoryfetch',
  '{http://prosody.im/protocol/muc}roomconfig_allowmemberinvites': 'muc#roomconfig_allowinvites',
};
const byName: ReadonlyMap<string, ConfigField> = new Map(fields.map((one) => [one.name, one]));

/** A configuration as an operator writes it: values by the keys of {@link RoomConfig}. */
export function settingsOf(config: RoomConfig): Record<string, string> {
  return Object.fromEntries(
    fields.map(({ key, element }) => {
      const { type, values = [] } = element(config);
      return [key, type === 'boolean' ? String(values[0] === '1') : values.join(',')];
    }),
  );
}

/** The configuration with settings of an operator. Throws `not-acceptable` for an unknown key, or a value that it cannot have. */
export function withSettings(config: RoomConfig, settings: Readonly<Record<string, string>>): RoomConfig {
  const values = Object.entries(settings).map(([key, value]): [string, readonly string[]] => {
    const one = fields.find((candidate) => candidate.key === key);
    if (!one) throw StanzaError.notAcceptable(`a room has no setting '${key}'`);
    return [one.name, one.element(config).type === 'list-multi' ? value.split(',').filter(Boolean) : [value]];
  });
  return configuredRoom(config, new Map(values));
}

/** The users whom the form lists, as bare JIDs. */
export interface RoomStaff {
  readonly admins: readonly string[];
  readonly owners: readonly string[];
}

const staffFields = { admins: 'muc#roomconfig_roomadmins', owners: 'muc#roomconfig_roomowners' } as const;

/** The form with the configuration of a room and its complete lists of admins and owners (XEP-0045 §10.1.3, §10.2). */
export function roomConfigForm(config: RoomConfig, { admins, owners }: RoomStaff): DataForm {
  return {
    type: 'form',
    formType: ns.mucRoomConfig,
    title: 'Configuration of the room',
    fields: [
      ...fields.map((one) => one.element(config)),
      { var: staffFields.admins, type: 'jid-multi', label: 'Admins', values: admins },
      { var: staffFields.owners, type: 'jid-multi', label: 'Owners', values: owners },
    ],
  };
}

/**
 * The configuration with the values of a form. Absent fields are unchanged, and unknown ones ignored. Throws `not-acceptable` for a
 * value that a field cannot have, and if the room would need a password without having one.
 */
export function configuredRoom(config: RoomConfig, values: FieldValues): RoomConfig {
  let result = config;
  for (const [name, value] of values) result = byName.get(synonyms[name] ?? name)?.changed(result, value) ?? result;
  if (result.passwordProtected && result.password === '')
    throw StanzaError.notAcceptable('a protected room needs a password');
  return result;
}

/** The lists of a form, as written; those that it does not have are absent. */
export function staffIn(values: FieldValues): Partial<RoomStaff> {
  const [admins, owners] = [values.get(staffFields.admins), values.get(staffFields.owners)];
  return { ...(admins && { admins }), ...(owners && { owners }) };
}

/** Whether two configurations are the same. */
export function isSameConfig(one: RoomConfig, other: RoomConfig): boolean {
  return fields.every(({ element }) => JSON.stringify(element(one)) === JSON.stringify(element(other)));
}
