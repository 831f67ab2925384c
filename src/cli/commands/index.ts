import type { Cli } from '../cli.ts';
import type { Context } from '../context.ts';
import { backupCommand } from './backup.ts';
import { checkCommand } from './check.ts';
import { kickCommand } from './kick.ts';
import { reloadCommand } from './reload.ts';
import { restoreCommand } from './restore.ts';
import { sessionsCommand } from './sessions.ts';
import { startCommand } from './start.ts';
import { statusCommand } from './status.ts';
import { userCommand } from './user.ts';

/** Every command, in the order of the help. */
export const commands: readonly ((cli: Cli, context: Context) => void)[] = [
  startCommand,
  checkCommand,
  userCommand,
  statusCommand,
  sessionsCommand,
  kickCommand,
  reloadCommand,
  backupCommand,
  restoreCommand,
];
