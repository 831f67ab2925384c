import { ns } from '../protocol/namespaces.ts';
import type { Extension } from '../routing/extension.ts';
import { accountShownTo } from '../routing/visibility.ts';

/** XMPP Ping (XEP-0199): the server answers for itself and for its accounts. */
export function ping(): Extension {
  return {
    name: 'ping',
    claims: [{ spec: 'XEP-0199', title: 'XMPP Ping', version: '2.0.1', status: 'complete' }],
    disco: { domain: [ns.ping], account: [ns.ping] },
    iq: [
      {
        name: 'ping',
        ns: ns.ping,
        type: 'get',
        scopes: ['server', 'self', 'other'],
        handle(request) {
          if (request.scope === 'other') accountShownTo(request);
          return undefined;
        },
      },
    ],
  };
}
