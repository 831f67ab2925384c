import { ns } from '../../protocol/namespaces.ts';
import type { Extension } from '../../routing/extension.ts';
import { StoredMessages, type StoredMessagesDeps } from './stored-messages.ts';

/** Offline messages (XEP-0160): stored when no session can take them, sent to the next session that can. */
export function offline(deps: StoredMessagesDeps): Extension {
  const messages = new StoredMessages(deps);
  return {
    name: 'offline',
    claims: [
      {
        spec: 'XEP-0160',
        title: 'Best Practices for Handling Offline Messages',
        version: '1.0.1',
        status: 'complete',
        note: 'a message is forgotten only when the client has answered for it',
      },
      { spec: 'XEP-0203', title: 'Delayed Delivery', version: '2.0', status: 'complete' },
    ],
    disco: { domain: messages.keepsAny ? [ns.messageOffline] : [] },
    messageStore: messages,
    readyForMessages: (session) => messages.available(session),
    ended: (session) => messages.ended(session),
  };
}
