import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ejabberdProgram } from '../bench/servers/ejabberd-program.ts';
import type { PeerKind, PeerPlace } from './peer-kind.ts';

/** ejabberd from Debian. */
export const ejabberd: PeerKind = ejabberdWith({ modules: '', httpPort: undefined });

/** What an ejabberd has besides the usual. */
interface Additions {
  /** Further modules, as YAML. */
  readonly modules: string;
  /** Where it takes the commands of `ejabberdctl` over HTTP. */
  readonly httpPort: number | undefined;
  /** Whether it keeps its data, with SCRAM keys, in SQLite. */
  readonly sqlite?: boolean;
}

/** The file with all data of an ejabberd that keeps it in SQLite, in its data directory. */
export const sqliteFile = 'ejabberd.sqlite';

/** ejabberd from Debian with more than the usual. */
export function ejabberdWith(additions: Additions): PeerKind {
  return {
    name: 'ejabberd',
    packages: ['ejabberd', ...(additions.sqlite ? ['erlang-p1-sqlite3'] : [])],
    words: {
      certificate: {
        proved: /Accepted outbound s2s EXTERNAL authentication/,
        believed: /Accepted inbound s2s EXTERNAL authentication/,
      },
      dialback: {
        proved: /Accepted outbound s2s dialback authentication/,
        believed: /Accepted inbound s2s dialback authentication/,
      },
    },

    async programs(place) {
      const { directory } = place;
      const data = join(directory, 'data');
      const config = join(directory, 'ejabberd.yml');
      const resolver = join(directory, 'inetrc');
      await mkdir(data);
      await writeFile(config, configuration(place, additions));
      await writeFile(resolver, resolverConfiguration(place));
      const { command, environment } = await ejabberdProgram({ directory, data, config }, ['+S', '1:1']);
      return [
        {
          command,
          environment: { ...environment, ERL_INETRC: resolver },
          ready: [/Start accepting TCP .* for ejabberd_c2s/, /Start accepting TCP .* for ejabberd_s2s_in/],
        },
      ];
    },
  };
}

/** Without the module of dialback there are only certificates. */
function configuration(
  { directory, domain, ports, certificate, trustedFile, way }: PeerPlace,
  { modules, httpPort, sqlite = false }: Additions,
): string {
  const text = JSON.stringify;
  const api = `
  - { port: ${httpPort}, ip: "127.0.0.1", module: ejabberd_http, request_handlers: { /api: mod_http_api } }
api_permissions:
  everything: { from: mod_http_api, who: all, what: "*" }`;
  const database = `
auth_method: sql
auth_password_format: scram
default_db: sql
sql_type: sqlite
sql_database: ${text(join(directory, 'data', sqliteFile))}`;
  return `
hosts: [${text(domain)}]
loglevel: info
certfiles: [${text(certificate.certificate)}, ${text(certificate.key)}]
ca_file: ${text(trustedFile)}
s2s_cafile: ${text(trustedFile)}
s2s_use_starttls: required
${sqlite ? database : 'auth_method: internal'}
registration_timeout: infinity
listen:
  - { port: ${ports.c2s}, ip: "127.0.0.1", module: ejabberd_c2s, starttls_required: true }
  - { port: ${ports.s2s}, ip: "127.0.0.1", module: ejabberd_s2s_in }${httpPort === undefined ? '' : api}
modules:
  mod_disco: {}
  mod_muc: {}
  mod_offline: {}
  mod_ping: {}
  mod_register: { access: all, ip_access: all }
  mod_roster: {}
${way === 'dialback' ? '  mod_s2s_dialback: {}' : ''}
${modules}
`;
}

function resolverConfiguration({ dns }: PeerPlace): string {
  return `{resolv_conf, ""}.\n{hosts_file, ""}.\n{lookup, [dns]}.\n{nameserver, {${dns.host.replaceAll('.', ',')}}, ${dns.port}}.\n`;
}
