import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import type { Server } from '../../compose/server.ts';
import { type ByListener, forEachListener, isOpen, listenerKinds, reachable } from '../../config/listener-kinds.ts';
import type { Config } from '../../config/schema.ts';
import type { Cli } from '../cli.ts';
import { configurationReader } from '../configuration.ts';
import { aligned, type Context, printLines, programName } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';

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
export async function start(context: Context, configFile: string | undefined): Promise<void> {
  setFlagsFromString(engineAtStart);
  const reloadConfig = await configurationReader(context, configFile);
  const config = reloadConfig();
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
    start: (onFatal) => startServer(config, { log, onFatal, reloadConfig }).catch(explainStart),
    ready: (server) => {
      setFlagsFromString(engineAtWork);
      collectAfterStart(systemClock);
      log.info({ domains: config.domains, ...listened(server) }, 'ready');
      if (context.stdout.isTTY === true) void welcome(server, config).then((lines) => printLines(context, lines));
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

function listened({ addresses }: Server): ByListener<readonly string[]> {
  return forEachListener(listenerKinds, (_, name) => addresses[name].map(addressText));
}

function addressText({ address, port, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The links are printed again at the next start. */
const linkLifetimeMs = 86_400_000;

/** Tells a person at a terminal what to do next. */
async function welcome(server: Server, config: Config): Promise<string[]> {
  const { domains } = config;
  const { c2s, c2sTls } = listened(server);
  const { developmentAuthority } = server;
  const addresses = [...c2s.map((address) => `${address} (STARTTLS)`), ...c2sTls.map((address) => `${address} (TLS)`)];
  const steps = [
    ...(await firstInvitations(server, config)).map((link, index) => [
      index === 0 ? 'Open in a browser' : 'and for a second user',
      link,
    ]),
    ['Add an account', `${programName()} user add NAME@${domains[0]}   (in another terminal)`],
    ['Connect clients to', addresses.join(', ')],
    ...(developmentAuthority === undefined
      ? []
      : [['They must trust', `${developmentAuthority}   (for testing only)`]]),
    ['See the state', `${programName()} status`],
    ['Stop the server', 'Ctrl-C'],
  ];
  return ['', `Ampere serves ${domains.join(', ')}. Next steps:`, ...aligned(steps.map((step) => ['', ...step])), ''];
}

/** The links for the first two users, on a server for this machine only that has no accounts. */
async function firstInvitations({ addresses, administration }: Server, config: Config): Promise<string[]> {
  const isLocal = !reachable(config) && !isOpen(config.listen.http) && addresses.http.length > 0;
  if (!isLocal || config.registration.invitations === 'nobody') return [];
  const [{ listUsers }, { createInvitation }] = await Promise.all([
    import('../../web/control/user-operations.ts'),
    import('../../web/control/invitation-operations.ts'),
  ]);
  const { users } = await administration.call(listUsers, { limit: 1 });
  if (users.length > 0) return [];
  const made = [1, 2].map(() => administration.call(createInvitation, { lifetimeMs: linkLifetimeMs }));
  return (await Promise.all(made)).flatMap(({ landingUrl }) => landingUrl ?? []);
}
