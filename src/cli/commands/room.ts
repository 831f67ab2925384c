import type { Argv } from 'yargs';
import type { RoomReport } from '../../groupchat/room-operations.ts';
import type { RoomSummary } from '../../storage/rooms.ts';
import { type Cli, jsonOption, requireCommand } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, harmless, printJson, printLines } from '../context.ts';
import type { ControlClient } from '../control-client.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { beforeOption, purgeInSteps, removedLine, timeIn } from '../purging.ts';
import { withRunningServer } from '../with-operations.ts';
import { roomExportCommand, roomImportCommand } from './room-transfer.ts';

const pageSize = 1000;
const affiliations = ['owner', 'admin', 'member', 'none', 'outcast'] as const;

const commands = [
  roomListCommand,
  roomShowCommand,
  roomCreateCommand,
  roomConfigCommand,
  roomAffiliationCommand,
  roomKickCommand,
  roomPurgeCommand,
  roomDestroyCommand,
  roomExportCommand,
  roomImportCommand,
];

/** Adds `room`, the commands for rooms. All but `room export` and `room import` need a running server. */
export function roomCommand(cli: Cli, context: Context): void {
  cli.command('room', 'Show, create, change, destroy, export and import rooms', (options) => {
    for (const add of commands) add(options, context);
    return requireCommand(options, 'ampere room');
  });
}

function roomListCommand(cli: Cli, context: Context): void {
  cli.command(
    'list',
    'List all rooms',
    (options) => jsonOption(options),
    async ({ json, config: file }) => {
      const rooms = await withRunningServer(await locateServer(context, file), allRooms);
      if (json) printJson(context, { rooms });
      else printLines(context, aligned(rooms.map(row)));
    },
  );
}

async function allRooms(server: ControlClient): Promise<RoomSummary[]> {
  const { listRooms } = await import('../../groupchat/room-operations.ts');
  const all: RoomSummary[] = [];
  for (let more = true; more; ) {
    const { rooms } = await server.call(listRooms, { after: all.at(-1)?.address, limit: pageSize });
    all.push(...rooms);
    more = rooms.length === pageSize;
  }
  return all;
}

function row({ address, name, isPublic, messages }: RoomSummary): string[] {
  const archived = messages === 1 ? '1 message' : `${messages} messages`;
  return [harmless(address), isPublic ? 'public' : 'hidden', archived, harmless(name)];
}

function roomShowCommand(cli: Cli, context: Context): void {
  cli.command(
    'show <room>',
    'Show a room with its occupants and affiliations',
    (options) => jsonOption(roomArgument(options)),
    async ({ room, json, config: file }) => {
      const location = await locateServer(context, file);
      const { showRoom } = await import('../../groupchat/room-operations.ts');
      const report = await withRunningServer(location, (server) => server.call(showRoom, { room }));
      if (json) printJson(context, report);
      else printLines(context, reportLines(report));
    },
  );
}

function reportLines(report: RoomReport): string[] {
  const kinds = [
    report.public ? 'public' : 'hidden',
    report.persistent ? 'persistent' : 'temporary',
    report.membersOnly ? 'for members' : 'open',
  ];
  return [
    `Room ${harmless(report.address)}: ${kinds.join(', ')}`,
    ...(report.name === '' ? [] : [`Name: ${harmless(report.name)}`]),
    ...report.affiliations.map(({ jid, affiliation }) => `${affiliation}: ${harmless(jid)}`),
    ...report.occupants.map(
      ({ nick, role, jids }) => `${role} in the room: ${harmless(nick)} (${jids.map(harmless).join(', ')})`,
    ),
  ];
}

function roomCreateCommand(cli: Cli, context: Context): void {
  cli.command(
    'create <room> [setting..]',
    'Create a room; its settings are written as KEY=VALUE, as `room config` shows them',
    (options) =>
      settingsArgument(roomArgument(options)).option('owner', {
        type: 'string',
        requiresArg: true,
        describe: 'Address of the account that owns the room',
      }),
    async ({ room, setting, owner, config: file }) => {
      const settings = settingsIn(setting);
      const location = await locateServer(context, file);
      const { createRoom } = await import('../../groupchat/room-operations.ts');
      await withRunningServer(location, (server) => server.call(createRoom, { room, owner, settings }));
      printLines(context, [`${room} was created.`]);
    },
  );
}

