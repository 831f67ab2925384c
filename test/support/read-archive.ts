import type { TestClient } from './test-client.ts';
import { childOf, type Tree } from './xml-tree.ts';

const mam = 'urn:xmpp:mam:2';

/** A message in an archive. */
export interface ArchivedEntry {
  readonly id: string;
  readonly message: Tree;
}

/** Reads the whole archive of a client's account, page by page (XEP-0313 §4). Other stanzas that come meanwhile are dropped. */
export async function readArchive(client: TestClient, pageSize = 250): Promise<ArchivedEntry[]> {
  const entries: ArchivedEntry[] = [];
  for (let page = 0; ; page++) {
    const after = entries.length > 0 ? `<after>${entries.at(-1)?.id}</after>` : '';
    const set = `<set xmlns="http://jabber.org/protocol/rsm"><max>${pageSize}</max>${after}</set>`;
    client.sends(`<iq type="set" id="page-${page}"><query xmlns="${mam}">${set}</query></iq>`);
    const { found, fin } = await pageOf(client, `page-${page}`);
    entries.push(...found);
    if (fin.attributes.get('complete') === 'true') return entries;
  }
}

async function pageOf(client: TestClient, id: string): Promise<{ found: ArchivedEntry[]; fin: Tree }> {
  const found: ArchivedEntry[] = [];
  for (;;) {
    const arrival = await client.connection.next('a page of the archive');
    if (arrival.kind !== 'element') throw new Error('the connection was lost');
    const { tree } = arrival;
    const result = childOf(tree, 'result');
    const message = result && childOf(childOf(result, 'forwarded') ?? result, 'message');
    if (message) found.push({ id: result.attributes.get('id') ?? '', message });
    if (tree.attributes.get('id') !== id) continue;
    const fin = childOf(tree, 'fin');
    if (!fin) throw new Error(`the archive was not read: ${tree.raw}`);
    return { found, fin };
  }
}
