import type { Argv } from 'yargs';
import { parseDateTime } from '../protocol/date-time.ts';
import type { Context } from './context.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { Progress } from './progress.ts';

/** Messages that one request removes: a second or so of work. */
const removedByRequest = 20_000;

/** Adds the option that limits a removal to old messages. */
export function beforeOption<Options>(options: Argv<Options>) {
  return options.option('before', {
    type: 'string',
    requiresArg: true,
    describe: 'Remove only messages before this date or time (UTC), such as 2026-01-31',
  });
}

/** The time in the value of that option, in milliseconds since 1970. Throws CommandError. */
export function timeIn(text: string): number {
  const time = parseDateTime(text) ?? parseDateTime(`${text}T00:00:00Z`);
  if (time !== undefined) return time;
  throw new CommandError(
    exitCodes.usage,
    `--before must be a date or a time such as 2026-01-31 or 2026-01-31T12:00:00Z, not ${text}.`,
  );
}

/** How many messages were removed from an archive. */
export function removedLine(removed: number, archive: string): string {
  return `${removed} ${removed === 1 ? 'message was' : 'messages were'} removed from the archive of ${archive}.`;
}

/**
 * Removes messages of an archive by one request after another, each of at least as many as it is told if there are so many, and says how far it is. Ctrl-C
 * ends this between two requests. Returns the number of messages.
 */
export async function purgeInSteps(
  context: Pick<Context, 'stderr'>,
  remove: (atLeast: number) => Promise<{ readonly removed: number }>,
): Promise<number> {
  const progress = new Progress(context, 'messages removed');
  let all = 0;
  try {
    for (;;) {
      const { removed } = await remove(removedByRequest);
      all += removed;
      if (removed < removedByRequest) return all;
      progress.step(removed);
    }
  } finally {
    progress.end();
  }
}
