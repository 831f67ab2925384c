import { debianVersion } from '../bench/servers/debian-package.ts';

/** Skips what needs Debian packages that are not there, and says so. */
export function needsPackages(names: readonly string[]): void {
  before(async function () {
    const versions = await Promise.all(names.map(debianVersion));
    const missing = names.filter((_, index) => versions[index] === undefined);
    if (missing.length === 0) return console.log(`    ${names[0]} ${versions[0]}`);
    console.log(`    skipped: not installed: ${missing.join(', ')}`);
    this.skip();
  });
}
