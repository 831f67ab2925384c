import { join } from 'node:path';
import { isOpen, reachable } from '../config/listener-kinds.ts';
import type { Config } from '../config/schema.ts';
import { serviceDomains } from '../config/stream-options.ts';
import { TrustAnchors } from '../federation/trust-anchors.ts';
import { covers } from '../tls/certificate-files.ts';
import {
  CertificateError,
  type CertificateOptions,
  type CertificateStore,
  loadCertificates,
} from '../tls/certificates.ts';
import { type Finding, findingsAbout } from './finding.ts';

const finding = findingsAbout('certificates');

/** Checks the configured certificates. Creates none. */
export async function checkCertificates(config: Config): Promise<Finding[]> {
  const { domains, dataDir, tls } = config;
  const shared = tls.certificate !== undefined && tls.key !== undefined;
  const hasOwn = (domain: string) => Object.hasOwn(tls.domains, domain);
  const configured = domains.filter((domain) => shared || hasOwn(domain));
  const services = serviceDomains(config);
  const named = [...configured, ...services.filter(hasOwn)];
  const others = services.filter((domain) => !hasOwn(domain));
  const made = domains.filter((domain) => !configured.includes(domain));
  return [
    ...(named.length === 0 ? [] : await checkFiles({ domains: named, services: others, dataDir, tls }, config)),
    ...made.map((domain) => developmentCertificate(domain, config)),
    ...(await checkAuthorities(config)),
  ];
}

async function checkAuthorities({ s2s }: Config): Promise<Finding[]> {
  try {
    await TrustAnchors.read(s2s.trustedAuthorities);
    return [];
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return error.problems.map((problem) => finding('error', `${problem}.`));
  }
}

async function checkFiles(options: CertificateOptions, config: Config): Promise<Finding[]> {
  const { domains, services = [] } = options;
  try {
    const store = await loadCertificates(options);
    const warnings = [...store.warnings, ...unnamed(services, store, config), ...unnamedHosts(store, config)];
    if (warnings.length > 0) return warnings.map((warning) => finding('warning', `${warning}.`));
    return domains.map((domain) => {
      const { validToDate } = store.certificateFor(domain).leaf;
      return finding('ok', `The certificate of ${domain} is valid until ${validToDate.toISOString()}.`);
    });
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return error.problems.map((problem) => finding('error', `${problem}.`));
  }
}

/** Services that other servers cannot verify by certificate: theirs names another domain. */
function unnamed(services: readonly string[], store: CertificateStore, config: Config): string[] {
  if (!config.s2s.enabled || !reachable(config)) return [];
  return services
    .filter((domain) => !covers(store.certificateFor(domain).leaf, domain))
    .map((domain) => `${domain} has no certificate that names it: other servers can verify it only by dialback`);
}

/** The hosts of addresses that clients are told, if they get a certificate of this server there that does not name them. */
function unnamedHosts(store: CertificateStore, { web, listen }: Config): string[] {
  const proxied = web.trustedProxies.length > 0 || !isOpen(listen.https);
  if (proxied) return [];
  return (['publicUrl', 'uploadUrl'] as const).flatMap((key) => {
    const { [key]: url } = web;
    if (!url?.startsWith('https:')) return [];
    const { hostname } = new URL(url);
    if (covers(store.certificateFor(hostname).leaf, hostname)) return [];
    return [`the certificate for ${hostname} (web.${key}) does not name it; browsers and clients will refuse it`];
  });
}

function developmentCertificate(domain: string, config: Config): Finding {
  const authority = join(config.dataDir, 'tls/development-ca.pem');
  return finding(
    reachable(config) ? 'warning' : 'ok',
    `${domain} has no certificate of its own: the server makes one, and clients must trust ${authority}.`,
  );
}
