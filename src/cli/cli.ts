import type { Argv } from 'yargs';

/** The options that every command has. */
interface GlobalOptions {
  config: string | undefined;
}

/** The command line with its global options; each command adds itself to it. */
export type Cli = Argv<GlobalOptions>;

/** Adds the address that a command is about. */
export function jidArgument<T>(options: Argv<T>, description: string) {
  return options.positional('jid', { type: 'string', demandOption: true, describe: description });
}

/** Adds the switch between output for people and output for programs. */
export function jsonOption<T>(options: Argv<T>) {
  return options.option('json', { type: 'boolean', default: false, describe: 'Print JSON' });
}
