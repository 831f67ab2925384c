import { setFlagsFromString } from 'node:v8';
import type { Server } from '../../compose/server.ts';
import type { Cli } from '../cli.ts';
import { configurationFile, configurationReader } from '../configuration.ts';
import { type Context, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { listened, welcome } from '../welcome.ts';

/** Adds `start`. */
export function startCommand(cli: Cli, context: Context): void {
  cli.command(
    'start',
    'Run the server in the foreground; Ctrl-C or SIGTERM stops it, SIGHUP reloads its configuration',
    (options) => options,
    ({ config }) => start(context, config),
  );
}

/**
 * The code and objects of the start are hardly needed again. So the space for new objects does not grow meanwhile, and the filters match no
 * function name, which keeps the optimizing compilers of V8 out of memory. Turning the compilers off would also affect, for good, the
 * threads that start meanwhile.
 */
const engineAtStart = '--semi-space-growth-factor=1 --maglev-filter=-* --turbo-filter=-*';
const engineAtWork = '--semi-space-growth-factor=2 --maglev-filter=* --turbo-filter=*';

/** Runs the server until a signal stops it. */
export async function start(context: Context, namedFile: string | undefined): Promise<void> {
  setFlagsFromString(engineAtStart);
  const reloadConfig = await configurationReader(context, namedFile);
  const config = reloadConfig();
  const configFile = configurationFile(context, namedFile);
  const [{ startServer }, { createLog }, { systemClock }, { collectAfterStart }, { serve }, supervision] =
    await Promise.all([
      import('../../compose/server.ts'),
      import('../../support/log.ts'),
      import('../../support/clock.ts'),
      import('../../support/collect-after-start.ts'),
      import('../serve.ts'),
      import('../supervisor.ts'),
    ]);
  const log = await createLog(config.log);
  const { Supervisor, runSystemdNotify: notify } = supervision;
  const supervisor = new Supervisor({ environment: context.environment, notify, clock: systemClock, log });
  // Durable data is safe, but the state in memory is not reliable any more.
  const ended = (error: Error) => {
    log.error({ err: error }, 'unexpected error; the server stops');
    process.exit(exitCodes.failed);
  };
  process.on('uncaughtException', ended);
  await serve<Server>({
    start: (onFatal) => startServer(config, { log, onFatal, reloadConfig, configFile }).catch(explainStart),
    ready: (server) => {
      setFlagsFromString(engineAtWork);
      collectAfterStart(systemClock);
      log.info({ domains: config.domains, ...listened(server) }, 'ready');
      if (context.stdout.isTTY !== true) return;
      welcome(server, config).then(
        (lines) => printLines(context, lines),
        (error: unknown) => log.warn({ err: error }, 'the next steps cannot be shown'),
      );
    },
    signals: process,
    supervisor,
    reopenLog: () => log.reopen(),
    clock: systemClock,
    log,
    hurry: () => process.exit(exitCodes.failed),
  }).finally(() => process.off('uncaughtException', ended));
}

/** Reports an unusable certificate as an invalid configuration. */
async function explainStart(error: unknown): Promise<never> {
  const { CertificateError } = await import('../../tls/certificates.ts');
  if (!(error instanceof CertificateError)) throw error;
  throw new CommandError(exitCodes.configuration, error.message, { cause: error });
}
