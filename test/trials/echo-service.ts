import { ns } from '../../src/protocol/namespaces.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import type { Extension } from '../../src/routing/extension.ts';
import type { MaybePromise } from '../../src/routing/maybe-promise.ts';
import { xml } from '../../src/xml/element.ts';

/** A service that sends every message back, and says what time it thinks it is. */
export function echoService(domain: string, route: (stanza: Stanza) => MaybePromise<void>): Extension {
  const identities = [{ category: 'client', type: 'bot', name: 'Echo' }];
  return {
    name: 'trial-echo',
    claims: [],
    services: [
      {
        domain,
        name: 'Echo',
        scopeOf: () => 'service',
        iq: [
          {
            name: 'time',
            ns: ns.time,
            type: 'get',
            scopes: ['service'],
            handle: () => xml('time', { xmlns: ns.time }),
          },
        ],
        disco: { scopes: ['service'], info: () => ({ identities, features: [ns.time] }) },
        message: (message) => route(message.with({ from: message.to, to: message.from })),
      },
    ],
  };
}
