import { closeSync, openSync, readdirSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { devNull } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { serve } from '../../src/cli/serve.ts';
import { type Server, startServer } from '../../src/compose/server.ts';
import { configSchema } from '../../src/config/schema.ts';
import { systemClock } from '../../src/support/clock.ts';
import { createLog } from '../../src/support/log.ts';
import { addUser } from '../../src/web/control/user-operations.ts';
import type { Figures } from './server-under-test.ts';

// A server in its own process: `<data directory> <account,account,...> [<settings as JSON>]`. Prints its ports when it listens.
// Lines of input: `measure` prints figures, `exhaust` opens all descriptors, `release` closes them, any other line stops it.
const [, , dataDir = '', names = '', settings = '{}'] = process.argv;

const config = configSchema({ directory: dataDir, environment: {} }).parse({
  domains: ['localhost'],
  dataDir,
  listen: { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [], http: [], https: [], proxy: [] },
  s2s: { enabled: false },
  tls: { required: false },
  authentication: { scramIterations: 4096 },
  storage: { quickCheck: false, ballastBytes: 0 },
  limits: { disabled: true },
  amp: { presencePrivacy: 'open', replies: { perSecond: 1_000_000, burst: 1_000_000 } },
  offline: { maxMessages: 100_000, maxBytes: 100_000_000 },
  log: { level: 'warn', format: 'json' },
  edges: Number(process.env['AMPERE_EDGES'] ?? 0),
  ...(JSON.parse(settings) as object),
});
const log = await createLog(config.log);

async function start(fail: (error: Error) => void): Promise<Server> {
  const server = await startServer(config, { log, onFatal: fail });
  const wanted = names.split(',').filter(Boolean);
  const add = (name: string) =>
    server.administration
      .call(addUser, { jid: `${name}@localhost`, password: `${name}-password` })
      .catch(() => undefined);
  // A few at a time: the server derives few keys at once, and refuses more than its queue holds.
  while (wanted.length > 0) await Promise.all(wanted.splice(0, 10).map(add));
  return server;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const delays = monitorEventLoopDelay({ resolution: 5 });
delays.enable();

function measure(): Figures {
  const longestTurnMs = delays.max / 1e6;
  // The next measurement must not include this garbage collection.
  delays.disable();
  for (let pass = 0; pass < 3; pass++) collectGarbage();
  delays.reset();
  delays.enable();
  const { user, system } = process.cpuUsage();
  const { heapUsed, rss, external } = process.memoryUsage();
  return {
    heapBytes: heapUsed + external,
    residentBytes: rss,
    descriptors: readdirSync('/proc/self/fd').length,
    handles: process.getActiveResourcesInfo().filter((name) => name.includes('Wrap')).length,
    cpuMs: (user + system) / 1000,
    atMs: performance.now(),
    loops: performance.nodeTiming.uvMetricsInfo.loopCount,
    longestTurnMs,
  };
}

const opened: number[] = [];

/** Opens files until no descriptors are left. */
function exhaustDescriptors(): void {
  try {
    for (;;) opened.push(openSync(devNull, 'r'));
  } catch {
    process.stdout.write(`exhausted ${opened.length}\n`);
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'measure') process.stdout.write(`figures ${JSON.stringify(measure())}\n`);
  else if (line === 'exhaust') exhaustDescriptors();
  else if (line === 'release') for (const descriptor of opened.splice(0)) closeSync(descriptor);
  else process.kill(process.pid, 'SIGTERM');
});

try {
  await serve<Server>({
    start,
    ready: ({ addresses: { http, c2s } }) => {
      process.stdout.write(`http ${http[0]?.port ?? 'off'}\nport ${c2s[0]?.port}\n`);
      // Node writes it at the end of the process, which here often is a kill.
      flushCompileCache();
    },
    signals: process,
    supervisor: { ready() {}, reloading() {}, stopping() {} },
    reopenLog() {},
    clock: systemClock,
    log,
    hurry: () => process.exit(1),
  });
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
