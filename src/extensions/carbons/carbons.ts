import { looksLikeCarbon } from '../../protocol/carbon.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { Extension, IqRequest } from '../../routing/extension.ts';
import type { Session } from '../../routing/session.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import { CarbonCopies, carbonsInterest } from './carbon-copies.ts';

/** Message Carbons (XEP-0280): all devices of a user see the whole conversation. */
export function carbons(sessions: Pick<SessionDirectory, 'of'>): Extension {
  const copies = new CarbonCopies(sessions);
  const own = { ns: ns.carbons, type: 'set', scopes: ['self'] } as const;
  const others = { ns: ns.carbons, type: 'set', scopes: ['other'], handle: refuse } as const;
  return {
    name: 'carbons',
    claims: [{ spec: 'XEP-0280', title: 'Message Carbons', version: '1.0.1', status: 'complete' }],
    disco: { domain: [ns.carbons, ns.carbonRules] },
    iq: [
      { ...own, name: 'enable', handle: ({ session }) => enable(session) },
      { ...own, name: 'disable', handle: ({ session }) => disable(session) },
      { ...others, name: 'enable' },
      { ...others, name: 'disable' },
    ],
    sessionFeatures: [{ name: 'enable', ns: ns.carbons, enable }],
    filter: { outbound: refuseForged },
    record: (passage) => copies.record(passage),
  };
}

function enable(session: Session | undefined): undefined {
  session?.interests.add(carbonsInterest);
}

function disable(session: Session | undefined): undefined {
  session?.interests.delete(carbonsInterest);
}

/** XEP-0280 §4.1, §5.1; the answer is the same for an address without an account. */
function refuse(_request: IqRequest): never {
  throw StanzaError.notAllowed();
}

/** To the user's own account it would look like a carbon of the server. Those of strangers are recognized by their sender (XEP-0280 §11). */
function refuseForged({ kind, to, payload }: Stanza, sender: Account): StanzaError | undefined {
  if (kind !== 'message' || !looksLikeCarbon(payload)) return undefined;
  if (to && !to.bare().equals(sender.jid)) return undefined;
  return StanzaError.policyViolation('only the server sends carbons');
}
