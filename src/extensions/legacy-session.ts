import { ns } from '../protocol/namespaces.ts';
import type { Extension } from '../routing/extension.ts';
import { xml } from '../xml/element.ts';

/** The session request of RFC 3921 §3, which RFC 6121 dropped. Older clients need it. */
export function legacySession(): Extension {
  const feature = () => xml('session', { xmlns: ns.session }, xml('optional', { xmlns: ns.session }));
  return {
    name: 'legacy-session',
    claims: [{ spec: 'RFC 3921', title: 'XMPP: Instant Messaging', status: 'partial', note: '§3, for older clients' }],
    streamFeatures: (stage) => (stage === 'authenticated' ? [feature()] : []),
    iq: [{ name: 'session', ns: ns.session, type: 'set', scopes: ['server', 'self'], handle: () => undefined }],
  };
}