function roomConfigCommand(cli: Cli, context: Context): void {
  cli.command(
    'config <room> [setting..]',
    'Show the settings of a room, or change those that are written as KEY=VALUE',
    (options) => jsonOption(settingsArgument(roomArgument(options))),
    async ({ room, setting, json, config: file }) => {
      const settings = settingsIn(setting);
      const location = await locateServer(context, file);
      const { configureRoom, showConfig } = await import('../../groupchat/room-operations.ts');
      const shown = await withRunningServer(location, async (server) => {
        if (Object.keys(settings).length > 0) await server.call(configureRoom, { room, settings });
        return server.call(showConfig, { room });
      });
      if (json) printJson(context, shown);
      else printLines(context, aligned(Object.entries(shown).map(([key, value]) => [key, harmless(value)])));
    },
  );
}

function roomKickCommand(cli: Cli, context: Context): void {
  cli.command(
    'kick <room> <nick>',
    'Remove an occupant from a room; it may enter again',
    (options) =>
      reasonOption(roomArgument(options)).positional('nick', {
        type: 'string',
        demandOption: true,
        describe: 'Nickname of the occupant',
      }),
    async ({ room, nick, reason, config: file }) => {
      const location = await locateServer(context, file);
      const { kickOccupant } = await import('../../groupchat/room-operations.ts');
      await withRunningServer(location, (server) => server.call(kickOccupant, { room, nick, reason }));
      printLines(context, [`${nick} was removed from ${room}.`]);
    },
  );
}

function roomPurgeCommand(cli: Cli, context: Context): void {
  cli.command(
    'purge <room>',
    'Remove the messages of the archive of a room',
    (options) => beforeOption(roomArgument(options)),
    async ({ room, before, config: file }) => {
      const beforeMs = before === undefined ? undefined : timeIn(before);
      const location = await locateServer(context, file);
      const { purgeRoom } = await import('../../groupchat/room-operations.ts');
      const removed = await withRunningServer(location, (server) =>
        purgeInSteps(context, (atLeast) => server.call(purgeRoom, { room, beforeMs, atLeast })),
      );
      printLines(context, [removedLine(removed, room)]);
    },
  );
}

function roomAffiliationCommand(cli: Cli, context: Context): void {
  cli.command(
    'affiliation <room> <jid> <affiliation>',
    'Change how a user or a domain is affiliated with a room',
    (options) =>
      roomArgument(options)
        .positional('jid', { type: 'string', demandOption: true, describe: 'Address of the user, or a domain' })
        .positional('affiliation', { choices: affiliations, demandOption: true, describe: 'The new affiliation' }),
    async ({ room, jid, affiliation, config: file }) => {
      const location = await locateServer(context, file);
      const { setAffiliation } = await import('../../groupchat/room-operations.ts');
      await withRunningServer(location, (server) => server.call(setAffiliation, { room, jid, affiliation }));
      printLines(context, [`${jid} has the affiliation ${affiliation} with ${room}.`]);
    },
  );
}

function roomDestroyCommand(cli: Cli, context: Context): void {
  cli.command(
    'destroy <room>',
    'Destroy a room with its archive',
    (options) => reasonOption(roomArgument(options)),
    async ({ room, reason, config: file }) => {
      const location = await locateServer(context, file);
      const { destroyRoom } = await import('../../groupchat/room-operations.ts');
      await withRunningServer(location, (server) => server.call(destroyRoom, { room, reason }));
      printLines(context, [`${room} was destroyed.`]);
    },
  );
}

function reasonOption<Options>(options: Argv<Options>) {
  return options.option('reason', { type: 'string', requiresArg: true, describe: 'Text that the occupants get' });
}

function settingsArgument<Options>(options: Argv<Options>) {
  return options
    .parserConfiguration({ 'duplicate-arguments-array': true })
    .positional('setting', { type: 'string', array: true, default: [], describe: 'KEY=VALUE' });
}

function settingsIn(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const [key = '', ...value] = word.split('=');
      if (key !== '' && value.length > 0) return [key, value.join('=')];
      throw new CommandError(exitCodes.usage, `A setting is KEY=VALUE, such as membersOnly=true, not ${word}.`);
    }),
  );
}

function roomArgument(options: Cli) {
  return options.positional('room', { type: 'string', demandOption: true, describe: 'Address of the room' });
}
