import { harmless } from '../context.ts';

/** The result of an import. */
export interface ImportSummary {
  readonly created: number;
  /** What existed already and stays unchanged. */
  readonly skipped: readonly string[];
  readonly problems: readonly { readonly place: string; readonly problem: string }[];
  /** Parts of what was imported that were left out. */
  readonly losses: readonly { readonly place: string; readonly loss: string }[];
}

/** Lines shown of each kind. --json shows all. */
const linesShown = 20;

/** An import as people read it. */
export function importReport({ created, skipped, problems, losses }: ImportSummary): string[] {
  return [
    ...shortened(problems.map(({ place, problem }) => `${harmless(place)}: ${harmless(problem)}`)),
    ...shortened(losses.map(({ place, loss }) => `${harmless(place)}: left out: ${harmless(loss)}`)),
    `${created} created, ${skipped.length} skipped because they exist, ${problems.length} not imported.`,
  ];
}

function shortened(lines: readonly string[]): string[] {
  const more = lines.length - linesShown;
  return more > 0 ? [...lines.slice(0, linesShown), `… and ${more} more; --json shows all`] : [...lines];
}
