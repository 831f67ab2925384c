import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const iterations = 4096;
const beganAt = 1_700_000_000;

/** What a data directory of Prosody has. */
export interface ProsodyData {
  readonly domain: string;
  readonly accounts: readonly string[];
  /** The password of all accounts. */
  readonly password: string;
  /** Rooms of `conference.` in front of the domain, owned by the first account. */
  readonly rooms: readonly string[];
  /** Messages in the archive of each room, and in those of the first two accounts. */
  readonly messages: number;
}

/** Writes a data directory as Prosody 0.12 does: accounts with SCRAM keys, rosters, archives and rooms. */
export function writeProsodyData(directory: string, data: ProsodyData): void {
  const { domain, accounts, rooms, messages } = data;
  const write = (name: string, text: string) => {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  const host = domain.replaceAll('.', '%2e');
  const keys = keysOf(data.password);
  for (const [index, account] of accounts.entries()) {
    const contact = accounts[(index + 1) % accounts.length];
    write(`${host}/accounts/${account}.dat`, keys);
    write(`${host}/roster/${account}.dat`, rosterOf(`${contact}@${domain}`));
  }
  const [owner = '', other = ''] = accounts;
  const [ownAddress, otherAddress] = [`${owner}@${domain}`, `${other}@${domain}`];
  const chat = Array.from({ length: messages }, (_, at) =>
    item(at, { from: otherAddress, to: ownAddress, type: 'chat' }),
  );
  for (const account of [owner, other]) write(`${host}/archive/${account}.list`, chat.join(''));
  for (const room of rooms) {
    const address = `${room}@conference.${domain}`;
    const log = Array.from({ length: messages }, (_, at) =>
      item(at, { from: `${address}/${other}`, type: 'groupchat' }),
    );
    write(`conference%2e${host}/config/${room}.dat`, roomOf(address, ownAddress));
    write(`conference%2e${host}/muc_log/${room}.list`, log.join(''));
  }
}

/** The text of the messages in archives. */
export function lineAt(index: number): string {
  return `line ${index}`;
}

/** RFC 5802 §3, with SHA-1. */
function keysOf(password: string): string {
  const salt = '5d8b39ba-d71a-4af8-a63a-12b7dc3c7d7f';
  const salted = pbkdf2Sync(password, salt, iterations, 20, 'sha1');
  const hmac = (text: string) => createHmac('sha1', salted).update(text).digest();
  const stored = createHash('sha1').update(hmac('Client Key')).digest('hex');
  return `return {
	["iteration_count"] = ${iterations};
	["salt"] = "${salt}";
	["server_key"] = "${hmac('Server Key').toString('hex')}";
	["stored_key"] = "${stored}";
};
`;
}

function rosterOf(contact: string): string {
  return `return {
	[false] = { ["pending"] = {}; ["version"] = 1; };
	["${contact}"] = { ["groups"] = { ["Friends"] = true; }; ["subscription"] = "both"; };
};
`;
}

function item(at: number, attributes: Readonly<Record<string, string>>): string {
  const listed = Object.entries(attributes).map(([name, value]) => `["${name}"] = "${value}";`);
  return `item({
	["attr"] = { ["id"] = "m${at}"; ${listed.join(' ')} };
	["key"] = "k${at}";
	["name"] = "message";
	["when"] = ${beganAt + at};
	[1] = { ["attr"] = {}; ["name"] = "body"; [1] = "${lineAt(at)}"; };
});
`;
}

function roomOf(address: string, owner: string): string {
  return `return {
	["_affiliations"] = { ["${owner}"] = "owner"; };
	["_data"] = { ["name"] = "The room"; ["persistent"] = true; };
	["_jid"] = "${address}";
};
`;
}
