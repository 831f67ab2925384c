import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PeerKind, PeerPlace } from './peer-kind.ts';

const modules = ['roster', 'saslauth', 'tls', 'dialback', 'disco', 'ping', 'offline', 'register_ibr'];

/** Prosody from Debian. */
export const prosody = prosodyWith([]);

/** Who may make nodes in the service for publish-subscribe. */
export const keeperOfNodes = 'keeper';

/** Prosody from Debian with further modules. */
export function prosodyWith(extra: readonly string[], roomModules: readonly string[] = []): PeerKind {
  return {
    name: 'Prosody',
    packages: ['prosody', 'lua-unbound'],
    words: {
      certificate: { proved: /SASL EXTERNAL with .* succeeded/, believed: /Accepting SASL EXTERNAL identity from/ },
      dialback: { proved: /verified dialback key\.\.\. it is valid/, believed: /s2sin.* is now authenticated for/ },
    },

    async programs(place) {
      const config = join(place.directory, 'prosody.cfg.lua');
      await mkdir(join(place.directory, 'data'));
      await writeFile(config, configuration(place, [...modules, ...extra], roomModules));
      return [
        {
          command: ['prosody', '-F', '--config', config],
          ready: [/Activated service 'c2s'/, /Activated service 's2s'/],
        },
      ];
    },
  };
}

/** A key must be written for every service: without one it looks for certificates of its own choice. */
function configuration(place: PeerPlace, usual: readonly string[], roomModules: readonly string[]): string {
  const { directory, domain, ports, certificate, trustedFile, dns, way, bidi } = place;
  const text = JSON.stringify;
  const list = (names: readonly string[]) => names.map((name) => text(name)).join(', ');
  const enabled = bidi ? [...usual, 's2s_bidi'] : usual;
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
modules_enabled = { ${list(enabled)} }
allow_registration = true
authentication = "internal_hashed"
s2s_require_encryption = true
s2s_secure_auth = ${way === 'certificate'}
ssl = { key = ${text(certificate.key)}, certificate = ${text(certificate.certificate)}, cafile = ${text(trustedFile)} }
VirtualHost ${text(domain)}
Component ${text(`conference.${domain}`)} "muc"
modules_enabled = { ${list(roomModules)} }
Component ${text(`pubsub.${domain}`)} "pubsub"
admins = { ${text(`${keeperOfNodes}@${domain}`)} }
`;
}
