import { configSchema } from '../../src/config/schema.ts';
import { startServer } from '../../src/server.ts';
import { createLog } from '../../src/support/log.ts';

// A server in a process of its own, to be killed: `<data directory> <account,account,...>`. Prints its port when it is open,
// and stops at a line of input.
const [, , dataDir = '', names = ''] = process.argv;

const config = configSchema({ directory: dataDir, environment: {} }).parse({
  domains: ['localhost'],
  dataDir,
  listen: { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [] },
  s2s: { enabled: false },
  tls: { required: false },
  authentication: { scramIterations: 4096 },
  storage: { quickCheck: false },
  limits: { disabled: true },
  offline: { maxMessages: 100_000, maxBytes: 100_000_000 },
  log: { level: 'error', format: 'json' },
});
const server = await startServer(config, {
  log: await createLog(config.log),
  onFatal: () => process.exit(1),
});
for (const name of names.split(',').filter(Boolean)) {
  await server.administration.addUser(`${name}@localhost`, `${name}-password`).catch(() => undefined);
}
const stop = () => void server.stop().then(() => process.exit(0));
process.on('SIGTERM', stop);
process.stdin.once('data', stop);
process.stdout.write(`port ${server.addresses.c2s[0]?.port}\n`);
