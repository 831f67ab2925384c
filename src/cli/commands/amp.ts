import { type Cli, requireCommand } from '../cli.ts';
import type { Context } from '../context.ts';
import { ampExplainCommand } from './amp-explain.ts';

/** Adds `amp`, the commands about the rules of messages (XEP-0079). */
export function ampCommand(cli: Cli, context: Context): void {
  cli.command('amp', 'Inspect Advanced Message Processing', (options) => {
    ampExplainCommand(options, context);
    return requireCommand(options, 'ampere amp');
  });
}
