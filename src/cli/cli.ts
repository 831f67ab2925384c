import type { Argv } from 'yargs';
import type { Context } from './context.ts';

/** Options of every command. */
interface GlobalOptions {
  config: string | undefined;
}

/** The command line with its global options. Each command adds itself to it. */
export type Cli = Argv<GlobalOptions>;

/** Adds a command to the command line. */
export type AddCommand = (cli: Cli, context: Context) => void;

/** Loads a command, with those of its own commands that the arguments behind its name need. */
export type LoadCommand = (args: readonly string[]) => Promise<AddCommand>;

/** Loads the command that the arguments begin with; for the help and for everything else, all commands in their order. */
export function commandsFor(
  commands: ReadonlyMap<string, LoadCommand>,
  [name = '', ...args]: readonly string[],
): Promise<AddCommand[]> {
  const named = commands.get(name);
  const needed = named === undefined ? [...commands.values()] : [named];
  return Promise.all(needed.map((load) => load(args)));
}

/** A group of commands, such as `user`. Its name alone is not a command line. */
export function group(name: string, description: string, commands: readonly AddCommand[]): AddCommand {
  return (cli, context) => {
    cli.command(name, description, (options) => {
      for (const add of commands) add(options, context);
      return options.demandCommand(1, `A command is missing: "ampere ${name} --help" lists them.`);
    });
  };
}

/** Adds the positional argument `jid`. */
export function jidArgument<T>(options: Argv<T>, description: string) {
  return options.positional('jid', { type: 'string', demandOption: true, describe: description });
}

/** Adds the option that selects output for programs. */
export function jsonOption<T>(options: Argv<T>) {
  return options.option('json', { type: 'boolean', default: false, describe: 'Print JSON' });
}

/** Adds the options of an export that goes to a file or to standard output. */
export function outOption<T>(options: Argv<T>) {
  return options
    .option('out', { type: 'string', requiresArg: true, describe: 'File to create; otherwise standard output' })
    .option('json', {
      type: 'boolean',
      implies: 'out',
      describe: 'Print the name of the file as JSON',
    });
}
