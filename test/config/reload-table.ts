import { reloaded } from '../../src/config/reload.ts';
import type { Config } from '../../src/config/schema.ts';

/** Stands for a value of the configuration that is read again. A list holds it alone. */
const changed = '(changed)';

/** Sections whose parts are rows of their own. */
const divided: ReadonlySet<string> = new Set(['limits']);

/**
 * What a reload takes up of each section, in Markdown. `config` has every key: each value is changed, and the table says in which settings the
 * change has arrived.
 */
export function reloadTable(config: Config): string {
  const { config: after } = reloaded(config, withChanges(config) as Config);
  const rows = sectionsOf(config, after).map(([name, before, section]) => row(name, before, section));
  return `| section | at once | at the next start |\n|---|---|---|\n${rows.join('')}`;
}

type Section = readonly [name: string, before: unknown, after: unknown];

function sectionsOf(config: object, after: object, prefix = ''): Section[] {
  return Object.entries(config).flatMap(([key, value]) => {
    const section = Reflect.get(after, key);
    if (key.startsWith('$')) return [];
    return divided.has(key) ? sectionsOf(value, section, `${key}.`) : [[`${prefix}${key}`, value, section] as const];
  });
}

function row(name: string, before: unknown, after: unknown): string {
  if (isChanged(after)) return `| \`${name}\` | all | |\n`;
  const settings = isGroup(before) ? Object.keys(before) : [];
  const taken = settings.filter((key) => isGroup(after) && isTaken(after[key]));
  if (taken.length === 0) return `| \`${name}\` | | all |\n`;
  const left = settings.filter((key) => !taken.includes(key));
  if (left.length === 0) return `| \`${name}\` | all | |\n`;
  const [most, names] = taken.length > left.length ? ['the others', left] : [listed(taken), left];
  return `| \`${name}\` | ${most} | ${most === 'the others' ? listed(names) : 'the others'} |\n`;
}

/** Whether every value inside was changed. */
function isTaken(value: unknown): boolean {
  return isGroup(value) ? Object.values(value).every(isTaken) : isChanged(value);
}

function isChanged(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 1 && value[0] === changed : value === changed;
}

function listed(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}

/** The value with every innermost setting changed; a list is one setting. */
function withChanges(value: unknown): unknown {
  if (Array.isArray(value)) return [changed];
  if (!isGroup(value)) return changed;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withChanges(member)]));
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
