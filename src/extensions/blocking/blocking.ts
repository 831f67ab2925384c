import { itemJid } from '../../protocol/item-jid.ts';
import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { Extension, IqRequest } from '../../routing/extension.ts';
import { accountShownTo } from '../../routing/visibility.ts';
import { childElements, type Element, nsOf, xml } from '../../xml/element.ts';
import { blockFilter } from './block-filter.ts';
import { type BlockingDeps, BlockListChanges, blockListInterest, itemElements } from './block-list-changes.ts';

/** Blocking Command (XEP-0191). */
export function blocking(deps: BlockingDeps): Extension {
  const changes = new BlockListChanges(deps);
  const own = { ns: ns.blocking, scopes: ['self'] } as const;
  return {
    name: 'blocking',
    claims: [{ spec: 'XEP-0191', title: 'Blocking Command', version: '1.3', status: 'complete' }],
    disco: { domain: [ns.blocking] },
    iq: [
      { ...own, name: 'blocklist', type: 'get', handle: showList },
      { ...own, name: 'block', type: 'set', handle: (request) => block(request, changes) },
      { ...own, name: 'unblock', type: 'set', handle: (request) => unblock(request, changes) },
    ],
    filter: blockFilter,
  };
}

/** XEP-0191 §3.2. From then on the session gets pushes of changes. */
function showList(request: IqRequest): Element {
  const { blocked } = accountShownTo(request);
  request.session?.interests.add(blockListInterest);
  return xml('blocklist', { xmlns: ns.blocking }, ...itemElements(blocked));
}

/** XEP-0191 §3.3. */
async function block(request: IqRequest, changes: BlockListChanges): Promise<undefined> {
  const account: Account = accountShownTo(request);
  const jids = readItems(request.payload);
  if (jids.length === 0) throw StanzaError.badRequest('the request names no address to block');
  await changes.add(account, jids);
  return undefined;
}

/** XEP-0191 §3.4, §3.5: without items it unblocks all addresses. */
async function unblock(request: IqRequest, changes: BlockListChanges): Promise<undefined> {
  const account: Account = accountShownTo(request);
  const jids = readItems(request.payload);
  if (jids.length > 0) await changes.remove(account, jids);
  else await changes.clear(account);
  return undefined;
}

function readItems(command: Element): Jid[] {
  return childElements(command).map((item) => {
    if (item.getName() !== 'item' || nsOf(item) !== ns.blocking) throw StanzaError.badRequest('expected an <item/>');
    return itemJid(item);
  });
}
