import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LineProcess } from '../support/line-process.ts';
import { median } from './statistics.ts';

/*
 * Measures what a command costs beside a Node.js that does nothing: `node test/bench/command-cost.ts [ROUNDS]`. Each round runs `node -e 0`
 * and every command once. Prints the medians of elapsed time and of user and system time, and their ratios to those of `node -e 0`.
 */

const rounds = Number(process.argv[2] ?? 30);
const launcher = resolve(import.meta.dirname, '../../bin/ampere.js');
const directory = mkdtempSync(join(tmpdir(), 'ampere-command-cost-'));
const config = join(directory, 'server.json');
const commands = ['status', 'user list', 'sessions --json', 'room list', 'blocked', 'completion bash'];

interface Cost {
  readonly elapsedMs: number;
  readonly cpuMs: number;
}

function costOf(args: readonly string[]): Cost {
  const script = `TIMEFORMAT='%3R %3U %3S'; { time "$0" "$@" >/dev/null; } 2>&1`;
  const timed = execFileSync('bash', ['-c', script, process.execPath, ...args], { encoding: 'utf8' });
  const [real = Number.NaN, user = Number.NaN, system = Number.NaN] = timed.trim().split(' ').map(Number);
  return { elapsedMs: real * 1000, cpuMs: (user + system) * 1000 };
}

interface Measured {
  readonly title: string;
  readonly args: readonly string[];
  readonly costs: Cost[];
}

const nothing: Measured = { title: 'node -e 0', args: ['-e', '0'], costs: [] };
const measured = [nothing];
for (const command of commands) {
  const chosen = command.startsWith('completion') ? [] : ['--config', config];
  measured.push({ title: `ampere ${command}`, args: [launcher, ...command.split(' '), ...chosen], costs: [] });
}

const listen = { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [], http: [], https: [], proxy: [] };
writeFileSync(config, JSON.stringify({ s2s: { enabled: false }, listen }));
const server = new LineProcess('ampere', process.execPath, [launcher, 'start', '--config', config]);
try {
  await server.waitFor('ready line', () => server.lines.find((line) => line.includes('"msg":"ready"')));
  // Fills the cache of compiled code.
  for (const { args } of measured) costOf(args);
  for (let round = 0; round < rounds; round++) for (const { args, costs } of measured) costs.push(costOf(args));
} finally {
  server.kill('SIGTERM');
  await server.end();
  rmSync(directory, { recursive: true });
}

const medianOf = (costs: readonly Cost[], key: keyof Cost) => median(costs.map((cost) => cost[key]));
for (const { title, costs } of measured) {
  const figures = (['elapsedMs', 'cpuMs'] as const).map((key) => {
    const value = medianOf(costs, key);
    return `${value.toFixed(0).padStart(5)} ms ${(value / medianOf(nothing.costs, key)).toFixed(2)} ×`;
  });
  console.log(title.padEnd(24), 'elapsed', figures[0], ' CPU', figures[1]);
}
