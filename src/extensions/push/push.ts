import { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { readPushOptions, readPushTarget } from '../../protocol/push.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Extension, IqHandler, IqRequest } from '../../routing/extension.ts';
import type { Routing } from '../../routing/routing.ts';
import { deviceKeyOf } from '../../routing/session.ts';
import { accountShownTo } from '../../routing/visibility.ts';
import type { PushStore } from '../../storage/push.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import type { Element } from '../../xml/element.ts';
import { Notifying } from './notifying.ts';
import { Registrations } from './registrations.ts';

/** What the operator decides; a slice of the configuration. */
export interface PushOptions {
  readonly enabled: boolean;
  /** Push services that the devices of one account can enable. */
  readonly maxPerAccount: number;
  /** Notifications of one account in a minute. */
  readonly perMinute: number;
  /** Whether push services learn who has sent the last message. */
  readonly sender: boolean;
  /** Whether push services learn the text of the last message. */
  readonly body: boolean;
}

/** Dependencies of push. */
interface PushDeps extends Pick<Routing, 'accounts' | 'sessions' | 'requests' | 'route' | 'isLocalDomain'> {
  readonly options: PushOptions;
  readonly store: PushStore;
  readonly clock: Clock;
  readonly log: Log;
}

const claims = [{ spec: 'XEP-0357', title: 'Push Notifications', version: '0.4.1', status: 'complete' }] as const;

/** How long a service may take for its answer; the connection to its server may have to be made first. */
const answerMs = 60_000;

/** Push Notifications (XEP-0357): wakes devices that are not connected, through services that their clients choose. */
export function push(deps: PushDeps): Extension<{ readonly push: Pick<PushOptions, 'enabled'> }> {
  const { options, store } = deps;
  const registrations = new Registrations({
    ...deps,
    store,
    limits: options,
    content: options,
    publish: (owner, service, payload) => publish(deps, owner, service, payload),
  });
  const notifying = new Notifying({ ...deps, registrations });
  return {
    name: 'push',
    claims,
    isOn: (changed) => changed.push.enabled,
    disco: { account: [ns.push] },
    accountSlots: [registrations],
    iq: handlers(deps, registrations),
    record: (passage) => notifying.record(passage),
    detached: {
      lost: (session, unconfirmed) => notifying.connectionLost(session, unconfirmed),
      waiting: (session, stanza) => notifying.waiting(session, stanza),
    },
    ended: (session) => notifying.ended(session),
    missed: (account, message) => notifying.missed(account, message),
    deviceRevoked: (account, device) => registrations.revoke(account, device),
  };
}

/** Notifications come from the domain: only a server can send in its name (XEP-0357 §3.2). */
function publish(deps: PushDeps, owner: Jid, service: Jid, payload: Element): Promise<Stanza | undefined> {
  const { requests, route } = deps;
  const domain = Jid.from('', owner.domain);
  return requests.ask(domain, service, payload, answerMs, (request) => void route(request), 'set');
}

function handlers(deps: PushDeps, registrations: Registrations): readonly IqHandler[] {
  const own = { ns: ns.push, type: 'set', scopes: ['self'] } as const;
  const others = { ns: ns.push, type: 'set', scopes: ['other'], handle: refuse } as const;
  return [
    { ...own, name: 'enable', handle: (request) => enable(deps, registrations, request) },
    { ...own, name: 'disable', handle: (request) => disable(registrations, request) },
    { ...others, name: 'enable' },
    { ...others, name: 'disable' },
  ];
}

/** Requests in the name of this server would have more rights at its own users than their sender. */
async function enable(
  { isLocalDomain }: PushDeps,
  registrations: Registrations,
  request: IqRequest,
): Promise<undefined> {
  const account = accountShownTo(request);
  const { service, node = '' } = readPushTarget(request.payload);
  if (isLocalDomain(service.domain)) throw StanzaError.notAllowed('a push service has a domain of its own');
  const options = JSON.stringify(readPushOptions(request.payload));
  const device = deviceKeyOf(request.session ?? { jid: request.from, device: undefined });
  await registrations.enable(account, { service: service.toString(), node, device, options });
}

async function disable(registrations: Registrations, request: IqRequest): Promise<undefined> {
  const account = accountShownTo(request);
  const { service, node } = readPushTarget(request.payload);
  await registrations.disable(account, service.toString(), node);
}

/** The answer is the same for an address without an account. */
function refuse(): never {
  throw StanzaError.forbidden();
}
