import { readFileSync } from 'node:fs';

/** The version of this program, as package.json has it; sources and build are equally deep in the project. */
export function packageVersion(): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return version;
}
