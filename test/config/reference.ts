import { z } from 'zod';
import { configSchema } from '../../src/config/schema.ts';

/** The part of JSON Schema that the schema of the configuration uses. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** A key of the configuration: its path, written `listen.c2s[].port`, and its schema. */
export interface Key {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

/** The published JSON Schema of the configuration file. */
export function jsonSchema(): JsonSchema {
  const origin = { directory: '/', environment: {} };
  const { $schema, ...rest } = z.toJSONSchema(configSchema(origin), {
    io: 'input',
    target: 'draft-7',
    override({ jsonSchema: section }) {
      // The default of a section is in the defaults of its keys.
      if (JSON.stringify(section.default) === '{}') delete section.default;
    },
  });
  return { $schema, title: 'Configuration of an Ampere server', ...rest } as JsonSchema;
}

/** Every key below a section, in the order of the schema. */
export function keysOf(section: JsonSchema, prefix: string): Key[] {
  return Object.entries(section.properties ?? {}).flatMap(([name, schema]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    return [{ path, schema, required: section.required?.includes(name) ?? false }, ...keysInside(schema, path)];
  });
}

function keysInside(schema: JsonSchema, path: string): Key[] {
  if (schema.items !== undefined) return keysOf(schema.items, `${path}[]`);
  if (typeof schema.additionalProperties === 'object') return keysOf(schema.additionalProperties, `${path}.*`);
  return keysOf(schema, path);
}

/** The reference of all keys in Markdown: one heading and one table for every top-level key. */
export function referenceTables(): string {
  const sections = Object.entries(jsonSchema().properties ?? {}).filter(([name]) => name !== '$schema');
  return sections.map(([name, section]) => sectionText(name, section)).join('\n');
}

function sectionText(name: string, section: JsonSchema): string {
  const below = keysInside(section, name).filter(({ schema }) => !isSection(schema));
  const keys = isSection(section) ? below : [{ path: name, schema: section, required: false }, ...below];
  const intro = isSection(section) ? `${section.description}\n\n` : '';
  return `### ${name}\n\n${intro}| key | value | default | |\n|---|---|---|---|\n${keys.map(row).join('')}`;
}

function isSection(schema: JsonSchema): boolean {
  return schema.properties !== undefined;
}

function row({ path, schema, required }: Key): string {
  return `| \`${path}\` | ${valueText(schema)} | ${defaultText(schema, required)} | ${schema.description} |\n`;
}

function valueText(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  const nullable = schema.anyOf?.find(({ type }) => type !== 'null');
  if (nullable && schema.anyOf?.some(({ type }) => type === 'null')) return `${valueText(nullable)}, or \`null\``;
  if (schema.anyOf !== undefined) return 'string, `{ "env": "NAME" }` or `{ "file": "path" }`';
  if (schema.type === 'integer') return `${schema.minimum} to ${schema.maximum}`;
  if (schema.type === 'array')
    return `list of ${schema.items?.enum === undefined ? `${schema.items?.type}s` : 'names'}`;
  if (schema.type === 'boolean') return '`true`, `false`';
  if (schema.type !== 'object') return `${schema.type}`;
  const { additionalProperties: of } = schema;
  return `object: domain to ${typeof of === 'object' && of.type === 'array' ? 'list of objects' : 'object'}`;
}

function defaultText(schema: JsonSchema, required: boolean): string {
  if (required) return 'required';
  if (schema.default === undefined) return '';
  if (schema.default === null) return '`null`';
  const entries = Array.isArray(schema.default) ? schema.default : [schema.default];
  if (entries.length === 0) return 'none';
  return entries.map((entry) => `\`${typeof entry === 'object' ? listenerText(entry) : entry}\``).join(', ');
}

function listenerText({ host, port }: { host: string; port: number }): string {
  return `${host} ${port}`;
}
