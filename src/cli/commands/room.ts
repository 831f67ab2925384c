import type { Argv } from 'yargs';
import type { RoomReport } from '../../groupchat/room-operations.ts';
import type { RoomSummary } from '../../storage/rooms.ts';
import { type AddCommand, type Cli, commandsFor, group, jsonOption, type LoadCommand } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, harmless, printDone, printJson, printLines } from '../context.ts';
import type { ControlClient } from '../control-client.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { operations } from '../operations.ts';
import { beforeOption, purgeInSteps, removedLine, timeIn } from '../purging.ts';
import { withRunningServer } from '../with-operations.ts';

const pageSize = 1000;
const affiliations = ['owner', 'admin', 'member', 'none', 'outcast'] as const;

const commands = new Map<string, LoadCommand>([
  ['list', async () => roomListCommand],
  ['show', async () => roomShowCommand],
  ['create', async () => roomCreateCommand],
  ['config', async () => roomConfigCommand],
  ['affiliation', async () => roomAffiliationCommand],
  ['kick', async () => roomKickCommand],
  ['purge', async () => roomPurgeCommand],
  ['destroy', async () => roomDestroyCommand],
  ['export', async () => (await import('./room-transfer.ts')).roomExportCommand],
  ['import', async () => (await import('./room-transfer.ts')).roomImportCommand],
]);

/** Loads `room`, the commands for rooms. All but `room export` and `room import` need a running server. */
export async function roomCommand(args: readonly string[]): Promise<AddCommand> {
  return group('room', 'Show, create, change, destroy, export and import rooms', await commandsFor(commands, args));
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
  const all: RoomSummary[] = [];
  for (let more = true; more; ) {
    const { rooms } = await server.call(operations.listRooms, { after: all.at(-1)?.address, limit: pageSize });
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
      const report = await withRunningServer(location, (server) => server.call(operations.showRoom, { room }));
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
    'Create a room with these settings; "room config" shows the settings of a room',
    (options) =>
      settingsArgument(jsonOption(roomArgument(options))).option('owner', {
        type: 'string',
        requiresArg: true,
        describe: 'Address of the account that owns the room',
      }),
    async ({ room, setting, owner, json, config: file }) => {
      const settings = settingsIn(setting);
      const location = await locateServer(context, file);
      await withRunningServer(location, (server) => server.call(operations.createRoom, { room, owner, settings }));
      printDone(context, json, { room }, `${room} was created.`);
    },
  );
}

function roomConfigCommand(cli: Cli, context: Context): void {
  cli.command(
    'config <room> [setting..]',
    'Show the settings of a room, or change some of them',
    (options) => jsonOption(settingsArgument(roomArgument(options))),
    async ({ room, setting, json, config: file }) => {
      const settings = settingsIn(setting);
      const location = await locateServer(context, file);
      const shown = await withRunningServer(location, async (server) => {
        if (Object.keys(settings).length > 0) await server.call(operations.configureRoom, { room, settings });
        return server.call(operations.showConfig, { room });
      });
      if (json) printJson(context, shown);
      else printLines(context, aligned(Object.entries(shown).map(([key, value]) => [key, harmless(value)])));
    },
  );
}

function roomKickCommand(cli: Cli, context: Context): void {
  cli.command(
    'kick <room> <nick>',
    'Remove an occupant from a room, who may enter again',
    (options) =>
      reasonOption(jsonOption(roomArgument(options))).positional('nick', {
        type: 'string',
        demandOption: true,
        describe: 'Nickname of the occupant',
      }),
    async ({ room, nick, reason, json, config: file }) => {
      const location = await locateServer(context, file);
      await withRunningServer(location, (server) => server.call(operations.kickOccupant, { room, nick, reason }));
      printDone(context, json, { room, nick }, `${nick} was removed from ${room}.`);
    },
  );
}

function roomPurgeCommand(cli: Cli, context: Context): void {
  cli.command(
    'purge <room>',
    'Remove messages from the archive of a room',
    (options) => beforeOption(jsonOption(roomArgument(options))),
    async ({ room, before, json, config: file }) => {
      const beforeMs = before === undefined ? undefined : timeIn(before);
      const location = await locateServer(context, file);
      const removed = await withRunningServer(location, (server) =>
        purgeInSteps(context, (atLeast) => server.call(operations.purgeRoom, { room, beforeMs, atLeast })),
      );
      printDone(context, json, { room, removed }, removedLine(removed, room));
    },
  );
}

function roomAffiliationCommand(cli: Cli, context: Context): void {
  cli.command(
    'affiliation <room> <jid> <affiliation>',
    'Set the affiliation of a user or a domain with a room',
    (options) =>
      jsonOption(roomArgument(options))
        .positional('jid', { type: 'string', demandOption: true, describe: 'Address of the user, or a domain' })
        .positional('affiliation', { choices: affiliations, demandOption: true, describe: 'The new affiliation' }),
    async ({ room, jid, affiliation, json, config: file }) => {
      const location = await locateServer(context, file);
      await withRunningServer(location, (server) => server.call(operations.setAffiliation, { room, jid, affiliation }));
      printDone(context, json, { room, jid, affiliation }, `${jid} has the affiliation ${affiliation} with ${room}.`);
    },
  );
}

function roomDestroyCommand(cli: Cli, context: Context): void {
  cli.command(
    'destroy <room>',
    'Destroy a room with its archive',
    (options) => reasonOption(jsonOption(roomArgument(options))),
    async ({ room, reason, json, config: file }) => {
      const location = await locateServer(context, file);
      await withRunningServer(location, (server) => server.call(operations.destroyRoom, { room, reason }));
      printDone(context, json, { room }, `${room} was destroyed.`);
    },
  );
}

function reasonOption<Options>(options: Argv<Options>) {
  return options.option('reason', { type: 'string', requiresArg: true, describe: 'Text that the occupants get' });
}

function settingsArgument<Options>(options: Argv<Options>) {
  return options.parserConfiguration({ 'duplicate-arguments-array': true }).positional('setting', {
    type: 'string',
    array: true,
    default: [],
    describe: 'Setting as KEY=VALUE, such as membersOnly=true',
  });
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
