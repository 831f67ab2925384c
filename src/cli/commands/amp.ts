import type { Cli } from '../cli.ts';
import type { Context } from '../context.ts';
import { ampExplainCommand } from './amp-explain.ts';

/** Adds `amp`, the commands about rules that messages carry (XEP-0079). */
export function ampCommand(cli: Cli, context: Context): void {
  cli.command('amp', 'Look into advanced message processing', (options) => {
    ampExplainCommand(options, context);
    return options.demandCommand(1, 'Name a command; ampere amp --help lists them.');
  });
}
