import type { Cli } from '../cli.ts';
import type { Context } from '../context.ts';
import { ampCommand } from './amp.ts';
import { announceCommand, noticeCommand } from './announce.ts';
import { archiveCommand } from './archive.ts';
import { auditCommand } from './audit.ts';
import { backupCommand } from './backup.ts';
import { blockCommand, blockedCommand, unblockCommand } from './block.ts';
import { checkCommand } from './check.ts';
import { completionCommand } from './completion.ts';
import { componentsCommand } from './components.ts';
import { consoleCommand } from './console.ts';
import { exportCommand } from './export.ts';
import { forwardCommand } from './forward.ts';
import { inviteCommand } from './invite.ts';
import { kickCommand } from './kick.ts';
import { reloadCommand } from './reload.ts';
import { reportCommand } from './report.ts';
import { restoreCommand } from './restore.ts';
import { roomCommand } from './room.ts';
import { s2sCommand } from './s2s.ts';
import { sendCommand } from './send.ts';
import { sessionsCommand } from './sessions.ts';
import { startCommand } from './start.ts';
import { statusCommand } from './status.ts';
import { uploadCommand } from './upload.ts';
import { userCommand } from './user.ts';
import { watchCommand } from './watch.ts';
import { webCommand } from './web.ts';

/** Every command, in the order of the help. */
export const commands: readonly ((cli: Cli, context: Context) => void)[] = [
  startCommand,
  checkCommand,
  userCommand,
  inviteCommand,
  forwardCommand,
  archiveCommand,
  reportCommand,
  roomCommand,
  uploadCommand,
  statusCommand,
  sessionsCommand,
  kickCommand,
  watchCommand,
  consoleCommand,
  auditCommand,
  blockCommand,
  unblockCommand,
  blockedCommand,
  announceCommand,
  noticeCommand,
  componentsCommand,
  s2sCommand,
  webCommand,
  sendCommand,
  ampCommand,
  reloadCommand,
  exportCommand,
  backupCommand,
  restoreCommand,
  completionCommand,
];
