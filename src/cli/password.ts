import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Argv } from 'yargs';
import type { Context } from './context.ts';
import { CommandError, exitCodes } from './exit-codes.ts';

/** The options for a password. */
interface PasswordOptions {
  readonly password: string | undefined;
  readonly passwordStdin: boolean | undefined;
}

/** Adds the options of a command that takes a password. */
export function passwordOptions<T>(options: Argv<T>) {
  return options
    .option('password', {
      type: 'string',
      requiresArg: true,
      describe: 'The password; other users of this machine may see it',
    })
    .option('password-stdin', { type: 'boolean', describe: 'Read the password from the first line of standard input' })
    .conflicts('password', 'password-stdin');
}

/** The password from the options, or typed at the terminal. */
export async function passwordFrom(context: Context, options: PasswordOptions): Promise<string> {
  if (options.password !== undefined) return options.password;
  if (options.passwordStdin === true) return firstLine(await text(context.stdin));
  if (context.stdin.isTTY !== true) {
    throw new CommandError(
      exitCodes.usage,
      'Give the password with --password-stdin, or run this command in a terminal.',
    );
  }
  const password = await ask(context, 'Password: ');
  if ((await ask(context, 'Repeat the password: ')) === password) return password;
  throw new CommandError(exitCodes.usage, 'The passwords differ.');
}

function firstLine(content: string): string {
  const [line = ''] = content.split('\n', 1);
  return line.replace(/\r$/, '');
}

/** Reads a line from the terminal without echo. */
function ask({ stdin, stderr }: Context, question: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 });
  stderr.write(question);
  terminal.once('line', resolve);
  terminal.once('close', () => reject(new CommandError(exitCodes.failed, 'No password was given.')));
  return promise.finally(() => {
    terminal.close();
    stderr.write('\n');
  });
}
