#!/usr/bin/env node
// Starts dist/cli/main.js; under an older Node.js, with the newer one that npm has installed beside the other packages,
// and a server with the memory settings it needs.
// This file must run on Node.js 18.
import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const neededMajor = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const main = join(root, 'dist/cli/main.js');
/** Set for the newer Node.js, whose end it ties to ours. */
const launchedMark = 'AMPERE_LAUNCHED';

/**
 * What V8 takes at its start only. The first saves 45 MiB of memory with 2,000 clients (docs/decisions/0024-the-space-for-new-objects.md),
 * the second lets the server give back what its start has needed (docs/decisions/0031-what-the-start-leaves-behind.md).
 */
const engineOptions = ['--max-semi-space-size=8', '--expose-gc'];

function fail(message) {
  process.stderr.write(`ampere: ${message}\n`);
  process.exit(1);
}

function pinnedRuntime() {
  try {
    const manifest = createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/package.json`);
    const file = join(dirname(manifest), 'bin/node');
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

async function relaunch() {
  const runtime = pinnedRuntime();
  if (runtime === undefined) {
    fail(
      `this is Node.js ${process.versions.node}: install Node.js ${neededMajor} or newer, or run npm install in ${root}.`,
    );
  }
  const { spawn } = await import('node:child_process');
  const child = spawn(runtime, [...engineOptions, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    // The fourth is closed when we die, however we die: that is how the child learns of it.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [launchedMark]: '1' },
  });
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`${runtime} cannot be run: ${error.message}.`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const forwarded of signals) process.removeAllListeners(forwarded);
    process.kill(process.pid, signal);
  });
}

/** Becomes the same process again, with the options for the engine; whoever has chosen for himself, or has a channel to us, keeps it. */
function setEngineOptions() {
  const chosen = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  if (process.argv[2] !== 'start' || process.channel || chosen.includes('semi-space-size')) return;
  const args = [process.execPath, ...process.execArgv, ...engineOptions, ...process.argv.slice(1)];
  try {
    process.execve(process.execPath, args, process.env);
  } catch {
    // Not every platform can; it is only memory.
  }
}

async function run() {
  if (!existsSync(main)) fail(`it is not built yet: run npm run build in ${root}.`);
  setEngineOptions();
  if (process.env[launchedMark] !== undefined && process.channel) {
    delete process.env[launchedMark];
    process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
    process.channel.unref();
  }
  // Not in the temporary directory, where others could lay code for us.
  module.enableCompileCache?.(join(root, 'node_modules/.cache/ampere'));
  await import('../dist/cli/main.js');
}

if (Number(process.versions.node.split('.', 1)[0]) < neededMajor) await relaunch();
else await run();
