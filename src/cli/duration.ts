import { CommandError, exitCodes } from './exit-codes.ts';

const unitsMs = new Map([
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** Parses a duration such as 90s, 10m, 2h or 1d into milliseconds. */
export function durationMs(option: string, text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const unitMs = unitsMs.get(unit);
  if (unitMs !== undefined) return Number(digits) * unitMs;
  throw new CommandError(
    exitCodes.usage,
    `--${option} must be a number with a unit (s, m, h or d), such as 10m, not ${text}.`,
  );
}
