import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ServerKind, ServerOptions, ServerPlace } from './server-process.ts';

const run = promisify(execFile);
const mechanisms = ['PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS'];

/** A Prosody from the system's packages: what passes against it is a sound test, whatever the server under test does. */
export async function referenceProsody(place: ServerPlace, options: ServerOptions): Promise<ServerKind> {
  const config = join(place.directory, 'prosody.cfg.lua');
  const caFile = join(place.directory, 'ca.pem');
  await mkdir(join(place.directory, 'data'));
  await makeCertificate(place, caFile);
  await writeFile(config, configuration(place, options.mechanisms ?? mechanisms));
  return {
    caFile,
    start: ['prosody', '-F', '--config', config],
    addUser: (local, domain, password) => [
      'prosodyctl',
      '--root',
      '--config',
      config,
      'register',
      local,
      domain,
      password,
    ],
    ready: (lines) => lines.some((line) => line.includes("Activated service 'c2s_direct_tls'")),
    alarming: (line) => /\berror\t/.test(line),
  };
}

async function makeCertificate(place: ServerPlace, caFile: string): Promise<void> {
  const file = (name: string): string => join(place.directory, name);
  const names = place.domains.map((domain) => `DNS:${domain}`).join(',');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const issuer = ['-x509', '-subj', '/CN=Reference CA', '-keyout', file('ca.key'), '-out', caFile];
  const leaf = ['-subj', '/CN=reference', '-addext', `subjectAltName=${names}`, '-keyout', file('server.key')];
  const signature = ['-CA', caFile, '-CAkey', file('ca.key'), '-out', file('server.pem')];
  await run('openssl', ['req', ...key, ...issuer]);
  await run('openssl', [
    'req',
    '-x509',
    ...key,
    ...leaf,
    '-addext',
    'basicConstraints=critical,CA:FALSE',
    ...signature,
  ]);
}

function configuration(place: ServerPlace, offered: readonly string[]): string {
  const { directory, host, ports } = place;
  const quoted = (words: readonly string[]): string => words.map((word) => JSON.stringify(word)).join(', ');
  return `
run_as_root = true
pidfile = ${JSON.stringify(join(directory, 'prosody.pid'))}
data_path = ${JSON.stringify(join(directory, 'data'))}
certificates = ${JSON.stringify(directory)}
log = { { levels = { min = "debug" }, to = "console" } }
interfaces = { ${JSON.stringify(host)} }
c2s_ports = { ${ports.starttls} }
c2s_direct_tls_ports = { ${ports.direct} }
http_ports = {}
https_ports = {}
modules_enabled = { ${quoted(modules)} }
modules_disabled = { "s2s" }
authentication = "internal_hashed"
disable_sasl_mechanisms = { ${quoted(mechanisms.filter((name) => !offered.includes(name)))} }
ssl = { key = ${JSON.stringify(join(directory, 'server.key'))}, certificate = ${JSON.stringify(join(directory, 'server.pem'))} }
${place.domains.map((domain) => `VirtualHost ${JSON.stringify(domain)}`).join('\n')}
`;
}

const modules = [
  ...['roster', 'saslauth', 'tls', 'disco', 'ping', 'time', 'uptime', 'version', 'offline', 'smacks', 'register'],
  ...['private', 'blocklist', 'vcard_legacy', 'pep', 'lastactivity', 'carbons', 'csi'],
];
