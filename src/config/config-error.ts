import type { Position } from './json-text.ts';

/** One thing that is wrong with a configuration file. */
export interface Problem extends Position {
  /** The keys that lead to it, as in `listen.c2s[0].port`; '' for the whole file. */
  readonly path: string;
  readonly message: string;
}

/** A configuration that cannot be used, with everything that is wrong with it. */
export class ConfigError extends Error {
  readonly file: string;
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[]) {
    super(problems.map((problem) => lineFor(file, problem)).join('\n'));
    this.name = 'ConfigError';
    this.file = file;
    this.problems = problems;
  }
}

function lineFor(file: string, { path, line, column, message }: Problem): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`;
}
