import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchServer } from './bench-server.ts';

/** The floor: what Node.js needs to move the same bytes without looking at them. */
export const relay: BenchServer = {
  name: 'relay',
  title: 'Node relay, no XML',
  product: 'relay',
  raw: true,
  version: async () => process.versions.node,
  seedKey: async () => '',

  async seed({ data }) {
    await mkdir(data, { recursive: true });
  },

  async launch({ ports, certificate }) {
    const program = join(import.meta.dirname, 'relay-process.ts');
    const args = [ports.plain, ports.tls, ports.https, certificate.certificate, certificate.key].map(String);
    return { command: [process.execPath, program, ...args] };
  },
};
