import { ns } from '../../protocol/namespaces.ts';
import { xml } from '../../xml/element.ts';
import type { StreamLimits } from '../stream-limits.ts';
import type { StreamFeature } from './stream-feature.ts';

/** Tells the client how large its stanzas and how long its silences may be (XEP-0478); nothing to negotiate. */
export function advertisedLimits(limits: StreamLimits): StreamFeature {
  return {
    name: 'stream-limits',
    exclusive: false,
    needs: () => true,
    offer: ({ identity }) => [
      xml(
        'limits',
        { xmlns: ns.streamLimits },
        xml(
          'max-bytes',
          { xmlns: ns.streamLimits },
          String((identity ? limits.xml : limits.unauthenticatedXml).maxBytes),
        ),
        identity && xml('idle-seconds', { xmlns: ns.streamLimits }, String(Math.floor(limits.idlePingAfterMs / 1000))),
      ),
    ],
    handles: () => false,
    negotiate: () => undefined,
  };
}
