import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes a configuration file from the template of this directory; `@NAME@` is replaced by the value of that name. */
export async function fillTemplate(
  name: string,
  target: string,
  values: Readonly<Record<string, string | number>>,
): Promise<void> {
  const template = await readFile(join(import.meta.dirname, name), 'utf8');
  const text = template.replace(/@([A-Z]+)@/g, (_, key: string) => String(values[key]));
  await writeFile(target, text);
}
