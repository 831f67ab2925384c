import { operation } from '../../routing/operation.ts';
import { watchRequest } from '../watch/watch-filter.ts';
import type { RunningServer } from './running-server.ts';

/** Shows stanzas and lines of the log from now on, until the operator disconnects. */
export const watch = operation({
  method: 'POST',
  path: '/watch',
  input: watchRequest,
  subject: ({ jid, domain = 'everything', bodies }) => `${jid ?? domain}${bodies ? ', with contents' : ''}`,
  run: async ({ watches }: Pick<RunningServer, 'watches'>, request, stopped) => watches.open(request, stopped),
});
