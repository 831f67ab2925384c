import { type Cli, requireCommand } from '../cli.ts';
import type { Context } from '../context.ts';
import { userResetLinkCommand } from './invite.ts';
import { userAddCommand } from './user-add.ts';
import { userApproveCommand, userRejectCommand } from './user-approve.ts';
import { userDevicesCommand, userRevokeCommand } from './user-devices.ts';
import { userExportCommand } from './user-export.ts';
import { userImportCommand } from './user-import.ts';
import { userListCommand } from './user-list.ts';
import { userPasswdCommand } from './user-passwd.ts';
import { userRemoveCommand } from './user-rm.ts';
import { userShowCommand } from './user-show.ts';
import { userResumeCommand, userSuspendCommand } from './user-suspend.ts';

const commands = [
  userAddCommand,
  userPasswdCommand,
  userResetLinkCommand,
  userRemoveCommand,
  userApproveCommand,
  userRejectCommand,
  userSuspendCommand,
  userResumeCommand,
  userListCommand,
  userShowCommand,
  userImportCommand,
  userExportCommand,
  userDevicesCommand,
  userRevokeCommand,
];

/** Adds `user`, the commands for accounts. They also work while the server is stopped. */
export function userCommand(cli: Cli, context: Context): void {
  cli.command('user', 'Add, change, remove, list, import and export accounts, and manage their devices', (options) => {
    for (const add of commands) add(options, context);
    return requireCommand(options, 'ampere user');
  });
}
