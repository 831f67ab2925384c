import type { TestClient } from '../support/test-client.ts';
import { difference } from '../support/xml-pattern.ts';
import { parseTree, type Tree } from '../support/xml-tree.ts';

const most = 50;

/** Waits for the next element that fits the pattern; what comes before is passed over, because servers say different things besides. */
export async function seek(client: TestClient, pattern: string): Promise<Tree> {
  const wanted = parseTree(pattern);
  const passed: string[] = [];
  for (let n = 0; n < most; n++) {
    const tree = await client.receives('<any. xmlns="*">...</any.>').catch((error: unknown) => {
      throw new Error(`${client.jid} waited for ${pattern}\n${passed.join('\n')}`, { cause: error });
    });
    if (difference(wanted, tree) === undefined) return tree;
    passed.push(tree.raw);
  }
  throw new Error(`${client.jid} waited for ${pattern}\n${passed.join('\n')}`);
}
