import type { Cli } from '../cli.ts';
import type { Context } from '../context.ts';

/** Adds a command to the command line. */
type AddCommand = (cli: Cli, context: Context) => void;

/** Every command by its name, in the order of the help. */
const commands = new Map<string, () => Promise<AddCommand>>([
  ['start', async () => (await import('./start.ts')).startCommand],
  ['check', async () => (await import('./check.ts')).checkCommand],
  ['user', async () => (await import('./user.ts')).userCommand],
  ['invite', async () => (await import('./invite.ts')).inviteCommand],
  ['forward', async () => (await import('./forward.ts')).forwardCommand],
  ['archive', async () => (await import('./archive.ts')).archiveCommand],
  ['report', async () => (await import('./report.ts')).reportCommand],
  ['room', async () => (await import('./room.ts')).roomCommand],
  ['upload', async () => (await import('./upload.ts')).uploadCommand],
  ['status', async () => (await import('./status.ts')).statusCommand],
  ['sessions', async () => (await import('./sessions.ts')).sessionsCommand],
  ['kick', async () => (await import('./kick.ts')).kickCommand],
  ['watch', async () => (await import('./watch.ts')).watchCommand],
  ['console', async () => (await import('./console.ts')).consoleCommand],
  ['audit', async () => (await import('./audit.ts')).auditCommand],
  ['block', async () => (await import('./block.ts')).blockCommand],
  ['unblock', async () => (await import('./block.ts')).unblockCommand],
  ['blocked', async () => (await import('./block.ts')).blockedCommand],
  ['announce', async () => (await import('./announce.ts')).announceCommand],
  ['notice', async () => (await import('./announce.ts')).noticeCommand],
  ['components', async () => (await import('./components.ts')).componentsCommand],
  ['s2s', async () => (await import('./s2s.ts')).s2sCommand],
  ['web', async () => (await import('./web.ts')).webCommand],
  ['send', async () => (await import('./send.ts')).sendCommand],
  ['amp', async () => (await import('./amp.ts')).ampCommand],
  ['reload', async () => (await import('./reload.ts')).reloadCommand],
  ['export', async () => (await import('./export.ts')).exportCommand],
  ['backup', async () => (await import('./backup.ts')).backupCommand],
  ['restore', async () => (await import('./restore.ts')).restoreCommand],
  ['completion', async () => (await import('./completion.ts')).completionCommand],
]);

/** Imports the command that the arguments begin with; for the help and for everything else, all commands. */
export function commandsFor([name = '']: readonly string[]): Promise<AddCommand[]> {
  const named = commands.get(name);
  const needed = named === undefined ? [...commands.values()] : [named];
  return Promise.all(needed.map((load) => load()));
}
