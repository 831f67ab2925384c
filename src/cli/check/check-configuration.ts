import { isIP } from 'node:net';
import { addressesFor } from '../../config/listener-kinds.ts';
import type { Config, Listener } from '../../config/schema.ts';
import { type Finding, findingsAbout } from './finding.ts';

const finding = findingsAbout('configuration');

/** What an operator should know about a configuration that is valid. */
export function checkConfiguration(config: Config, file: string | undefined): Finding[] {
  const source = file === undefined ? 'No configuration file: the defaults are used.' : `${file} is valid.`;
  const reach = reachable(config) ? 'Other machines can connect.' : 'Only this machine can connect (listen).';
  return [
    finding('ok', source),
    finding('ok', reach),
    ...warnings(config).map((message) => finding('warning', message)),
  ];
}

function warnings(config: Config): string[] {
  const found: string[] = [];
  if (config.registration.inBand) found.push('registration.inBand: anybody who can connect may create accounts.');
  if (!config.tls.required) found.push('tls.required is false: passwords and messages may travel in the clear.');
  if (!config.s2s.tlsRequired)
    found.push('s2s.tlsRequired is false: what goes to other servers may travel in the clear.');
  if (reachable(config) && config.s2s.enabled && !isOpen(addressesFor(config, 'servers'))) {
    found.push('Clients can connect from other machines, but other servers cannot (listen.s2s).');
  }
  if (isOpen(config.listen.http)) found.push('listen.http: other machines can connect without TLS.');
  if (config.limits.disabled) found.push('limits.disabled: nothing keeps one client from using up the server.');
  if (config.log.level === 'silent') found.push('log.level is "silent": failures will leave no trace.');
  if (reachable(config) && config.contact.abuse.length === 0) {
    found.push('contact.abuse is empty: nobody can tell you about abuse of this server.');
  }
  return found;
}

/** Whether clients on other machines can connect. */
export function reachable(config: Config): boolean {
  return isOpen(addressesFor(config, 'clients'));
}

function isOpen(listeners: readonly Listener[]): boolean {
  return listeners.some(({ host }) => !isLoopback(host));
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
