import { listComponents } from '../../control/server-operations.ts';
import type { ConsolePage } from '../page.ts';
import { badge, table } from '../parts.ts';

/** The components and their connections. */
export const componentsPage: ConsolePage = {
  name: 'components',
  title: 'Components',
  group: 'Network',
  operation: listComponents,
  content: async ({ call }) => {
    const { components } = await call(listComponents, {});
    const rows = components.map(({ domain, gateway, remoteAddress, waiting }) => [
      domain,
      remoteAddress === undefined ? badge('bad', 'absent') : badge('good', 'connected'),
      remoteAddress ?? '',
      gateway ? 'gateway' : '',
      waiting.toLocaleString('en'),
    ]);
    const columns = ['Domain', 'State', 'Address', 'Kind', 'Messages waiting'];
    return table('Components', columns, rows, 'The configuration has no components.');
  },
};
