import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PortableRoom } from '../../groupchat/portable-room.ts';
import { Jid } from '../../protocol/jid.ts';
import { defaultRoomConfig, type RoomConfig } from '../../protocol/muc/room-config.ts';
import { affiliationNamed } from '../../protocol/muc/vocabulary.ts';
import { serialize } from '../../xml/serialize.ts';
import { type FoundRoom, withOption } from './found-room.ts';
import { faultIn } from './loss-error.ts';
import { LuaSyntaxError, LuaTable, type LuaValue, readLuaItems, readLuaReturn, textOfBytes } from './lua-table.ts';
import { decodedName, hostsIn, namesIn } from './prosody-directory.ts';
import { roomMessageElement, subjectElement, timeMsOf } from './prosody-parts.ts';

/** The persistent rooms in the data directory of Prosody. Prosody may be running. */
export async function* prosodyRooms(directory: string): AsyncGenerator<FoundRoom> {
  for (const host of await hostsIn(directory, 'config')) {
    for (const file of await namesIn(join(directory, host, 'config'), '.dat'))
      yield roomIn(join(directory, host), file, decodedName(host));
  }
}

async function roomIn(host: string, file: string, domain: string): Promise<FoundRoom> {
  const place = `${decodedName(file)}@${domain}`;
  const losses: string[] = [];
  try {
    const stored = readLuaReturn(await readFile(join(host, 'config', `${file}.dat`)));
    if (!(stored instanceof LuaTable)) return { place, problem: 'its file has no room', losses };
    const archive = join(host, 'muc_log', `${file}.list`);
    const items = existsSync(archive) ? [...readLuaItems(await readFile(archive))] : [];
    return { place, room: portable(place, stored, items, losses), losses };
  } catch (error) {
    if (error instanceof LuaSyntaxError) return { place, problem: error.message, losses };
    return { place, problem: faultIn(error), losses };
  }
}

function portable(room: string, stored: LuaTable, items: readonly LuaValue[], losses: string[]): PortableRoom {
  const data = stored.table('_data') ?? new LuaTable();
  const subject = subjectElement(data, room);
  return {
    room: Jid.parse(room).toString(),
    config: JSON.stringify(configOf(data, losses)),
    affiliations: affiliationsOf(stored, losses),
    ...(subject && { subject: { atMs: Number(data.get('subject_time') ?? 0) * 1000, xml: serialize(subject) } }),
    messages: messagesOf(items, losses),
  };
}

/** The fields of the form for the options that Prosody stores. */
const fields: Readonly<Record<string, string>> = {
  name: 'muc#roomconfig_roomname',
  description: 'muc#roomconfig_roomdesc',
  language: 'muc#roomconfig_lang',
  persistent: 'muc#roomconfig_persistentroom',
  members_only: 'muc#roomconfig_membersonly',
  allow_member_invites: 'muc#roomconfig_allowinvites',
  moderated: 'muc#roomconfig_moderatedroom',
  whois: 'muc#roomconfig_whois',
  changesubject: 'muc#roomconfig_changesubject',
  archiving: 'muc#roomconfig_enablearchiving',
  history_length: 'muc#maxhistoryfetch',
};
/** Options that need no field, or are notes of the server. */
const handled = new Set(['hidden', 'password', 'subject', 'subject_from', 'subject_time', 'occupant_id_salt']);

function configOf({ fields: stored }: LuaTable, losses: string[]): RoomConfig {
  const password = stored.get('password');
  let config = withOption(defaultRoomConfig, 'muc#roomconfig_publicroom', stored.get('hidden') !== true);
  if (typeof password === 'string' && password !== '')
    config = { ...config, passwordProtected: true, password: textOfBytes(password) };
  for (const [option, value] of stored) {
    if (typeof option !== 'string' || handled.has(option) || value === undefined) continue;
    const name = fields[option];
    try {
      if (name === undefined || value instanceof LuaTable) losses.push(`the option ${option}`);
      else config = withOption(config, name, typeof value === 'string' ? textOfBytes(value) : value);
    } catch (error) {
      losses.push(`the option ${option}: ${faultIn(error)}`);
    }
  }
  return config;
}

/** Versions before 0.11 have them in a table of their own. */
function affiliationsOf(stored: LuaTable, losses: string[]): PortableRoom['affiliations'] {
  const entries = stored.table('_affiliations')?.fields ?? stored.fields;
  return Array.from(entries).flatMap(([key, value]) => {
    if (typeof key !== 'string' || key.startsWith('_') || typeof value !== 'string') return [];
    const affiliation = affiliationNamed(value);
    if (affiliation === undefined) {
      losses.push(`the affiliation ${value} of ${textOfBytes(key)}`);
      return [];
    }
    const nick = stored.table('_affiliation_data')?.table(key)?.text('reserved_nickname');
    return [{ jid: Jid.parse(textOfBytes(key)).toString(), affiliation, nick }];
  });
}

function messagesOf(items: readonly LuaValue[], losses: string[]): PortableRoom['messages'] {
  const messages = items.flatMap((item) => {
    try {
      const element = item instanceof LuaTable ? roomMessageElement(item) : undefined;
      const atMs = item instanceof LuaTable ? timeMsOf(item) : undefined;
      // The log has presence, too, if Prosody is set up so.
      return element && atMs !== undefined ? [{ atMs, xml: serialize(element) }] : [];
    } catch (error) {
      losses.push(`a message: ${faultIn(error)}`);
      return [];
    }
  });
  return messages.sort((one, other) => one.atMs - other.atMs);
}
