import { networkInterfaces } from 'node:os';
import { isOpen, listenerKinds, listenersInUse } from '../config/listener-kinds.ts';
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
  const record = (srv: string, priority: number, { port }: { readonly port: number }) =>
    `${srv}._tcp.${asciiDomain(domain)}. ${seconds} IN SRV ${priority} 5 ${port} ${target}.`;
  // For networks that let only HTTPS through: clients try it last.
  const https = forClients && config.listen.https.find((address) => isOpen([address]));
  return [
    ...listenersInUse(config).flatMap(({ kind: { srv, serves }, addresses: [listener] }) =>
      srv === undefined || !listener || (serves !== 'servers' && !forClients) ? [] : [record(srv, 0, listener)],
    ),
    ...(https ? [record(listenerKinds.c2sTls.srv, 10, https)] : []),
  ];
}

/** The addresses of this machine that others can reach. */
function publicAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((own) => own ?? [])
    .map(({ address }) => address)
    .filter((address) => !isPrivateAddress(address));
}
