/** Who runs where: each has a core of its own, or both share both. */
export type CoreUse = 'one each' | 'both';

/** The cores of the server and of the generator. */
export const coresOf: Readonly<
  Record<CoreUse, { readonly server: readonly number[]; readonly generator: readonly number[] }>
> = {
  'one each': { server: [0], generator: [1] },
  both: { server: [0, 1], generator: [0, 1] },
};

/**
 * Linux shares a core fairly among sessions before it looks at `nice`: only as a session of its own, and where it is
 * allowed, a process goes before everything else on the machine. Thousands of connections need open files.
 */
const prepare = '(echo -20 >/proc/self/autogroup) 2>/dev/null; ulimit -n 20000; exec "$@"';

/** The command that runs `command` on these cores; it becomes `command`, under the same process id. */
export function onCores(cores: readonly number[], command: readonly string[]): [string, string[]] {
  return ['setsid', ['sh', '-c', prepare, 'sh', 'taskset', '-c', cores.join(), ...command]];
}
