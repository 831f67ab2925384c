import type { AddressInfo } from 'node:net';
import { relative } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Server } from '../../compose/server.ts';
import { type ByListener, forEachListener, listenerKinds } from '../../config/listener-kinds.ts';
import type { Config } from '../../config/schema.ts';
import type { Cli } from '../cli.ts';
import { configurationReader } from '../configuration.ts';
import { type Context, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';

/** Adds `start`. */
export function startCommand(cli: Cli, context: Context): void {
  cli.command(
    'start',
    'Run the server until SIGTERM or Ctrl-C; SIGHUP reloads its configuration',
    (options) => options,
    ({ config }) => start(context, config),
  );
}

/**
 * What is made and run at the start is hardly needed again: the room for new objects does not double, and no function has a name that V8
 * would optimise, which would bring its compilers into memory. To turn these off would last, for threads that start meanwhile.
 */
const engineAtStart = '--semi-space-growth-factor=1 --maglev-filter=-* --turbo-filter=-*';
const engineAtWork = '--semi-space-growth-factor=2 --maglev-filter=* --turbo-filter=*';

/** Runs the server until it is told to stop. */
export async function start(context: Context, configFile: string | undefined): Promise<void> {
  setFlagsFromString(engineAtStart);
  const reloadConfig = await configurationReader(context, configFile);
  const config = reloadConfig();
  const [{ startServer }, { createLog }, { systemClock }, { collectAfterStart }, { serve }] = await Promise.all([
    import('../../compose/server.ts'),
    import('../../support/log.ts'),
    import('../../support/clock.ts'),
    import('../../support/collect-after-start.ts'),
    import('../serve.ts'),
  ]);
  const log = await createLog(config.log);
  // What is durable is safe; what is in memory cannot be trusted any more.
  const ended = (error: Error) => {
    log.error({ err: error }, 'unexpected error; the server stops');
    process.exit(exitCodes.failed);
  };
  process.on('uncaughtException', ended);
  await serve<Server>({
    start: (onFatal) => startServer(config, { log, onFatal, reloadConfig }).catch(explainStart),
    ready: (server) => {
      setFlagsFromString(engineAtWork);
      collectAfterStart(systemClock);
      log.info({ domains: config.domains, ...listened(server) }, 'ready');
      if (context.stdout.isTTY === true) printLines(context, welcome(server, config));
    },
    signals: process,
    clock: systemClock,
    log,
    hurry: () => process.exit(exitCodes.failed),
  }).finally(() => process.off('uncaughtException', ended));
}

/** Certificates are part of the configuration. */
async function explainStart(error: unknown): Promise<never> {
  const { CertificateError } = await import('../../tls/certificates.ts');
  if (!(error instanceof CertificateError)) throw error;
  throw new CommandError(exitCodes.configuration, error.message, { cause: error });
}

function listened({ addresses }: Server): ByListener<readonly string[]> {
  return forEachListener(listenerKinds, (_, name) => addresses[name].map(addressText));
}

function addressText({ address, port, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

/** How this program was called: by its name where it is installed, as a file in a checkout. */
function commandName(): string {
  const file = process.argv[1] ?? '';
  return file.endsWith('.js') ? `node ${relative(process.cwd(), file)}` : 'ampere';
}

/** What a person at a terminal needs for the next five minutes. */
function welcome(server: Server, { domains }: Config): string[] {
  const { c2s, c2sTls } = listened(server);
  const { developmentAuthority } = server;
  return [
    '',
    `Ampere serves ${domains.join(', ')}. What to do next, in another terminal:`,
    `  Add an account   ${commandName()} user add NAME@${domains[0]}`,
    `  Connect to       ${[...c2s.map((at) => `${at} (STARTTLS)`), ...c2sTls.map((at) => `${at} (TLS)`)].join(', ')}`,
    ...(developmentAuthority === undefined ? [] : [`  Trust            ${developmentAuthority} (made by this server)`]),
    '  Stop             Ctrl-C in this terminal',
    '',
  ];
}
