import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

const root = join(import.meta.dirname, '../..');
/** Fields of an extension that describe it and call nothing. */
const descriptive = ['name', 'claims'];

const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** The members of an interface in `src/routing/extension.ts`. */
function membersOf(name: string): string[] {
  const [, body = ''] =
    new RegExp(`^export interface ${name}\\b.*?\\{\n(.*?)^\\}`, 'ms').exec(read('src/routing/extension.ts')) ?? [];
  return Array.from(body.matchAll(/^ {2}(?:readonly )?(\w+)\??[(:]/gm), ([, member = '']) => member);
}

/** What the first column of the table of hooks names. */
function documented(): string[] {
  const [, section = ''] = /^### The hooks\n(.*?)^#/ms.exec(read('docs/architecture.md')) ?? [];
  return Array.from(section.matchAll(/^\| `([\w.]+)` \|/gm), ([, hook = '']) => hook);
}

describe('the table of hooks in docs/architecture.md', () => {
  it('names every hook of an extension, once', () => {
    const plain = membersOf('Extension').filter((one) => one !== 'presence' && !descriptive.includes(one));
    const presence = membersOf('PresenceHook').map((one) => `presence.${one}`);
    expect(presence).to.include('presence.announced');
    expect(documented().sort()).to.deep.equal([...plain, ...presence].sort());
  });
});
