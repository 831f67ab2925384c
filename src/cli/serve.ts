import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import type { Supervisor } from './supervisor.ts';

/** A running server. */
export interface StartedServer {
  reload(): Promise<void>;
  stop(): Promise<void>;
}

/** The source of signals: the process, except in tests. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/** Dependencies of `serve`. */
export interface ServeDeps<Server extends StartedServer> {
  /** Starts the server, which calls `fail` when it cannot continue. */
  readonly start: (fail: (error: Error) => void) => Promise<Server>;
  readonly ready: (server: Server) => void;
  readonly signals: SignalSource;
  readonly supervisor: Pick<Supervisor, 'ready' | 'reloading' | 'stopping'>;
  /** Opens the file of the log again, after it was renamed. */
  readonly reopenLog: () => void;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: Log;
  /** Ends the process at once. */
  readonly hurry: () => void;
}

/** A second signal within this time repeats the first: the terminal signals the whole process group, and npm forwards its own copy. */
const echoMs = 1000;

/** Runs a server until a signal ends it. Rejects if the server cannot start or continue. */
export async function serve<Server extends StartedServer>(deps: ServeDeps<Server>): Promise<void> {
  const end = Promise.withResolvers<void>();
  // A failure during the start is awaited later.
  end.promise.catch(() => undefined);
  let server: Server | undefined;
  const listeners = new Map<NodeJS.Signals, () => void>([
    ['SIGHUP', () => void reload(server, deps)],
    ['SIGUSR2', deps.reopenLog],
    // Without a listener, Node.js would open its debugger.
    ['SIGUSR1', () => deps.log.debug({}, 'SIGUSR1 does nothing; SIGUSR2 opens the log again')],
  ]);
  const stop = stopper(deps, end.resolve);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) listeners.set(signal, stop);
  for (const [signal, listener] of listeners) deps.signals.on(signal, listener);
  try {
    const started = await deps.start(end.reject);
    server = started;
    deps.ready(started);
    deps.supervisor.ready();
    await end.promise.finally(() => started.stop());
  } finally {
    for (const [signal, listener] of listeners) deps.signals.off(signal, listener);
  }
}

/** The first call stops the server in an orderly way, a later one at once. */
function stopper(
  { supervisor, clock, log, hurry }: Pick<ServeDeps<StartedServer>, 'supervisor' | 'clock' | 'log' | 'hurry'>,
  stop: () => void,
) {
  let askedAtMs: number | undefined;
  return () => {
    const nowMs = clock.monotonicMs();
    if (askedAtMs === undefined) {
      askedAtMs = nowMs;
      log.info({}, 'stopping');
      supervisor.stopping();
      stop();
    } else if (nowMs - askedAtMs > echoMs) hurry();
  };
}

async function reload(
  server: StartedServer | undefined,
  { supervisor, log }: Pick<ServeDeps<StartedServer>, 'supervisor' | 'log'>,
): Promise<void> {
  if (!server) return;
  supervisor.reloading();
  try {
    await server.reload();
  } catch (error) {
    log.error({ err: error }, 'reload failed; nothing was changed');
  }
  supervisor.ready();
}
