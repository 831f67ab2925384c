import type { Cli } from '../cli.ts';
import { type Context, printLines } from '../context.ts';

/** The parser of the command line lists what can follow, with descriptions if it believes that the shell is zsh. */
const list = (shell: string) => `SHELL=${shell} ZSH_NAME= ampere --get-yargs-completions`;

const scripts = {
  bash: `# eval "$(ampere completion bash)"
_ampere() {
  local IFS=$'\\n' word="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=($(compgen -W "$(${list('bash')} "\${COMP_WORDS[@]:0:COMP_CWORD}" "$word" 2>/dev/null)" -- "$word"))
}
complete -o default -F _ampere ampere`,
  zsh: `#compdef ampere
# eval "$(ampere completion zsh)"
_ampere() {
  local -a found
  found=("\${(@f)$(${list('zsh')} "\${words[@]:0:$CURRENT}" 2>/dev/null)}")
  if [[ -n "\${found[*]}" ]]; then _describe 'ampere' found; else _files; fi
}
compdef _ampere ampere`,
  fish: `# ampere completion fish > ~/.config/fish/completions/ampere.fish
function __ampere
  set -l words (commandline -opc) (commandline -ct)
  env ${list('zsh')} $words 2>/dev/null | string replace -r '(?<!\\\\\\\\):' \\t | string replace -a '\\\\:' :
end
complete -c ampere -a '(__ampere)'`,
} as const;

/** Adds `completion`. */
export function completionCommand(cli: Cli, context: Context): void {
  cli.command(
    'completion <shell>',
    'Print a script that completes commands and options in a shell',
    (options) =>
      options.positional('shell', {
        choices: ['bash', 'zsh', 'fish'] as const,
        demandOption: true,
        describe: 'The shell',
      }),
    ({ shell }) => printLines(context, [scripts[shell]]),
  );
}
