import { readFileSync } from 'node:fs';

/** The version in package.json. The path is right for sources and for the build, which have the same depth in the project. */
export function packageVersion(): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return version;
}
