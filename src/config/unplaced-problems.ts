import { z } from 'zod';
import type { JsonPath } from './json-text.ts';
import { suggestion } from './suggestion.ts';

/** A fault at a path of a configuration, before its line is known. */
export interface UnplacedProblem {
  readonly path: JsonPath;
  readonly at: 'key' | 'value';
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** A schema's issues, in words for the author of the file. */
export function schemaProblems(issues: readonly Issue[], schema: z.ZodType, value: unknown): UnplacedProblem[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(issue.path, key, schema));
    if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => problem(issue.path, 'key', message));
    return [problem(issue.path, 'value', messageOf(issue, valueAt(value, issue.path)))];
  });
}

/** A path in its usual notation, `listen.c2s[0].port`. */
export function pathText(path: JsonPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    const key = String(step);
    if (!/^[$\w]+$/.test(key)) return `${text}[${JSON.stringify(key)}]`;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

function problem(path: JsonPath, at: UnplacedProblem['at'], message: string): UnplacedProblem {
  return { path, at, message };
}

function unknownKey(parent: JsonPath, key: string, schema: z.ZodType): UnplacedProblem {
  const meant = suggestion(key, keysAt(schema, parent)) ?? elsewhere(key, schema);
  const message = meant === undefined ? 'unknown key' : `unknown key; did you mean ${JSON.stringify(meant)}?`;
  return problem([...parent, key], 'key', message);
}

/** The full path of a key's name if only one place of the schema has it. */
function elsewhere(key: string, schema: z.ZodType): string | undefined {
  const same = allKeyPaths(schema, []).filter((path) => path.at(-1) === key);
  return same.length === 1 && same[0] !== undefined ? pathText(same[0]) : undefined;
}

function allKeyPaths(schema: z.ZodType, path: JsonPath): JsonPath[] {
  return keysAt(schema, path).flatMap((key) => [[...path, key], ...allKeyPaths(schema, [...path, key])]);
}

function keysAt(schema: z.ZodType, path: JsonPath): string[] {
  let within: unknown = unwrapped(schema);
  for (const step of path) {
    if (within instanceof z.ZodObject) within = unwrapped(within.shape[String(step)]);
    else if (within instanceof z.ZodArray) within = unwrapped(within.element);
    else if (within instanceof z.ZodRecord) within = unwrapped(within.valueType);
  }
  return within instanceof z.ZodObject ? Object.keys(within.shape) : [];
}

/** The schema inside defaults and transformations. */
function unwrapped(schema: unknown): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return unwrapped(schema.unwrap());
  if (schema instanceof z.ZodExactOptional) return unwrapped(schema.unwrap());
  return schema instanceof z.ZodPipe ? unwrapped(schema.in) : schema;
}

function valueAt(value: unknown, path: JsonPath): unknown {
  return path.reduce<unknown>((within, step) => {
    return typeof within === 'object' && within !== null ? Reflect.get(within, step) : undefined;
  }, value);
}

function messageOf(issue: Issue, value: unknown): string {
  if (value === undefined) return 'is required';
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected, value);
    case 'too_small':
      return tooSmall(issue, value);
    case 'too_big':
      return `must be at most ${issue.maximum}, not ${String(value)}`;
    case 'invalid_value':
      return notOneOf(issue.values.map(String), value);
    default:
      return issue.message;
  }
}

const typeNames = new Map([
  ['string', 'a string'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'an object'],
  ['record', 'an object'],
  ['null', 'null'],
]);

function wrongType(expected: string, value: unknown): string {
  if (expected === 'int') return `must be a whole number, not ${String(value)}`;
  const wanted = expected === 'number' ? 'a whole number' : typeNames.get(expected);
  return `must be ${wanted ?? expected}, not ${typeNames.get(jsonType(value))}`;
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function tooSmall(issue: z.core.$ZodIssueTooSmall, value: unknown): string {
  if (issue.origin === 'string' || issue.origin === 'array') return 'must not be empty';
  return `must be at least ${issue.minimum}, not ${String(value)}`;
}

function notOneOf(allowed: readonly string[], value: unknown): string {
  const list = allowed.map((name) => JSON.stringify(name)).join(', ');
  const meant = typeof value === 'string' ? suggestion(value, allowed) : undefined;
  return `must be one of ${list}${meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`}`;
}
