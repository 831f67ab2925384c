import { z } from 'zod';
import type { AuditedOperation } from '../../routing/operation.ts';
import { operation } from '../../routing/operation.ts';
import type { AdministrationStore, NewAdministration } from '../../storage/administrations.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import { toOperationError } from './error-status.ts';
import type { Requester } from './requester.ts';
import type { ServedDomains } from './served-domains.ts';

/** Dependencies of the audit log. */
interface AuditDeps {
  readonly store: AdministrationStore;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Pick<Log, 'debug' | 'info' | 'warn' | 'error'>;
}

const keptDays = 90;
const keptMs = keptDays * 86_400_000;
/** Longer names are cut. */
const longestText = 256;

/** Records what operators do, whatever way they do it, and keeps it for 90 days. The log of the server has a line for each operation, too. */
export class Audit {
  readonly #deps: AuditDeps;

  constructor(deps: AuditDeps) {
    this.#deps = deps;
  }

  /**
   * Runs an operation, logs it, and records it with its result if it is of a kind that is recorded. Operations that are not are logged at
   * debug level. Resolves or rejects as `run` does.
   */
  async recorded<Result>(
    requester: Requester,
    asked: AuditedOperation,
    input: unknown,
    run: () => Promise<Result>,
  ): Promise<Result> {
    const { log } = this.#deps;
    const subject = asked.subjectOf(input)?.slice(0, longestText);
    const operator = requester.operator.slice(0, longestText);
    const origin = requester.origin.slice(0, longestText);
    const line = { operation: `${asked.method} ${asked.path}`, subject, operator, origin };
    let outcome = 'unexpected failure';
    try {
      const result = await run();
      log[asked.recorded ? 'info' : 'debug'](line, 'administration');
      if (asked.recorded) outcome = asked.outcomeOf(result);
      return result;
    } catch (error) {
      const known = toOperationError(error);
      outcome = known?.message ?? outcome;
      if (known) log.warn({ ...line, reason: outcome }, 'administration refused');
      else log.error({ ...line, err: error }, 'administration failed');
      throw error;
    } finally {
      if (asked.recorded) await this.#add({ ...line, result: outcome });
    }
  }

  /** What was done stays done, even if the disk has no room for the record. */
  async #add(entry: Omit<NewAdministration, 'atMs'>): Promise<void> {
    const { store, clock, log } = this.#deps;
    const atMs = clock.nowMs();
    try {
      await store.add({ ...entry, atMs }, atMs - keptMs);
    } catch (error) {
      log.error({ ...entry, err: error }, 'an administration could not be recorded');
    }
  }
}

const text = z.string().min(1);

/** Lists what operators have done, latest first, a page at a time. */
export const listAdministrations = operation({
  method: 'GET',
  path: '/audit',
  input: z.strictObject({
    before: z.coerce.number().int().min(1).optional(),
    sinceMs: z.coerce.number().int().optional(),
    operator: text.optional(),
    subject: text.optional(),
    limit: z.coerce.number().int().min(1).max(1000),
  }),
  run: async ({ storage }: ServedDomains, { before, ...query }) => ({
    administrations: await storage.administrations.list({ ...query, beforeId: before }),
  }),
});
