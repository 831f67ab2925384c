import { Jid } from '../../protocol/jid.ts';
import { toOperationError } from '../../web/control/error-status.ts';
import type { ExportedMessages } from '../../web/control/export-operations.ts';
import type { Operator } from '../../web/control/operator.ts';
import type { PortableAccount } from '../../web/control/portable-account.ts';
import type { ServedDomains } from '../../web/control/served-domains.ts';
import { faultIn } from '../import/loss-error.ts';
import { operations } from '../operations.ts';
import {
  accountParts,
  archivedText,
  archiveFrame,
  dataFrame,
  hostFrame,
  type TextFrame,
  userFileFrame,
  userFrame,
} from './portable-text.ts';

/** Accounts in one answer, and archived messages. */
const usersAtOnce = 1000;
const messagesAtOnce = 200;

/** Dependencies of an export. */
export interface ExportDeps {
  readonly operator: Operator<ServedDomains>;
  /** Called for each part of an account that is left out. */
  readonly lose: (jid: string, what: string) => void;
}

/** Begins an export of all accounts of domains, which is recorded once. Resolves with its id. */
export async function recordedExport(operator: Operator<ServedDomains>, domains: readonly string[]): Promise<string> {
  const { export: id } = await operator.call(operations.beginExport, { domains: [...domains] });
  return id;
}

/**
 * Accounts, or all accounts of domains, as a XEP-0227 document in pieces. It holds one account and one page of its archive in memory.
 * Rejects with `not-found` if there is no such account.
 */
export async function* exportedDocument(deps: ExportDeps, subjects: readonly Jid[]): AsyncGenerator<string> {
  yield dataFrame.begin;
  for (const { local, domain } of subjects) {
    const { begin, end } = hostFrame(domain);
    yield begin;
    if (local !== '')
      yield* userText(deps, await deps.operator.call(operations.exportUser, { jid: `${local}@${domain}` }), userFrame);
    else yield* exportedDomain(deps, domain);
    yield end;
  }
  yield dataFrame.end;
}

async function* exportedDomain(deps: ExportDeps, domain: string): AsyncGenerator<string> {
  const id = await recordedExport(deps.operator, [domain]);
  for await (const jid of usersOf(deps.operator, domain)) {
    const account = await unlessRemoved(deps.operator.call(operations.exportUserWithin, { export: id, jid }));
    if (account) yield* userText(deps, account, userFrame);
  }
}

/** An account as a document of its own (XEP-0227 §5), in pieces, in an export that was begun; nothing if it has just been removed. */
export async function exportedFile(
  deps: ExportDeps,
  id: string,
  jid: string,
): Promise<AsyncGenerator<string> | undefined> {
  const account = await unlessRemoved(deps.operator.call(operations.exportUserWithin, { export: id, jid }));
  return account && userText(deps, account, userFileFrame);
}

/** The addresses of the accounts of a domain. */
export async function* usersOf(operator: Operator<ServedDomains>, domain: string): AsyncGenerator<string> {
  for (let after: string | undefined, more = true; more; ) {
    const asked = operator.call(operations.listUsers, { domain, after, limit: usersAtOnce });
    const { users }: { users: string[] } = await asked;
    yield* users;
    after = users.at(-1);
    more = users.length === usersAtOnce;
  }
}

async function* userText(
  { operator, lose }: ExportDeps,
  account: PortableAccount,
  frame: (jid: Jid) => TextFrame,
): AsyncGenerator<string> {
  const { jid } = account;
  const { begin, end } = frame(Jid.parse(jid));
  yield begin;
  yield* accountParts(account, (what) => lose(jid, what));
  yield* exportedArchive({ operator, lose }, jid);
  yield end;
}

async function* exportedArchive({ operator, lose }: ExportDeps, jid: string): AsyncGenerator<string> {
  let isBegun = false;
  for (let after: number | undefined = 0; after !== undefined; ) {
    const asked = operator.call(operations.exportArchived, { jid, after, limit: messagesAtOnce });
    const page: ExportedMessages = (await unlessRemoved(asked)) ?? { messages: [] };
    if (page.messages.length > 0 && !isBegun) {
      isBegun = true;
      yield archiveFrame.begin;
    }
    for (const message of page.messages) {
      try {
        yield archivedText(message);
      } catch (error) {
        lose(jid, `an archived message: ${faultIn(error)}`);
      }
    }
    after = page.next;
  }
  if (isBegun) yield archiveFrame.end;
}

/** The result of an operation on an account; nothing if there is no such account. */
function unlessRemoved<Result>(asked: Promise<Result>): Promise<Result | undefined> {
  return asked.catch((error: unknown) => {
    if (toOperationError(error)?.code === 'not-found') return undefined;
    throw error;
  });
}
