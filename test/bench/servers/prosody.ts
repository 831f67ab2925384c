import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accountNames, domain, iterations, scramVerifier } from '../accounts.ts';
import type { BenchServer } from './bench-server.ts';
import { debianVersion } from './debian-package.ts';
import { fillTemplate } from './template.ts';

/** Prosody from Debian. */
export const prosody: BenchServer = {
  name: 'prosody',
  title: 'Prosody',
  product: 'prosody',
  raw: false,
  version: () => debianVersion('prosody'),
  seedKey: async () => '',

  async seed({ data }) {
    const accounts = join(data, domain.replace('.', '%2e'), 'accounts');
    await mkdir(accounts, { recursive: true });
    const text = accountText();
    for (const name of accountNames()) await writeFile(join(accounts, `${name}.dat`), text);
  },

  async launch({ directory, data, ports, certificate }, { archive, rooms, webSocket }) {
    const config = join(directory, 'prosody.cfg.lua');
    await fillTemplate('prosody.cfg.lua', config, {
      DIRECTORY: directory,
      DATA: data,
      PLAIN: ports.plain,
      TLS: ports.tls,
      CERTIFICATE: certificate.certificate,
      KEY: certificate.key,
      ITERATIONS: iterations,
      DOMAIN: domain,
      ARCHIVE: archive ? '"mam",' : '',
      WEBSOCKET: webSocket ? '"websocket",' : '',
      HTTPS: webSocket ? ports.https : '',
      ROOMS: rooms ? roomComponent(archive) : '',
    });
    return { command: ['prosody', '-F', '--config', config] };
  },
};

function roomComponent(archive: boolean): string {
  const lines = [`Component "conference.${domain}" "muc"`];
  if (archive) lines.push('modules_enabled = { "muc_mam" }', 'muc_log_by_default = true');
  return lines.join('\n');
}

/** Prosody keeps the salt as it is, so it must be text. */
function accountText(): string {
  const { salt, storedKey, serverKey } = scramVerifier();
  const keys = `["stored_key"] = "${storedKey.toString('hex')}"; ["server_key"] = "${serverKey.toString('hex')}";`;
  const escaped = [...salt].map((byte) => `\\${String(byte).padStart(3, '0')}`).join('');
  return `return { ["iteration_count"] = ${iterations}; ["salt"] = "${escaped}"; ${keys} };\n`;
}
