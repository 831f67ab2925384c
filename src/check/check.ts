import type { Config } from '../config/schema.ts';
import { checkCertificates } from './check-certificates.ts';
import { checkConfiguration } from './check-configuration.ts';
import { checkData } from './check-data.ts';
import { checkDns } from './check-dns.ts';
import { checkHostMeta } from './check-host-meta.ts';
import { checkPorts } from './check-ports.ts';
import { checkSystem } from './check-system.ts';
import type { Finding } from './finding.ts';

/** What a check needs to know beside the configuration. */
interface Checked {
  /** The file of the configuration; absent if the defaults apply. */
  readonly file: string | undefined;
  /** Whether the server of the configuration is running. */
  readonly runs: boolean;
  /** What is known about that. */
  readonly server: Finding;
}

/** Checks the configuration, certificates, data directory, machine, ports, DNS records and host-meta. */
export async function check(config: Config, { file, runs, server }: Checked): Promise<Finding[]> {
  return [
    ...checkConfiguration(config, file),
    ...(await checkCertificates(config)),
    ...checkData(config.dataDir, runs),
    ...(await checkSystem(config)),
    server,
    ...(runs ? [] : await checkPorts(config)),
    ...(await checkDns(config)),
    ...(await checkHostMeta(config)),
  ];
}
