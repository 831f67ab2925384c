import { ClientSession } from '../../c2s/client-session.ts';
import type { Session } from '../../routing/session.ts';
import type { SessionReport } from './operations.ts';

/** A session as it is shown to the operator; where it comes from is known of those of this process only. */
export function sessionReport(session: Session): SessionReport {
  const { jid, presence } = session;
  const report = { jid: jid.toString(), available: presence.available !== undefined, priority: presence.priority };
  if (!(session instanceof ClientSession)) return report;
  const { boundAtMs, stream } = session;
  return { ...report, boundAtMs, remoteAddress: stream?.remoteAddress, secure: stream?.secure };
}
