import { networkInterfaces } from 'node:os';
import { listenersInUse } from '../config/listener-kinds.ts';
import type { Config } from '../config/schema.ts';
import { serviceDomains } from '../config/stream-options.ts';
import { isPrivateAddress } from '../federation/private-address.ts';
import { asciiDomain } from '../tls/certificate-files.ts';

const seconds = 3600;

/** The DNS records with which clients and other servers find this server, as lines of a zone file. `host` is the name of the machine. */
export function zoneLines(config: Config, host: string, own: readonly string[] = publicAddresses()): string[] {
  const target = asciiDomain(host);
  const addresses = own.map((address) => `${target}. ${seconds} IN ${address.includes(':') ? 'AAAA' : 'A'} ${address}`);
  const missing = `; ${target}. ${seconds} IN A (the public address of this machine)`;
  return [
    ...(addresses.length > 0 ? addresses : [missing]),
    ...config.domains.flatMap((domain) => recordsFor(config, domain, target, true)),
    ...serviceDomains(config).flatMap((domain) => recordsFor(config, domain, target, false)),
  ];
}

/** Only other servers look up the domain of a service. */
function recordsFor(config: Config, domain: string, target: string, forClients: boolean): string[] {
  return listenersInUse(config).flatMap(({ kind: { srv, serves }, addresses: [listener] }) => {
    if (srv === undefined || !listener || (serves !== 'servers' && !forClients)) return [];
    return [`${srv}._tcp.${asciiDomain(domain)}. ${seconds} IN SRV 0 5 ${listener.port} ${target}.`];
  });
}

/** The addresses of this machine that others can reach. */
function publicAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((own) => own ?? [])
    .map(({ address }) => address)
    .filter((address) => !isPrivateAddress(address));
}
