import type { Argv } from 'yargs';

/** Options of every command. */
interface GlobalOptions {
  config: string | undefined;
}

/** The command line with its global options. Each command adds itself to it. */
export type Cli = Argv<GlobalOptions>;

/** Adds the positional argument `jid`. */
export function jidArgument<T>(options: Argv<T>, description: string) {
  return options.positional('jid', { type: 'string', demandOption: true, describe: description });
}

/** Adds the option that selects output for programs. */
export function jsonOption<T>(options: Argv<T>) {
  return options.option('json', { type: 'boolean', default: false, describe: 'Print JSON' });
}

/** Adds the option that names the file of an export. */
export function outOption<T>(options: Argv<T>) {
  return options.option('out', {
    type: 'string',
    requiresArg: true,
    describe: 'File to create; otherwise standard output',
  });
}

/** Rejects a command line that names a group of commands, such as `user`, without one of its commands. */
export function requireCommand<T>(options: Argv<T>, group: string) {
  return options.demandCommand(1, `A command is missing: "${group} --help" lists them.`);
}
