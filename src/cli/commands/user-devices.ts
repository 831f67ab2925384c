import type { DeviceReport } from '../../c2s/devices.ts';
import { type Cli, jidArgument, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, printJson, printLines } from '../context.ts';
import { operations } from '../operations.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `user devices`. */
export function userDevicesCommand(cli: Cli, context: Context): void {
  cli.command(
    'devices <jid>',
    'List the devices with access to an account',
    (options) => jsonOption(jidArgument(options, 'Address of the account')),
    async ({ jid, json, config: file }) => {
      const location = await locateServer(context, file);
      const { devices } = await withServerOrData(location, (operator) =>
        operator.call(operations.listDevices, { jid }),
      );
      if (json) printJson(context, { devices });
      else printLines(context, aligned(devices.map(row)));
    },
  );
}

/** Adds `user revoke`. */
export function userRevokeCommand(cli: Cli, context: Context): void {
  cli.command(
    'revoke <jid> <device>',
    'End the sessions of a device and remove its tokens',
    (options) =>
      jsonOption(jidArgument(options, 'Address of the account')).positional('device', {
        type: 'string',
        demandOption: true,
        describe: 'Id of the device, as "user devices" shows it',
      }),
    async ({ jid, device, json, config: file }) => {
      const location = await locateServer(context, file);
      const { knowsPassword } = await withServerOrData(location, (operator) =>
        operator.call(operations.revokeDevice, { jid, device }),
      );
      if (json) return printJson(context, { jid, device, knowsPassword });
      printLines(context, [
        `The sessions and tokens of ${device} were removed.`,
        ...(knowsPassword
          ? [`It knows the password: change it with "ampere user passwd ${jid}" to keep the device out.`]
          : []),
      ]);
    },
  );
}

function row({ key, software, name, lastSeenMs, knowsPassword, hasToken, connected }: DeviceReport): string[] {
  const access = [knowsPassword ? 'password' : [], hasToken ? 'token' : []].flat().join(', ');
  const seen = connected ? 'connected' : `last seen ${new Date(lastSeenMs).toISOString()}`;
  return [key, access, seen, [software, name].filter((text) => text !== undefined).join(' on ')];
}
