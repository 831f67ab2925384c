import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { Account } from '../../routing/account.ts';
import type { Extension } from '../../routing/extension.ts';
import type { ExtensionHooks } from '../../routing/extension-hooks.ts';
import type { QuotedMessage } from '../../routing/message-archive.ts';
import type { ReportedMessage, ReportStore } from '../../storage/reports.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import { serialize } from '../../xml/serialize.ts';
import { readReport, type WrittenReport } from './written-report.ts';

/** Stored reports: a user pushes out only his own older ones until the store is full. */
const limits = { perAccount: 100, total: 10_000 };
/** The most bytes of messages in one report. */
const maxMessageBytes = 65_536;

/** Dependencies of reports. */
interface ReportsDeps {
  readonly store: Pick<ReportStore, 'add'>;
  readonly hooks: Pick<ExtensionHooks, 'messageArchive'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}

/** Blocking Command Reports (XEP-0377): stores reports for the operator. */
export function reports(deps: ReportsDeps): Extension {
  return {
    name: 'reports',
    claims: [
      {
        spec: 'XEP-0377',
        title: 'Blocking Command Reports',
        version: '0.4.1',
        status: 'complete',
        note: 'for the operator; reports are not passed on',
      },
    ],
    disco: { domain: [ns.reporting] },
    blocked: (account, jid, item) => {
      const report = readReport(item, account.jid);
      return report && store(deps, account, jid, report);
    },
  };
}

/** The address is blocked whatever happens here (XEP-0377 §6). */
async function store({ store, hooks, clock, log }: ReportsDeps, account: Account, jid: Jid, written: WrittenReport) {
  const { ids, ...report } = written;
  try {
    const quoted = ids.length > 0 ? await hooks.messageArchive?.find(account, ids) : undefined;
    const messages = reportedMessages(quoted ?? [], jid);
    const stored = { ...report, jid: jid.toString(), atMs: clock.nowMs(), messages };
    const id = await store.add(account.key, stored, limits);
    log.info({ report: id, jid: stored.jid, reason: report.reason }, 'a user has reported an address');
  } catch (error) {
    log.error({ err: error, jid: jid.toString() }, 'a report was not stored');
  }
}

/** The messages of the reported address, as many as there is room for. */
function reportedMessages(quoted: readonly QuotedMessage[], jid: Jid): ReportedMessage[] {
  const found: ReportedMessage[] = [];
  let bytes = 0;
  for (const { message, atMs } of quoted) {
    if (!isFrom(message.from, jid)) continue;
    const xml = serialize(message.element());
    bytes += Buffer.byteLength(xml);
    if (bytes > maxMessageBytes) break;
    found.push({ xml, atMs });
  }
  return found;
}

/** Whether an address belongs to the reported one: a resource of it, another resource of the same account, or anything at a domain. */
function isFrom(from: Jid | undefined, { local, domain }: Jid): boolean {
  return from !== undefined && from.domain === domain && (local === '' || from.local === local);
}
