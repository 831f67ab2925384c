import type { AddressInfo } from 'node:net';
import type { Server } from '../compose/server.ts';
import { type ByListener, forEachListener, isOpen, listenerKinds, reachable } from '../config/listener-kinds.ts';
import type { Config } from '../config/schema.ts';
import { aligned, programName } from './context.ts';

/** The links are printed again at the next start. */
const linkLifetimeMs = 86_400_000;

/** The addresses of a server as text. */
export function listened({ addresses }: Pick<Server, 'addresses'>): ByListener<readonly string[]> {
  return forEachListener(listenerKinds, (_, name) => addresses[name].map(addressText));
}

function addressText({ address, port, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Tells a person at a terminal what to do next. */
export async function welcome(
  server: Pick<Server, 'addresses' | 'administration' | 'developmentAuthority'>,
  config: Config,
): Promise<string[]> {
  const { domains } = config;
  const { c2s, c2sTls } = listened(server);
  const { developmentAuthority } = server;
  const addresses = [...c2s.map((address) => `${address} (STARTTLS)`), ...c2sTls.map((address) => `${address} (TLS)`)];
  const steps = [
    ...(await stepsInBrowser(server, config)),
    ['Add an account', `${programName()} user add NAME@${domains[0]}   (in another terminal)`],
    ['Connect clients to', addresses.join(', ')],
    ...(developmentAuthority === undefined
      ? []
      : [['They must trust', `${developmentAuthority}   (for testing only)`]]),
    ['See the state', `${programName()} status`],
    ...(hasConsole(server, config) ? [['Open the console', `${programName()} console`]] : []),
    ['Stop the server', 'Ctrl-C'],
  ];
  return ['', `Ampere serves ${domains.join(', ')}. Next steps:`, ...aligned(steps.map((step) => ['', ...step])), ''];
}

function hasConsole({ addresses }: Pick<Server, 'addresses'>, { web }: Config): boolean {
  return web.console.enabled && addresses.http.length + addresses.https.length > 0;
}

/** On a server for this machine only: links for the first two users, and later the chat page. */
async function stepsInBrowser(
  { addresses, administration }: Pick<Server, 'addresses' | 'administration'>,
  config: Config,
): Promise<string[][]> {
  if (reachable(config) || isOpen(config.listen.http) || addresses.http.length === 0) return [];
  const [{ listUsers }, { createInvitation }, { pageUrl }] = await Promise.all([
    import('../web/control/user-operations.ts'),
    import('../web/control/invitation-operations.ts'),
    import('../config/stream-options.ts'),
  ]);
  const { users } = await administration.call(listUsers, { limit: 1 });
  const url = pageUrl(config);
  if (users.length > 0)
    return url === undefined || config.web.chat === 'off' ? [] : [['Chat in a browser', `${url}/chat`]];
  if (config.registration.invitations === 'nobody') return [];
  const made = ['Open in a browser', 'and for a second user'].map(async (label) => {
    const { landingUrl } = await administration.call(createInvitation, { lifetimeMs: linkLifetimeMs });
    return landingUrl === undefined ? [] : [[label, landingUrl]];
  });
  return (await Promise.all(made)).flat();
}
