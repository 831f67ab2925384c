import type { Config } from '../../config/schema.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { Finding } from '../check/finding.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { configurationFile, readConfiguration } from '../configuration.ts';
import { aligned, type Context, printJson, printLines } from '../context.ts';
import { ControlClient } from '../control-client.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';

/** Adds `check`. */
export function checkCommand(cli: Cli, context: Context): void {
  cli.command(
    'check',
    'Check the configuration, certificates, data directory, ports and DNS records',
    (options) => jsonOption(options),
    async ({ json, config: named }) => {
      const config = await readConfiguration(context, named);
      const findings = await check(config, configurationFile(context, named));
      if (json) printJson(context, { findings });
      else printLines(context, aligned(findings.map(({ level, topic, message }) => [level, topic, message])));
      const errors = findings.filter(({ level }) => level === 'error');
      if (errors.length > 0) throw verdict(errors);
    },
  );
}

async function check(config: Config, file: string | undefined): Promise<Finding[]> {
  const [{ checkConfiguration }, { checkCertificates }, { checkData }, { checkPorts }, { checkDns }] =
    await Promise.all([
      import('../check/check-configuration.ts'),
      import('../check/check-certificates.ts'),
      import('../check/check-data.ts'),
      import('../check/check-ports.ts'),
      import('../check/check-dns.ts'),
    ]);
  const { runs, finding } = await checkServer(config.dataDir);
  return [
    ...checkConfiguration(config, file),
    ...(await checkCertificates(config)),
    ...checkData(config.dataDir, runs),
    finding,
    ...(runs ? [] : await checkPorts(config)),
    ...(await checkDns(config)),
  ];
}

async function checkServer(dataDir: string): Promise<{ runs: boolean; finding: Finding }> {
  try {
    const runs = (await ControlClient.connect(dataDir)) !== undefined;
    const message = runs ? 'The server is running.' : 'The server is not running.';
    return { runs, finding: { level: 'ok', topic: 'server', message } };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { runs: false, finding: { level: 'error', topic: 'server', message: error.message } };
  }
}

/** The error for failed checks. An unusable certificate counts as an invalid configuration. */
function verdict(errors: readonly Finding[]): CommandError {
  const configured = errors.some(({ topic }) => topic === 'certificates');
  const count = errors.length === 1 ? 'One check' : `${errors.length} checks`;
  return new CommandError(configured ? exitCodes.configuration : exitCodes.failed, `${count} failed.`);
}
