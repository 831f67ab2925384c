import { z } from 'zod';
import { operation } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { ServedDomains } from './served-domains.ts';

const id = z.coerce.number().int().min(1);

const subject = (input: { readonly id: number }) => `report ${input.id}`;

/** Lists the reports of users, latest first, a page at a time. */
export const listReports = operation({
  method: 'GET',
  path: '/reports',
  input: z.strictObject({
    before: id.optional(),
    limit: z.coerce.number().int().min(1).max(5000),
  }),
  run: async ({ storage }: ServedDomains, { before = Number.MAX_SAFE_INTEGER, limit }) => ({
    reports: await storage.reports.list(before, limit),
  }),
});

/** Shows one report with the messages that it quotes. */
export const showReport = operation({
  method: 'GET',
  path: '/report',
  // It reveals what users have written.
  recorded: true,
  subject,
  input: z.strictObject({ id }),
  run: async ({ storage }: ServedDomains, { id }) => {
    const report = await storage.reports.get(id);
    if (!report) throw noReport(id);
    return report;
  },
});

/** Removes one report. */
export const removeReport = operation({
  method: 'DELETE',
  path: '/report',
  subject,
  input: z.strictObject({ id }),
  run: async ({ storage }: ServedDomains, { id }) => {
    if (!(await storage.reports.remove(id))) throw noReport(id);
    return {};
  },
});

function noReport(id: number): OperationError {
  return new OperationError('not-found', `There is no report ${id}.`);
}
