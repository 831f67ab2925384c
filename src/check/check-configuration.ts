import { uploadUrl } from '../config/extension-options.ts';
import { addressesFor, isOpen, reachable } from '../config/listener-kinds.ts';
import type { Config } from '../config/schema.ts';
import { type Finding, findingsAbout } from './finding.ts';

const finding = findingsAbout('configuration');

/** Describes a valid configuration and warns of risky settings. */
export function checkConfiguration(config: Config, file: string | undefined): Finding[] {
  const source = file === undefined ? 'Without a configuration file, the defaults apply.' : `${file} is valid.`;
  const reach = reachable(config) ? 'Other machines can connect.' : 'Only this machine can connect (see listen).';
  return [
    finding('ok', source),
    finding('ok', reach),
    finding('ok', uploadsOf(config)),
    ...warnings(config).map((message) => finding('warning', message)),
  ];
}

/** Where clients upload files, or why they cannot. */
function uploadsOf(config: Config): string {
  const url = uploadUrl(config);
  if (url !== undefined) return `Clients upload files to ${url}.`;
  return config.uploads.enabled
    ? 'Clients cannot upload files: this needs listen.https at an address that they reach, or a proxy and its https address in web.publicUrl.'
    : 'Clients cannot upload files: uploads.enabled is false.';
}

function warnings(config: Config): string[] {
  const found: string[] = [];
  const { inBand, approval, questions } = config.registration;
  if (inBand && !approval && questions.length === 0)
    found.push(
      'registration.inBand is true: anyone who can connect can create accounts, and so can programs that send spam.',
    );
  if (!config.tls.required) found.push('tls.required is false: passwords and messages may be sent unencrypted.');
  if (!config.s2s.tlsRequired)
    found.push('s2s.tlsRequired is false: messages to other servers may be sent unencrypted.');
  if (reachable(config) && config.s2s.enabled && !isOpen(addressesFor(config, 'servers'))) {
    found.push('Clients can connect from other machines, but other servers cannot (see listen.s2s).');
  }
  if (isOpen(config.listen.http)) found.push('listen.http is open to other machines without TLS.');
  if (config.limits.disabled) found.push('limits.disabled is true: a single client can exhaust the server.');
  if (config.log.level === 'silent') found.push('log.level is "silent": failures leave no trace.');
  if (reachable(config) && config.contact.abuse.length === 0) {
    found.push('contact.abuse is empty: nobody can report abuse of this server to you.');
  }
  return found;
}
