import { itemJid } from '../../protocol/item-jid.ts';
import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { Extension, IqRequest } from '../../routing/extension.ts';
import type { ExtensionHooks } from '../../routing/extension-hooks.ts';
import { accountShownTo } from '../../routing/visibility.ts';
import { childElements, type Element, nsOf, xml } from '../../xml/element.ts';
import { blockFilter } from './block-filter.ts';
import { BlockListChanges, type BlockListDeps, blockListInterest, itemElements } from './block-list-changes.ts';

/** Dependencies of blocking. */
interface BlockingDeps extends BlockListDeps {
  readonly hooks: Pick<ExtensionHooks, 'blocked'>;
}

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
      { ...own, name: 'block', type: 'set', handle: (request) => block(request, changes, deps.hooks) },
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
async function block(request: IqRequest, changes: BlockListChanges, hooks: BlockingDeps['hooks']): Promise<undefined> {
  const account: Account = accountShownTo(request);
  const items = readItems(request.payload);
  if (items.length === 0) throw StanzaError.badRequest('the request names no address to block');
  await changes.add(account, jidsOf(items));
  for (const { jid, item } of items) await hooks.blocked(account, jid, item);
  return undefined;
}

/** XEP-0191 §3.4, §3.5: without items it unblocks all addresses. */
async function unblock(request: IqRequest, changes: BlockListChanges): Promise<undefined> {
  const account: Account = accountShownTo(request);
  const items = readItems(request.payload);
  if (items.length > 0) await changes.remove(account, jidsOf(items));
  else await changes.clear(account);
  return undefined;
}

function readItems(command: Element): { readonly jid: Jid; readonly item: Element }[] {
  return childElements(command).map((item) => {
    if (item.getName() !== 'item' || nsOf(item) !== ns.blocking) throw StanzaError.badRequest('expected an <item/>');
    return { jid: itemJid(item), item };
  });
}

function jidsOf(items: readonly { readonly jid: Jid }[]): Jid[] {
  return items.map(({ jid }) => jid);
}
