/** The server has this core to itself. */
export const serverCore = 0;
/** The generator has this one. */
export const generatorCore = 1;

/**
 * Linux shares a core fairly among sessions before it looks at `nice`: only as a session of its own, and where it is
 * allowed, a process goes before everything else on the machine. Thousands of connections need open files.
 */
const prepare = '(echo -20 >/proc/self/autogroup) 2>/dev/null; ulimit -n 20000; exec "$@"';

/** The command that runs `command` on one core; it becomes `command`, under the same process id. */
export function onCore(core: number, command: readonly string[]): [string, string[]] {
  return ['setsid', ['sh', '-c', prepare, 'sh', 'taskset', '-c', String(core), ...command]];
}
