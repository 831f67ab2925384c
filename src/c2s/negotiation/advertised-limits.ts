import { ns } from '../../protocol/namespaces.ts';
import type { StreamLimits } from '../../streams/stream-limits.ts';
import { type Element, xml } from '../../xml/element.ts';
import type { StreamFeature } from './stream-feature.ts';

/** How large stanzas, and how long silences may be (XEP-0478 §4). */
export function limitsElement(maxBytes: number, idleMs?: number): Element {
  return xml(
    'limits',
    { xmlns: ns.streamLimits },
    xml('max-bytes', {}, String(maxBytes)),
    idleMs === undefined ? undefined : xml('idle-seconds', {}, String(Math.floor(idleMs / 1000))),
  );
}

/** Tells the client how large its stanzas and how long its silences may be (XEP-0478); nothing to negotiate. */
export function advertisedLimits(limits: StreamLimits): StreamFeature {
  return {
    name: 'stream-limits',
    exclusive: false,
    needs: () => true,
    offer: ({ identity }) => [
      identity
        ? limitsElement(limits.xml.maxBytes, limits.idlePingAfterMs)
        : limitsElement(limits.unauthenticatedXml.maxBytes),
    ],
    handles: () => false,
    negotiate: () => undefined,
  };
}
