import { ns } from '../../protocol/namespaces.ts';
import type { Extension } from '../../routing/extension.ts';
import type { Session } from '../../routing/session.ts';
import { xml } from '../../xml/element.ts';
import { InactiveFilter } from './inactive-filter.ts';

const inactive = { name: 'inactive', ns: ns.clientState };
const active = { name: 'active', ns: ns.clientState };

/** Client State Indication (XEP-0352): delays stanzas that do not matter to an inactive client. */
export function clientState(): Extension {
  return {
    name: 'client-state',
    claims: [{ spec: 'XEP-0352', title: 'Client State Indication', version: '1.0.0', status: 'complete' }],
    streamFeatures: (stage) => (stage === 'authenticated' ? [xml('csi', { xmlns: ns.clientState })] : []),
    nonzas: [
      { ...inactive, handle: sleep },
      { ...active, handle: wake },
    ],
    sessionFeatures: [
      { ...inactive, enable: sleep },
      { ...active, enable: wake },
    ],
  };
}

function sleep(session: Session): void {
  session.filter ??= new InactiveFilter();
}

/** XEP-0352 §5.1: waiting stanzas are sent before the answers to the client's next requests. */
function wake(session: Session): void {
  const waiting = session.filter?.release() ?? [];
  session.filter = undefined;
  for (const stanza of waiting) session.send(stanza);
}
