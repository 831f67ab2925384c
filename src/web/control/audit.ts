import { z } from 'zod';
import type { AuditedOperation } from '../../routing/operation.ts';
import { operation } from '../../routing/operation.ts';
import type { AdministrationStore } from '../../storage/administrations.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import { toOperationError } from './error-status.ts';
import type { Requester } from './requester.ts';
import type { ServedDomains } from './served-domains.ts';

/** Dependencies of the audit log. */
interface AuditDeps {
  readonly store: AdministrationStore;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Pick<Log, 'error'>;
}

const keptDays = 90;
const keptMs = keptDays * 86_400_000;
/** Longer names are cut. */
const longestText = 256;

/** Records what operators do, and keeps it for 90 days. */
export class Audit {
  readonly #deps: AuditDeps;

  constructor(deps: AuditDeps) {
    this.#deps = deps;
  }

  /** Runs an operation, and records it with its result if it is of a kind that is recorded. Resolves or rejects as `run` does. */
  async recorded<Result>(
    requester: Requester,
    asked: AuditedOperation,
    input: unknown,
    run: () => Promise<Result>,
  ): Promise<Result> {
    if (!asked.recorded) return run();
    let outcome = 'unexpected failure';
    try {
      const result = await run();
      outcome = asked.outcomeOf(result);
      return result;
    } catch (error) {
      outcome = toOperationError(error)?.message ?? outcome;
      throw error;
    } finally {
      await this.#add(requester, `${asked.method} ${asked.path}`, asked.subjectOf(input), outcome);
    }
  }

  /** What was done stays done, even if the disk has no room for the record. */
  async #add(requester: Requester, name: string, subject: string | undefined, result: string): Promise<void> {
    const { store, clock, log } = this.#deps;
    const atMs = clock.nowMs();
    const [operator, origin] = [requester.operator, requester.origin].map((text) => text.slice(0, longestText));
    const entry = { atMs, operator: operator ?? '', origin: origin ?? '', operation: name };
    try {
      await store.add({ ...entry, subject: subject?.slice(0, longestText), result }, atMs - keptMs);
    } catch (error) {
      log.error({ err: error, ...requester, operation: name }, 'an administration could not be recorded');
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
