import { type Cli, group, jsonOption } from '../cli.ts';
import { readConfiguration } from '../configuration.ts';
import { type Context, printJson, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';

/** Adds `web`, the commands for the web server of a domain. */
export const webCommand = group('web', 'Show the files that the web server of a domain needs', [hostMetaCommand]);

function hostMetaCommand(cli: Cli, context: Context): void {
  cli.command(
    'host-meta',
    'Print the files that lead clients in browsers to the server (XEP-0156)',
    (options) =>
      jsonOption(options).option('format', {
        choices: ['xml', 'json'] as const,
        describe: 'Print only this file, without its path',
      }),
    async ({ format, json: asJson, config: file }) => {
      const config = await readConfiguration(context, file);
      const [{ hostMetaFiles }, { publicUrl }] = await Promise.all([
        import('../../web/host-meta.ts'),
        import('../../config/stream-options.ts'),
      ]);
      const url = publicUrl(config);
      if (url === undefined)
        throw new CommandError(
          exitCodes.configuration,
          'Clients in browsers have no address: let them reach listen.https, or set web.publicUrl.',
        );
      const [xml, json] = hostMetaFiles(url);
      const only = format && { xml, json }[format];
      if (asJson) printJson(context, { files: only ? [only] : [xml, json] });
      else if (only) context.stdout.write(only.content);
      else printLines(context, [`${xml.path}:`, xml.content, `${json.path}:`, json.content.trimEnd()]);
    },
  );
}
