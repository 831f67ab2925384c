import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { TrustAnchors } from '../../federation/trust-anchors.ts';
import { CertificateError, loadCertificates } from '../../tls/certificates.ts';
import { reachable } from './check-configuration.ts';
import { type Finding, findingsAbout } from './finding.ts';

const finding = findingsAbout('certificates');

/** Looks at the certificates that are configured; makes none. */
export async function checkCertificates(config: Config): Promise<Finding[]> {
  const { domains, dataDir, tls } = config;
  const shared = tls.certificate !== undefined && tls.key !== undefined;
  const configured = domains.filter((domain) => shared || Object.hasOwn(tls.domains, domain));
  const made = domains.filter((domain) => !configured.includes(domain));
  return [
    ...(configured.length === 0 ? [] : await checkFiles({ domains: configured, dataDir, tls })),
    ...made.map((domain) => madeHere(domain, config)),
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

async function checkFiles(options: Pick<Config, 'domains' | 'dataDir' | 'tls'>): Promise<Finding[]> {
  try {
    const store = await loadCertificates(options);
    if (store.warnings.length > 0) return store.warnings.map((warning) => finding('warning', `${warning}.`));
    return options.domains.map((domain) => {
      const { validToDate } = store.certificateFor(domain).leaf;
      return finding('ok', `The certificate of ${domain} is good until ${validToDate.toISOString()}.`);
    });
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return error.problems.map((problem) => finding('error', `${problem}.`));
  }
}

function madeHere(domain: string, config: Config): Finding {
  const authority = join(config.dataDir, 'tls/development-ca.pem');
  return finding(
    reachable(config) ? 'warning' : 'ok',
    `${domain} has no certificate of its own: clients must trust ${authority}, which the server makes.`,
  );
}
