import { ns } from '../../protocol/namespaces.ts';
import type { Account } from '../../routing/account.ts';
import type { LoadedState } from '../../routing/account-slot.ts';
import type { Claim, Extension } from '../../routing/extension.ts';
import type { PersonalNodes } from '../../routing/personal-nodes.ts';
import type { Routing } from '../../routing/routing.ts';
import type { PrivateXmlStore } from '../../storage/private-xml.ts';
import type { Log } from '../../support/log.ts';
import { BookmarkViews } from './bookmark-views.ts';

/** Dependencies of bookmarks. */
interface BookmarksDeps extends Pick<Routing, 'accounts'> {
  readonly nodes: PersonalNodes;
  readonly store: PrivateXmlStore;
  readonly log: Log;
}

/** Bookmarks: the extension, and private XML with the bookmarks in it. */
interface Bookmarks {
  readonly extension: Extension;
  readonly privateXml: Pick<PrivateXmlStore, 'get' | 'set'>;
}

const claims: readonly Claim[] = [
  { spec: 'XEP-0048', title: 'Bookmarks', version: '1.2', status: 'complete' },
  { spec: 'XEP-0402', title: 'PEP Native Bookmarks', version: '1.2.0', status: 'complete' },
  { spec: 'XEP-0411', title: 'Bookmarks Conversion', version: '1.1.0', status: 'complete' },
];

/** Bookmarks of rooms: all clients of an account share them, whichever of the three forms they know. */
export function bookmarks(deps: BookmarksDeps): Bookmarks {
  const views = new BookmarkViews(deps);
  const changed = (account: Account) => views.inBackground(views.announce(account));
  const extension: Extension = {
    name: 'bookmarks',
    claims,
    disco: { account: [ns.bookmarksCompat, ns.bookmarksCompatPep, ns.bookmarksConversion] },
    nodes: [
      { node: ns.bookmarks, changed },
      { node: ns.legacyBookmarks, view: views },
    ],
    accountSlots: [conversion(views)],
  };
  return { extension, privateXml: views.privateXml };
}

/** Converts old bookmarks when their account is loaded, before a client of the account is connected (XEP-0411 §4). */
function conversion(views: BookmarkViews): LoadedState {
  return {
    load: async (owner) => {
      const found = await views.unconverted(owner);
      return (account) => {
        if (found) views.inBackground(views.convert(account, found));
      };
    },
  };
}
