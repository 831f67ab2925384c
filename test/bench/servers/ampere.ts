import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { accountNames, domain, iterations, password } from '../accounts.ts';
import type { Place } from '../place.ts';
import type { BenchServer, Setup } from './bench-server.ts';

const run = promisify(execFile);

/** Ampere as it is built in `root`: all in one thread, or with edges, one less than it has cores. */
export function ampereIn(root: string, withEdges: boolean): BenchServer {
  const launcher = join(root, 'bin/ampere.js');
  return {
    name: withEdges ? 'ampere-edges' : 'ampere',
    title: withEdges ? 'Ampere with edges' : 'Ampere',
    product: 'ampere',
    raw: false,
    version: () => versionIn(root),

    async seedKey() {
      const migrations = await readdir(join(root, 'migrations'));
      return createHash('sha1').update(migrations.sort().join()).digest('hex').slice(0, 8);
    },

    async seed(place) {
      const config = await writeConfig(root, place, {
        edges: 0,
        archive: false,
        rooms: false,
        webSocket: false,
      });
      const accounts = join(place.directory, 'accounts.csv');
      await writeFile(
        accounts,
        accountNames()
          .map((name) => `${name}@${domain},${password}\n`)
          .join(''),
      );
      const args = ['user', 'import', accounts, '--iterations', String(iterations), '--config', config];
      await run(process.execPath, [launcher, ...args]);
    },

    async launch(place, { cores, ...setup }) {
      const config = await writeConfig(root, place, { edges: withEdges ? cores - 1 : 0, ...setup });
      return { command: [process.execPath, launcher, 'start', '--config', config] };
    },
  };
}

async function versionIn(root: string): Promise<string> {
  const manifest: { version: string } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  return manifest.version;
}

/** What differs between the cases. */
interface CaseSettings extends Omit<Setup, 'cores'> {
  readonly edges: number;
}

async function writeConfig(
  root: string,
  { directory, data, ports, certificate }: Place,
  { edges, archive, rooms, webSocket }: CaseSettings,
): Promise<string> {
  const file = join(directory, 'ampere.json');
  const config = {
    domains: [domain],
    dataDir: data,
    listen: {
      c2s: [{ host: '127.0.0.1', port: ports.plain }],
      c2sTls: [{ host: '127.0.0.1', port: ports.tls }],
      ...(knows(root, 'web/http') && {
        http: [],
        https: webSocket ? [{ host: '127.0.0.1', port: ports.https }] : [],
        proxy: [],
      }),
    },
    s2s: { enabled: false },
    tls: { certificate: certificate.certificate, key: certificate.key, required: false },
    limits: { disabled: true },
    ...(knows(root, 'archives') && { archive: { enabled: archive } }),
    ...(rooms && { rooms: { enabled: true } }),
    ...(edges > 0 && { edges }),
    log: { level: 'warn' },
  };
  await writeFile(file, JSON.stringify(config, undefined, 2));
  return file;
}

/** Whether a build has a part. An older build, which refuses the keys of later ones, may be measured, too. */
function knows(root: string, part: string): boolean {
  return existsSync(join(root, 'dist', part));
}
