import { type AddCommand, commandsFor, group, type LoadCommand } from '../cli.ts';

const commands = new Map<string, LoadCommand>([
  ['add', async () => (await import('./user-add.ts')).userAddCommand],
  ['passwd', async () => (await import('./user-passwd.ts')).userPasswdCommand],
  ['reset-link', async () => (await import('./invite.ts')).userResetLinkCommand],
  ['rm', async () => (await import('./user-rm.ts')).userRemoveCommand],
  ['approve', async () => (await import('./user-approve.ts')).userApproveCommand],
  ['reject', async () => (await import('./user-approve.ts')).userRejectCommand],
  ['suspend', async () => (await import('./user-suspend.ts')).userSuspendCommand],
  ['resume', async () => (await import('./user-suspend.ts')).userResumeCommand],
  ['list', async () => (await import('./user-list.ts')).userListCommand],
  ['show', async () => (await import('./user-show.ts')).userShowCommand],
  ['import', async () => (await import('./user-import.ts')).userImportCommand],
  ['export', async () => (await import('./user-export.ts')).userExportCommand],
  ['devices', async () => (await import('./user-devices.ts')).userDevicesCommand],
  ['revoke', async () => (await import('./user-devices.ts')).userRevokeCommand],
]);

/** Loads `user`, the commands for accounts. They also work while the server is stopped. */
export async function userCommand(args: readonly string[]): Promise<AddCommand> {
  const needed = await commandsFor(commands, args);
  return group('user', 'Add, change, remove, list, import and export accounts, and manage their devices', needed);
}
