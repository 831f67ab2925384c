import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Workplace } from './run.ts';

const launcher = join(import.meta.dirname, '../../bin/ampere.js');

/** What the shells complete after a line. */
const shells = {
  bash: (line: string) => [
    '-c',
    `source ./completion; COMP_WORDS=(${line.replace(/ $/, " ''")}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _ampere; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ],
  zsh: (line: string) => [
    '-fc',
    `compdef() { :; }; _files() { print files; }; _describe() { print -l -- "\${(@P)2}"; }
source ./completion; words=(${line.replace(/ $/, " ''")}); CURRENT=\${#words}; _ampere`,
  ],
  fish: (line: string) => ['--no-config', '-c', `source ./completion; complete -C '${line}'`],
} as const;

describe('The completion of the command line', () => {
  const workplace = new Workplace();

  for (const [shell, argumentsFor] of Object.entries(shells)) {
    it(`offers commands and options in ${shell}`, async function () {
      if (spawnSync(shell, ['--version']).error) this.skip();
      workplace.write('completion', await workplace.done('completion', shell));
      workplace.write('ampere', `#!/bin/sh\nexec "${process.execPath}" "${launcher}" "$@"\n`);
      chmodSync(workplace.path('ampere'), 0o755);
      const env = { ...process.env, PATH: `${workplace.directory}:${process.env['PATH']}`, HOME: workplace.directory };
      const offered = (line: string) => {
        const { stdout, stderr } = spawnSync(shell, argumentsFor(line), {
          cwd: workplace.directory,
          env,
          encoding: 'utf8',
        });
        expect(stderr).to.equal('');
        return stdout.split('\n').map((one) => one.split(/[:\t]/)[0]);
      };
      expect(offered('ampere us')).to.include('user');
      expect(offered('ampere user ')).to.include.members(['add', 'suspend']).and.not.include('start');
      expect(offered('ampere user add --')).to.include('--password-stdin');
    });
  }

  it('is refused for another shell', async () => {
    expect((await workplace.run(['completion', 'csh'])).code).to.equal(2);
  });

  it('writes scripts that an operator can read', async () => {
    for (const shell of Object.keys(shells)) {
      workplace.write(shell, await workplace.done('completion', shell));
      expect(readFileSync(workplace.path(shell), 'utf8')).to.match(/ampere completion/);
    }
  });
});
