import { z } from 'zod';
import { operation } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import { roles } from '../console/roles.ts';
import type { RunningServer } from './running-server.ts';

/** Makes a link that opens the console for somebody, once. */
export const newConsoleLink = operation({
  method: 'POST',
  path: '/console/links',
  input: z.strictObject({
    operator: z.string().min(1).max(256),
    role: z.enum(roles),
    asAdministrator: z.boolean().optional(),
  }),
  subject: ({ operator, role }) => `${operator} as ${role}`,
  run: async ({ console: page }: Pick<RunningServer, 'console'>, person) => {
    if (page) return page.newLink(person);
    throw new OperationError(
      'configuration',
      'The console is off: it needs web.console.enabled, and an address in listen.http or listen.https.',
    );
  },
});

/** Shows the figures of the last hour or day, or those after a moment. */
export const serverHistory = operation({
  method: 'GET',
  path: '/history',
  input: z.strictObject({ span: z.enum(['hour', 'day']), afterMs: z.coerce.number().int().min(0).optional() }),
  run: async ({ history }: Pick<RunningServer, 'history'>, { span, afterMs }) => {
    if (!history) throw new OperationError('configuration', 'Figures are only kept while the console is on.');
    return history.read(span, afterMs);
  },
});

/** Shows the configuration in effect, without its secrets. */
export const showConfiguration = operation({
  method: 'GET',
  path: '/configuration',
  input: z.strictObject({}),
  run: async (server: Pick<RunningServer, 'configuration'>) => server.configuration(),
});

/** Checks what `ampere check` checks of a running server. */
export const checkServer = operation({
  method: 'GET',
  path: '/check',
  input: z.strictObject({}),
  run: async (server: Pick<RunningServer, 'check'>) => ({ findings: await server.check() }),
});
