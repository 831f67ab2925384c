import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Results, readResults } from '../results.ts';
import { messagesChart } from './chart.ts';
import { goalTable } from './goals.ts';
import { sections } from './sections.ts';
import { machineText } from './tables.ts';

const makers: Readonly<Record<string, (results: Results) => string>> = {
  machine: machineText,
  goals: goalTable,
  ...sections,
};

/** The document with everything between its markers made anew. */
export function withResults(document: string, results: Results): string {
  return document.replace(/(<!-- results: (\w+) -->\n).*?(<!-- end -->)/gs, (_, open, name, close) => {
    const make = makers[name];
    if (!make) throw new Error(`docs/performance.md asks for ${name}, which nobody makes`);
    return `${open}\n${make(results)}\n${close}`;
  });
}

/** Writes the results into docs/performance.md and its chart. */
export async function updateDocument(documents: string): Promise<void> {
  const results = await readResults(join(documents, 'performance/results.json'));
  if (!results) throw new Error('there are no results yet');
  const file = join(documents, 'performance.md');
  await writeFile(file, withResults(await readFile(file, 'utf8'), results));
  await writeFile(join(documents, 'performance/messages.svg'), messagesChart(results));
}
