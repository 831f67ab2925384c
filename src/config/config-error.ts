import type { Position } from './json-text.ts';

/** A fault in a configuration file. */
export interface Problem extends Position {
  /** Its path, as in `listen.c2s[0].port`; '' for the whole file. */
  readonly path: string;
  readonly message: string;
}

/** A configuration that cannot be used, with all its faults. */
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
