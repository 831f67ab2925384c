import type { Finding } from '../../check/finding.ts';
import type { Config } from '../../config/schema.ts';
import { OperationError } from '../../routing/operation-error.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { configurationFile, readConfiguration } from '../configuration.ts';
import { aligned, type Context, printJson, printLines } from '../context.ts';
import { ControlClient } from '../control-client.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';

/** Adds `check`. */
export function checkCommand(cli: Cli, context: Context): void {
  cli.command(
    'check',
    'Check the configuration, certificates, data directory, machine, ports, DNS records and host-meta',
    (options) =>
      jsonOption(options)
        .option('zone', { type: 'boolean', describe: 'Print the DNS records that the server needs' })
        .option('host', {
          type: 'string',
          requiresArg: true,
          implies: 'zone',
          describe: 'Name of this machine in the DNS records [the first domain]',
        }),
    async ({ json, zone, host, config: named }) => {
      const config = await readConfiguration(context, named);
      if (zone) return printZone(context, config, host ?? config.domains[0] ?? '', json);
      const [{ check }, server] = await Promise.all([import('../../check/check.ts'), checkServer(config.dataDir)]);
      const findings = await check(config, { file: configurationFile(context, named), ...server });
      if (json) printJson(context, { findings });
      else printLines(context, aligned(findings.map(({ level, topic, message }) => [level, topic, message])));
      const errors = findings.filter(({ level }) => level === 'error');
      if (errors.length > 0) throw verdict(errors);
    },
  );
}

async function printZone(context: Context, config: Config, host: string, json: boolean): Promise<void> {
  const { zoneLines } = await import('../../check/zone.ts');
  const zone = zoneLines(config, host);
  if (json) printJson(context, { zone });
  else printLines(context, zone);
}

async function checkServer(dataDir: string): Promise<{ runs: boolean; server: Finding }> {
  try {
    const runs = (await ControlClient.connect(dataDir)) !== undefined;
    const message = runs ? 'The server is running.' : 'The server is not running.';
    return { runs, server: { level: 'ok', topic: 'server', message } };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { runs: false, server: { level: 'error', topic: 'server', message: error.message } };
  }
}

/** The error for failed checks. An unusable certificate counts as an invalid configuration. */
function verdict(errors: readonly Finding[]): CommandError {
  const configured = errors.some(({ topic }) => topic === 'certificates');
  const count = errors.length === 1 ? 'One check' : `${errors.length} checks`;
  return new CommandError(configured ? exitCodes.configuration : exitCodes.failed, `${count} failed.`);
}
