import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import type { Clock } from '../support/clock.ts';
import { systemClock } from '../support/clock.ts';
import { ByServerName } from './by-server-name.ts';
import { type CertificateFiles, covers, readCertificate, type ServerCertificate } from './certificate-files.ts';
import { DevelopmentAuthority } from './development-authority.ts';
import type { CertificatePems } from './pem-contexts.ts';
import type { ContextSource } from './tls-options.ts';

/** The domains to serve, and the files of their certificates. */
export interface CertificateOptions {
  readonly domains: readonly string[];
  /** Domains of components and other services. One without a certificate of its own uses that of the domain above it. */
  readonly services?: readonly string[];
  readonly dataDir: string;
  readonly tls: Partial<CertificateFiles> & { readonly domains: Readonly<Record<string, CertificateFiles>> };
}

/** Certificates that cannot be used, with all their faults. */
export class CertificateError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'CertificateError';
    this.problems = problems;
  }
}

/** The certificates of all domains, complete and checked; a reload makes another store. */
export class CertificateStore implements ContextSource {
  /** Warnings for the operator that do not prevent the start. */
  readonly warnings: readonly string[];
  /** The authority that clients must trust, if the server has issued certificates itself. */
  readonly developmentAuthority: string | undefined;
  readonly single: boolean;
  /** For threads that show the same certificates. */
  readonly pems: CertificatePems;
  /** When the certificate of each domain expires, in milliseconds since 1970. */
  readonly expiries: readonly { readonly domain: string; readonly atMs: number }[];
  readonly #byName: ByServerName<ServerCertificate>;

  constructor(served: readonly Served[], fallback: ServerCertificate, notes: Notes) {
    this.#byName = new ByServerName(
      served.map(({ domain, certificate }) => [domain, certificate] as const),
      fallback,
    );
    this.single = served.every(({ certificate }) => certificate === fallback);
    this.pems = {
      fallback: fallback.pems,
      domains: served.map(({ domain, certificate }) => [domain, certificate.pems] as const),
    };
    this.expiries = served.map(({ domain, certificate }) => ({ domain, atMs: certificate.leaf.validToDate.getTime() }));
    this.warnings = notes.warnings;
    this.developmentAuthority = notes.developmentAuthority;
  }

  /** The certificate for the name a client asks for (SNI) or for a domain; the default one for any other name. */
  certificateFor(name: string | undefined): ServerCertificate {
    return this.#byName.get(name);
  }

  /** The TLS context of `certificateFor`. */
  contextFor(name: string | undefined): SecureContext {
    return this.certificateFor(name).context;
  }
}

interface Served {
  readonly domain: string;
  readonly files: CertificateFiles;
  readonly certificate: ServerCertificate;
}

interface Notes {
  readonly warnings: readonly string[];
  readonly developmentAuthority: string | undefined;
}

/**
 * Loads the certificates of all domains, issues missing ones, and checks them. Throws `CertificateError`; a
 * reload keeps the store it has when this fails.
 */
export async function loadCertificates(
  options: CertificateOptions,
  clock: Pick<Clock, 'nowMs'> = systemClock,
): Promise<CertificateStore> {
  const shared = sharedFiles(options.tls);
  const own = new Map(Object.entries(options.tls.domains));
  const unconfigured = options.domains.filter((domain) => !own.has(domain) && shared === undefined);
  const authority = new DevelopmentAuthority(join(options.dataDir, 'tls'), clock.nowMs());
  const made = await madeCertificates(authority, unconfigured);
  const services = (options.services ?? []).filter((domain) => !options.domains.includes(domain));
  const named = [...options.domains, ...services.filter((domain) => own.has(domain))];
  const served = await readAll(named, (domain) => own.get(domain) ?? shared ?? made.get(domain));
  const fallback = served.find(({ files }) => files === shared) ?? served[0];
  if (fallback === undefined) throw new CertificateError(['there is no domain to serve']);
  return new CertificateStore([...served, ...inherited(services, served)], fallback.certificate, {
    warnings: served.flatMap((one) => warningsFor(one, clock.nowMs())),
    developmentAuthority: made.size === 0 ? undefined : authority.certificateFile,
  });
}

/** The services without their own certificate, with that of the nearest parent domain. */
function inherited(services: readonly string[], served: readonly Served[]): Served[] {
  const taken = new Set(served.map(({ domain }) => domain));
  const nearestFirst = served.toSorted((one, other) => other.domain.length - one.domain.length);
  return services.flatMap((domain) => {
    const above = taken.has(domain) ? undefined : nearestFirst.find((one) => domain.endsWith(`.${one.domain}`));
    return above ? [{ ...above, domain }] : [];
  });
}

function sharedFiles({ certificate, key, passphrase }: Partial<CertificateFiles>): CertificateFiles | undefined {
  if (certificate === undefined || key === undefined) return undefined;
  return { certificate, key, ...(passphrase === undefined ? {} : { passphrase }) };
}

async function madeCertificates(
  authority: DevelopmentAuthority,
  domains: readonly string[],
): Promise<Map<string, CertificateFiles>> {
  if (domains.length === 0) return new Map();
  try {
    return await authority.certificates(domains);
  } catch (error) {
    throw new CertificateError([`no certificate was configured, and none could be made: ${textOf(error)}`]);
  }
}

/** Reads each set of files once, however many domains share it. */
async function readAll(
  domains: readonly string[],
  filesFor: (domain: string) => CertificateFiles | undefined,
): Promise<Served[]> {
  const reading = new Map<CertificateFiles, Promise<ServerCertificate>>();
  const served: Served[] = [];
  const problems = new Set<string>();
  for (const domain of domains) {
    const files = filesFor(domain);
    if (files === undefined) continue;
    const read = reading.get(files) ?? readCertificate(files);
    reading.set(files, read);
    await read.then(
      (certificate) => served.push({ domain, files, certificate }),
      (error: unknown) => problems.add(textOf(error)),
    );
  }
  if (problems.size > 0) throw new CertificateError([...problems]);
  return served;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const dayMs = 86_400_000;
const expirySoonDays = 14;

function warningsFor({ domain, files, certificate: { leaf } }: Served, nowMs: number): string[] {
  const file = files.certificate;
  const daysLeft = Math.floor((leaf.validToDate.getTime() - nowMs) / dayMs);
  const warnings: string[] = [];
  if (!covers(leaf, domain)) warnings.push(`${file}: the certificate does not name ${domain}; clients will refuse it`);
  if (leaf.validFromDate.getTime() > nowMs) warnings.push(`${file}: the certificate is not valid yet`);
  if (daysLeft < 0) warnings.push(`${file}: the certificate expired on ${leaf.validTo}`);
  else if (daysLeft < expirySoonDays) warnings.push(`${file}: the certificate expires in ${daysLeft} days`);
  return warnings;
}
