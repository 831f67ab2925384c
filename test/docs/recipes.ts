import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One thing that happens in a recipe: a sentence in bold, and the block that follows one that ends with a colon. */
export interface Step {
  readonly sentence: string;
  readonly block: string;
}

/** A recipe of a document: a heading of the third level below "Recipes", with steps under it. */
export interface Recipe {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** A line that is nothing but a bold sentence, or a fenced block. */
const step = /^\*\*([^*]+)([.:])\*\*$|^```\w+\n(.*?)^```$/gms;

/** Reads the recipes of a document under docs/. */
export function recipesOf(document: string): Recipe[] {
  const text = readFileSync(join(import.meta.dirname, '../../docs', document), 'utf8');
  const [, recipes = ''] = /^## Recipes$(.*?)^## /ms.exec(text) ?? [];
  return recipes
    .split(/^### /m)
    .slice(1)
    .map((section) => ({ title: section.slice(0, section.indexOf('\n')), steps: stepsOf(section) }));
}

function stepsOf(section: string): Step[] {
  const steps: Step[] = [];
  let announced: string | undefined;
  for (const [, sentence, end, block] of section.matchAll(step)) {
    if (block === undefined && announced !== undefined) throw new Error(`nothing follows "${announced}:"`);
    if (end === '.') steps.push({ sentence: sentence ?? '', block: '' });
    else if (end === ':') announced = sentence;
    else if (announced === undefined) throw new Error(`nobody says who sends or gets ${block}`);
    else {
      steps.push({ sentence: announced, block: block ?? '' });
      announced = undefined;
    }
  }
  return steps;
}
