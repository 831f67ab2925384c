import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { passwordFrom } from '../../src/cli/password.ts';

/** A terminal at which somebody types; what it shows is kept. */
function terminal(...typed: string[]) {
  const shown: string[] = [];
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  const answers = [...typed];
  const stderr = {
    write: (text: string) => {
      shown.push(text);
      // Only what is typed after the question answers it.
      if (text.endsWith(': ')) setImmediate(() => stdin.write(answers.shift() ?? '\u0004'));
    },
  };
  const context = { stdin, stdout: stderr, stderr, environment: {}, directory: '/' };
  const options = { password: undefined, passwordStdin: undefined };
  return { shown, password: passwordFrom(context, options) };
}

describe('a password typed at a terminal', () => {
  it('is asked for twice and not shown', async () => {
    const { shown, password } = terminal('pencil\r', 'pencil\r');
    expect(await password).to.equal('pencil');
    expect(shown).to.deep.equal(['Password: ', '\n', 'Repeat the password: ', '\n']);
  });

  it('can be corrected while it is typed', async () => {
    const { password } = terminal('pennn\u007f\u007fcil\r', 'pencil\r');
    expect(await password).to.equal('pencil');
  });

  it('must be the same both times', async () => {
    const { password } = terminal('pencil\r', 'pencils\r');
    expect(await password.catch(String)).to.match(/The passwords differ/);
  });

  for (const [name, key] of [
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ] as const) {
    it(`can be refused with ${name}`, async () => {
      const { password } = terminal(key);
      expect(await password.catch(String)).to.match(/No password was given/);
    });
  }
});
