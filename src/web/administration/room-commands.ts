import {
  configureRoom,
  createRoom,
  destroyRoom,
  kickOccupant,
  listRooms,
  purgeRoom,
  setAffiliation,
  showConfig,
  showRoom,
} from '../../groupchat/room-operations.ts';
import type { RoomServiceCommand } from '../../groupchat/room-service.ts';
import { defaultRoomConfig, settingsOf } from '../../protocol/muc/room-config.ts';
import { affiliations } from '../../protocol/muc/vocabulary.ts';
import { ns } from '../../protocol/namespaces.ts';
import { badPayload } from '../../routing/command.ts';
import type { IqEnds } from '../../routing/iq-table.ts';
import type { AdministrationAccess } from './administration-access.ts';
import { type AdministrationCommand, type Field, forAdministrators, one } from './for-administrators.ts';

/** Dependencies of the commands. */
interface RoomCommandsDeps {
  /** The accounts that may use them, as bare JIDs; read at each use. */
  readonly administrators: () => readonly string[];
  readonly access: Pick<AdministrationAccess, 'for'>;
}

const room: Field = { var: 'room', type: 'jid-single', label: 'Address of the room', required: true };
const nick: Field = { var: 'nick', type: 'text-single', label: 'Nickname', required: true };
const reason: Field = { var: 'reason', type: 'text-single', label: 'Text for the occupants' };
const user: Field = { var: 'jid', type: 'jid-single', label: 'Address of the user, or a domain', required: true };
const settings: Field = {
  var: 'settings',
  type: 'text-multi',
  label: 'Settings, each as KEY=VALUE',
  desc: `The keys are ${Object.keys(settingsOf(defaultRoomConfig)).join(', ')}.`,
};

/** The most rooms in a list. */
const mostListed = 1000;

const commands: readonly AdministrationCommand<IqEnds>[] = [
  {
    name: 'list',
    title: 'List rooms',
    fields: [{ var: 'after', type: 'text-single', label: 'Behind this address' }],
    run: async (administrator, form, { to }) => {
      const found: string[] = [];
      let after = form.text('after')?.trim() || undefined;
      for (let more = true; more && found.length < mostListed; ) {
        const { rooms } = await administrator.call(listRooms, { after, limit: mostListed });
        found.push(...rooms.map(({ address }) => address).filter((address) => address.endsWith(`@${to.domain}`)));
        after = rooms.at(-1)?.address;
        more = rooms.length === mostListed;
      }
      return [{ var: 'rooms', type: 'jid-multi', values: found.slice(0, mostListed) }];
    },
  },
  {
    name: 'show',
    title: 'Show a room',
    fields: [room],
    run: async (administrator, form) => {
      const shown = await administrator.call(showRoom, { room: one(form, 'room') });
      const config = await administrator.call(showConfig, { room: shown.address });
      const occupants = shown.occupants.map((it) => `${it.role} ${it.nick} (${it.jids.join(', ')})`);
      const affiliated = shown.affiliations.map(({ jid, affiliation }) => `${affiliation} ${jid}`);
      return [
        {
          var: 'settings',
          type: 'text-multi',
          values: Object.entries(config).map(([key, value]) => `${key}=${value}`),
        },
        { var: 'affiliations', type: 'text-multi', values: affiliated },
        { var: 'occupants', type: 'text-multi', values: occupants },
      ];
    },
  },
  {
    name: 'create',
    title: 'Create a room',
    fields: [room, { var: 'owner', type: 'jid-single', label: 'Address of the owner' }, settings],
    run: async (administrator, form) => {
      const address = one(form, 'room');
      const owner = form.text('owner')?.trim() || undefined;
      await administrator.call(createRoom, {
        room: address,
        owner,
        settings: settingsIn(form.fields.get('settings')),
      });
      return `${address} was created.`;
    },
  },
  {
    name: 'configure',
    title: 'Change the settings of a room',
    fields: [room, { ...settings, required: true }],
    run: async (administrator, form) => {
      const address = one(form, 'room');
      await administrator.call(configureRoom, { room: address, settings: settingsIn(form.fields.get('settings')) });
      return `The settings of ${address} were changed.`;
    },
  },
  {
    name: 'affiliation',
    title: 'Change the affiliation of a user',
    fields: [
      room,
      user,
      {
        var: 'affiliation',
        type: 'list-single',
        label: 'New affiliation',
        required: true,
        options: affiliations.map((value) => ({ value })),
      },
    ],
    run: async (administrator, form) => {
      const [address, jid] = [one(form, 'room'), one(form, 'jid')];
      const affiliation = affiliations.find((name) => name === one(form, 'affiliation'));
      if (!affiliation) throw badPayload();
      await administrator.call(setAffiliation, { room: address, jid, affiliation });
      return `${jid} has the affiliation ${affiliation} with ${address}.`;
    },
  },
  {
    name: 'kick',
    title: 'Remove an occupant',
    fields: [room, nick, reason],
    run: async (administrator, form) => {
      const [address, name] = [one(form, 'room'), one(form, 'nick')];
      await administrator.call(kickOccupant, { room: address, nick: name, reason: form.text('reason') || undefined });
      return `${name} was removed from ${address}.`;
    },
  },
  {
    name: 'purge',
    title: 'Remove the messages of the archive of a room',
    fields: [room],
    run: async (administrator, form) => {
      const address = one(form, 'room');
      const { removed } = await administrator.call(purgeRoom, { room: address });
      return `${removed === 1 ? '1 message was' : `${removed} messages were`} removed from the archive of ${address}.`;
    },
  },
  {
    name: 'destroy',
    title: 'Destroy a room with its archive',
    fields: [room, reason],
    run: async (administrator, form) => {
      const address = one(form, 'room');
      await administrator.call(destroyRoom, { room: address, reason: form.text('reason') || undefined });
      return `${address} was destroyed.`;
    },
  },
];

/** The ad-hoc commands of the services with rooms, for administrators. None while nobody is an administrator. */
export function roomCommands({ administrators, access }: RoomCommandsDeps): () => readonly RoomServiceCommand[] {
  const all = forAdministrators(commands, {
    namespace: ns.roomAdministration,
    // Administrators are accounts of this server, in whose name nobody else can send.
    administratorOf: ({ from }) => (administrators().includes(from.bare().toString()) ? from.bare() : undefined),
    access,
  });
  return () => (administrators().length === 0 ? [] : all);
}

function settingsIn(lines: readonly string[] = []): Record<string, string> {
  const written = lines.map((line) => line.trim()).filter((line) => line !== '');
  return Object.fromEntries(
    written.map((line) => {
      const [key = '', ...value] = line.split('=');
      if (value.length === 0) throw badPayload();
      return [key.trim(), value.join('=')];
    }),
  );
}
