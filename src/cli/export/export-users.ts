import { Jid } from '../../protocol/jid.ts';
import { type ExportedMessages, exportArchived, exportUser } from '../../web/control/export-operations.ts';
import type { Operator } from '../../web/control/operator.ts';
import type { ServedDomains } from '../../web/control/served-domains.ts';
import { listUsers } from '../../web/control/user-operations.ts';
import { faultIn } from '../import/loss-error.ts';
import { accountParts, archivedText, archiveFrame, documentFrame, userFrame } from './portable-text.ts';

/** Accounts in one answer, and archived messages. */
const usersAtOnce = 1000;
const messagesAtOnce = 200;

/** Dependencies of an export. */
interface ExportDeps {
  readonly operator: Operator<ServedDomains>;
  /** Called for each part of an account that is left out. */
  readonly lose: (jid: string, what: string) => void;
}

/**
 * An account, or all accounts of a domain, as a XEP-0227 document in pieces. It holds one account and one page of its archive in
 * memory. Rejects with `not-found` if there is no such account.
 */
export async function* exportedDocument(deps: ExportDeps, subject: Jid): AsyncGenerator<string> {
  const { begin, end } = documentFrame(subject.domain);
  yield begin;
  if (subject.local !== '') yield* exportedUser(deps, subject.toString());
  else for await (const jid of usersOf(deps.operator, subject.domain)) yield* exportedUser(deps, jid);
  yield end;
}

async function* usersOf(operator: Operator<ServedDomains>, domain: string): AsyncGenerator<string> {
  for (let after: string | undefined, more = true; more; ) {
    const { users }: { users: string[] } = await operator.call(listUsers, { domain, after, limit: usersAtOnce });
    yield* users;
    after = users.at(-1);
    more = users.length === usersAtOnce;
  }
}

async function* exportedUser({ operator, lose }: ExportDeps, jid: string): AsyncGenerator<string> {
  const account = await operator.call(exportUser, { jid });
  if (account.bcrypt !== undefined) lose(jid, 'the bcrypt hash: nobody can log in until a password is set');
  const { begin, end } = userFrame(Jid.parse(jid));
  yield begin;
  yield* accountParts(account, (what) => lose(jid, what));
  yield* exportedArchive({ operator, lose }, jid);
  yield end;
}

async function* exportedArchive({ operator, lose }: ExportDeps, jid: string): AsyncGenerator<string> {
  let isBegun = false;
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: ExportedMessages = await operator.call(exportArchived, { jid, after, limit: messagesAtOnce });
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
