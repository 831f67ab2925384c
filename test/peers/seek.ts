import type { TestClient } from '../support/test-client.ts';
import { difference } from '../support/xml-pattern.ts';
import { parseTree } from '../support/xml-tree.ts';

const most = 50;

/**
 * Waits until an element has come for every pattern, whatever their order; what else comes is passed over, because servers say
 * different things besides.
 */
export async function seek(client: TestClient, ...patterns: string[]): Promise<void> {
  const wanted = patterns.map(parseTree);
  const passed: string[] = [];
  for (let n = 0; n < most; n++) {
    const tree = await client.receives('<any. xmlns="*">...</any.>').catch((error: unknown) => {
      throw new Error(`${client.jid} waited for ${patterns.join('\n')}\nand got\n${passed.join('\n')}`, {
        cause: error,
      });
    });
    passed.push(tree.raw);
    const found = wanted.findIndex((pattern) => difference(pattern, tree) === undefined);
    if (found >= 0) wanted.splice(found, 1);
    if (wanted.length === 0) return;
  }
  throw new Error(`${client.jid} waited for ${patterns.join('\n')}\nand got\n${passed.join('\n')}`);
}
