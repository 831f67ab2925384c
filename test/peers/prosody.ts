import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PeerKind, PeerPlace } from './peer-kind.ts';

/** Prosody from Debian. */
export const prosody: PeerKind = {
  name: 'Prosody',
  packages: ['prosody', 'lua-unbound'],
  words: {
    certificate: { proved: /SASL EXTERNAL with .* succeeded/, believed: /Accepting SASL EXTERNAL identity from/ },
    dialback: { proved: /verified dialback key\.\.\. it is valid/, believed: /s2sin.* is now authenticated for/ },
  },

  async programs(place) {
    const config = join(place.directory, 'prosody.cfg.lua');
    await mkdir(join(place.directory, 'data'));
    await writeFile(config, configuration(place));
    return [
      {
        command: ['prosody', '-F', '--config', config],
        ready: [/Activated service 'c2s'/, /Activated service 's2s'/],
      },
    ];
  },
};

const modules = ['roster', 'saslauth', 'tls', 'dialback', 'disco', 'ping', 'offline', 'register_ibr'];

/** A key must be written for every service: without one it looks for certificates of its own choice. */
function configuration({ directory, domain, ports, certificate, trustedFile, dns, way, bidi }: PeerPlace): string {
  const text = JSON.stringify;
  const enabled = bidi ? [...modules, 's2s_bidi'] : modules;
  return `
run_as_root = true
pidfile = ${text(join(directory, 'prosody.pid'))}
data_path = ${text(join(directory, 'data'))}
log = { { levels = { min = "debug" }, to = "console" } }
interfaces = { "127.0.0.1" }
c2s_ports = { ${ports.c2s} }
s2s_ports = { ${ports.s2s} }
c2s_direct_tls_ports = {}
s2s_direct_tls_ports = {}
http_ports = {}
https_ports = {}
unbound = {
  forward = "${dns.host}@${dns.port}";
  resolvconf = false;
  options = { ["do-not-query-localhost:"] = "no"; ["module-config:"] = "iterator" };
}
modules_enabled = { ${enabled.map((name) => text(name)).join(', ')} }
allow_registration = true
authentication = "internal_hashed"
s2s_require_encryption = true
s2s_secure_auth = ${way === 'certificate'}
ssl = { key = ${text(certificate.key)}, certificate = ${text(certificate.certificate)}, cafile = ${text(trustedFile)} }
VirtualHost ${text(domain)}
Component ${text(`conference.${domain}`)} "muc"
`;
}
