import type { TestClient } from './test-client.ts';
import { childOf, type Tree } from './xml-tree.ts';

const mam = 'urn:xmpp:mam:2';

/** A message in an archive. */
export interface ArchivedEntry {
  readonly id: string;
  readonly message: Tree;
}

/** One page of an archive. */
export interface ArchivePage {
  readonly found: readonly ArchivedEntry[];
  readonly complete: boolean;
}

/** Reads the whole archive of a client's account, page by page (XEP-0313 §4). Other stanzas that come meanwhile are dropped. */
export async function readArchive(client: TestClient, pageSize = 250): Promise<ArchivedEntry[]> {
  const entries: ArchivedEntry[] = [];
  for (;;) {
    const after = entries.length > 0 ? `<after>${entries.at(-1)?.id}</after>` : '';
    const { found, complete } = await readPage(client, `<max>${pageSize}</max>${after}`);
    entries.push(...found);
    if (complete) return entries;
  }
}

let pages = 0;

/** Reads the page of an archive that a result set (XEP-0059) describes. */
export async function readPage(client: TestClient, set: string): Promise<ArchivePage> {
  const id = `page-${++pages}`;
  const query = `<query xmlns="${mam}"><set xmlns="http://jabber.org/protocol/rsm">${set}</set></query>`;
  client.sends(`<iq type="set" id="${id}">${query}</iq>`);
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
    return { found, complete: fin.attributes.get('complete') === 'true' };
  }
}
