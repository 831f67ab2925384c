import { z } from 'zod';
import { ClientSession } from '../../c2s/client-session.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import { operation, operatorAddress } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { Session } from '../../routing/session.ts';
import type { RunningServer } from './running-server.ts';
import { accountAddress } from './served-domains.ts';

const text = z.string().min(1);

/** A session, for the operator. The connection is known only for client sessions of this process. */
export interface SessionReport {
  readonly jid: string;
  readonly available: boolean;
  readonly priority: number;
  readonly boundAtMs?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly secure?: boolean | undefined;
}

/** Lists the sessions of one account, or of all. */
export const listSessions = operation({
  method: 'GET',
  path: '/sessions',
  input: z.strictObject({ user: text.optional() }),
  run: async (server: RunningServer, { user }) => {
    const { sessions } = server;
    const found = user === undefined ? sessions.all() : sessions.of(accountAddress(server, user).toString());
    return { sessions: Array.from(found, sessionReport) };
  },
});

/** Ends one session, or all sessions of an account. Returns their addresses. */
export const kick = operation({
  method: 'DELETE',
  path: '/sessions',
  input: z.strictObject({ jid: text, reason: text.optional() }),
  run: async ({ sessions }: RunningServer, { jid, reason }) => {
    const target = operatorAddress(jid);
    const found = target.isBare ? [...sessions.of(target.toString())] : [sessions.find(target) ?? []].flat();
    if (found.length === 0) throw new OperationError('not-found', `${target} is not connected.`);
    for (const session of found) session.close(StreamError.policyViolation(reason));
    return { ended: found.map((session) => session.jid.toString()) };
  },
});

function sessionReport(session: Session): SessionReport {
  const { jid, presence } = session;
  const report = { jid: jid.toString(), available: presence.available !== undefined, priority: presence.priority };
  if (!(session instanceof ClientSession)) return report;
  const { boundAtMs, stream } = session;
  return { ...report, boundAtMs, remoteAddress: stream?.remoteAddress, secure: stream?.secure };
}
