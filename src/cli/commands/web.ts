import { type Cli, requireCommand } from '../cli.ts';
import { readConfiguration } from '../configuration.ts';
import { type Context, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';

/** Adds `web`, the commands for the web server of a domain. */
export function webCommand(cli: Cli, context: Context): void {
  cli.command('web', 'Show what the web server of the domain must have', (options) => {
    hostMetaCommand(options, context);
    return requireCommand(options, 'ampere web');
  });
}

function hostMetaCommand(cli: Cli, context: Context): void {
  cli.command(
    'host-meta',
    'Print the files in which clients in browsers find the server (XEP-0156)',
    (options) =>
      options.option('format', {
        choices: ['xml', 'json'] as const,
        describe: 'Only one of them, without its path',
      }),
    async ({ format, config: file }) => {
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
      if (only) context.stdout.write(only.content);
      else printLines(context, [`${xml.path}:`, xml.content, `${json.path}:`, json.content.trimEnd()]);
    },
  );
}
