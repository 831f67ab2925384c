import { dirname, resolve } from 'node:path';
import { ConfigError, type Problem } from './config-error.ts';
import { readConfigFile } from './config-file.ts';
import { crossChecks } from './cross-checks.ts';
import type { Origin } from './fields.ts';
import type { JsonText } from './json-text.ts';
import { type Config, configSchema } from './schema.ts';
import { pathText, schemaProblems, type UnplacedProblem } from './unplaced-problems.ts';

type Environment = Origin['environment'];

/** Reads and checks a configuration file; without one, returns the default. Throws `ConfigError` with all faults. */
export function loadConfig(file?: string, environment: Environment = process.env): Config {
  if (file === undefined) return defaultConfig();
  const origin = { directory: dirname(resolve(file)), environment };
  const text = readConfigFile(file);
  const parsed = configSchema(origin).safeParse(text.value);
  const unplaced = [
    ...(parsed.success ? [] : schemaProblems(parsed.error.issues, configSchema(origin), text.value)),
    ...crossChecks(text.value, origin),
  ];
  const problems = [...repeatedKeys(text), ...unplaced.map((problem) => placed(problem, text))];
  if (problems.length > 0 || !parsed.success) throw new ConfigError(file, problems.toSorted(byPosition));
  return deepFrozen(parsed.data);
}

/** The configuration without a file: `localhost`, on loopback, with the data in the working directory. */
export function defaultConfig(directory: string = process.cwd()): Config {
  return deepFrozen(configSchema({ directory, environment: {} }).parse({}));
}

function repeatedKeys({ repeatedKeys }: JsonText): Problem[] {
  return repeatedKeys.map(({ path, position }) => ({
    path: pathText(path),
    ...position,
    message: 'occurs more than once in its object',
  }));
}

function placed({ path, at, message }: UnplacedProblem, text: JsonText): Problem {
  const position = at === 'key' ? text.positionOfKey(path) : text.positionOfValue(path);
  return { path: pathText(path), ...position, message };
}

function byPosition(one: Problem, other: Problem): number {
  return one.line - other.line || one.column - other.column;
}

function deepFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) deepFrozen(member);
  return Object.freeze(value);
}
