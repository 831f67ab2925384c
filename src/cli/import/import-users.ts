import { availableParallelism } from 'node:os';
import { deriveCredentials, PasswordError } from '../../c2s/negotiation/sasl/credentials.ts';
import { Jid, JidError } from '../../protocol/jid.ts';
import type { ImportReport } from '../../web/control/import-operations.ts';
import { type PortableAccount, portableKeys } from '../../web/control/portable-account.ts';
import type { Entry, FoundUser } from './found-user.ts';
import type { ImportSummary } from './import-report.ts';
import { inParallel } from './in-parallel.ts';

/** Settings of an import. */
export interface ImportOptions {
  readonly domains: readonly string[];
  readonly iterations: number;
  /** Ends the import behind the account that is being read. */
  readonly interrupted?: AbortSignal | undefined;
  /** Called for each account that has been read. */
  readonly taken?: (() => void) | undefined;
}

/** Limits of a batch, which is one request and one transaction. */
const batchUsers = 500;
const batchBytes = 1024 * 1024;

/** Creates the accounts of a batch that do not exist yet. */
export type CreateUsers = (users: PortableAccount[]) => Promise<ImportReport>;

/** Creates the accounts of a file. This process hashes the passwords, so that a running server keeps its own threads free. */
export async function importUsers(
  entries: AsyncIterable<Entry>,
  create: CreateUsers,
  options: ImportOptions,
): Promise<ImportSummary> {
  const summary = new Summary(create);
  const concurrency = 2 * Math.max(2, availableParallelism());
  for await (const entry of inParallel(entries, concurrency, (entry) => prepared(entry, options))) {
    await summary.take(entry);
    options.taken?.();
    if (options.interrupted?.aborted) break;
  }
  return summary.finish();
}

/** An entry whose account is ready to be created. */
interface Prepared extends Entry {
  readonly user?: PortableAccount | undefined;
}

class Summary {
  readonly #create: CreateUsers;
  readonly #skipped: string[] = [];
  readonly #problems: { place: string; problem: string }[] = [];
  readonly #losses: { place: string; loss: string }[] = [];
  #created = 0;
  #batch: PortableAccount[] = [];
  #batchBytes = 0;

  constructor(create: CreateUsers) {
    this.#create = create;
  }

  async take({ place, user, problem, losses }: Prepared): Promise<void> {
    if (problem !== undefined) this.#problems.push({ place, problem });
    for (const loss of losses ?? []) this.#losses.push({ place, loss });
    if (user === undefined) return;
    this.#batch.push(user);
    this.#batchBytes += JSON.stringify(user).length;
    if (this.#batch.length >= batchUsers || this.#batchBytes >= batchBytes) await this.#flush();
  }

  async finish(): Promise<ImportSummary> {
    await this.#flush();
    return { created: this.#created, skipped: this.#skipped, problems: this.#problems, losses: this.#losses };
  }

  async #flush(): Promise<void> {
    if (this.#batch.length === 0) return;
    const { created, skipped } = await this.#create(this.#batch);
    this.#created += created;
    this.#skipped.push(...skipped);
    this.#batch = [];
    this.#batchBytes = 0;
  }
}

async function prepared({ place, user, problem, losses }: Entry, options: ImportOptions): Promise<Prepared> {
  if (user === undefined) return { place, problem };
  const fault = addressFault(user.jid, options.domains);
  if (fault !== undefined) return { place, problem: fault };
  try {
    return { place, user: await withKeys(user, options.iterations), losses };
  } catch (error) {
    if (!(error instanceof PasswordError)) throw error;
    return { place, problem: error.message };
  }
}

/** Why an address is not that of an account here; nothing if it can be one. */
export function addressFault(text: string, domains: readonly string[]): string | undefined {
  try {
    const jid = Jid.parse(text);
    if (jid.local === '' || !jid.isBare) return `${text} is not the address of an account`;
    return domains.includes(jid.domain) ? undefined : `${jid.domain} is not served here`;
  } catch (error) {
    if (error instanceof JidError) return `${JSON.stringify(text)} is not an address: its ${error.message}`;
    throw error;
  }
}

async function withKeys({ password, ...user }: FoundUser, iterations: number): Promise<PortableAccount> {
  if (password === undefined) return user;
  return { ...user, scram: portableKeys(await deriveCredentials(password, iterations)) };
}
