import { createHmac } from 'node:crypto';
import { formatDateTime } from '../protocol/date-time.ts';
import { ns } from '../protocol/namespaces.ts';
import { randomId } from '../protocol/random-id.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Extension, IqRequest } from '../routing/extension.ts';
import type { Clock } from '../support/clock.ts';
import { attribute, childElements, type Element, nsOf, xml } from '../xml/element.ts';

/** A service outside of XMPP, as the configuration has it. */
interface ExternalService {
  readonly type: 'stun' | 'stuns' | 'turn' | 'turns';
  readonly host: string;
  readonly port?: number;
  readonly transport?: 'udp' | 'tcp';
  readonly name?: string;
  /** The secret shared with the service, for temporary passwords. */
  readonly secret?: string;
  readonly ttlSeconds: number;
  readonly username?: string;
  readonly password?: string;
}

/** The part of the configuration about external services. */
export interface ExternalServicesOptions {
  readonly externalServices: readonly ExternalService[];
}

type Credentials = Readonly<Record<'username' | 'password', string>> & { readonly expires?: string };

/** External Service Discovery (XEP-0215), for the users of this server. */
export function externalServices(
  options: ExternalServicesOptions,
  clock: Pick<Clock, 'nowMs'>,
): Extension<ExternalServicesOptions> {
  let services = options.externalServices;
  const describe = (service: ExternalService) => serviceElement(service, credentialsFor(service, clock.nowMs()));
  const all = (request: IqRequest) => {
    checkUser(request);
    const type = attribute(request.payload, 'type');
    const wanted = services.filter((service) => type === undefined || service.type === type);
    return xml('services', { xmlns: ns.externalServices, type }, ...wanted.map(describe));
  };
  const some = (request: IqRequest) => {
    checkUser(request);
    const wanted = services.filter(wantedBy(request.payload)).filter(hasCredentials);
    if (wanted.length === 0) throw StanzaError.itemNotFound();
    return xml('credentials', { xmlns: ns.externalServices }, ...wanted.map(describe));
  };
  const get = { ns: ns.externalServices, type: 'get', scopes: ['server'] } as const;
  return {
    name: 'external-services',
    claims: [
      {
        spec: 'XEP-0215',
        title: 'External Service Discovery',
        version: '1.0.0',
        status: 'complete',
        note: 'STUN and TURN, for the users of this server, without pushes',
      },
    ],
    disco: { domain: [ns.externalServices] },
    iq: [
      { ...get, name: 'services', handle: all },
      { ...get, name: 'credentials', handle: some },
    ],
    reload: (changed) => () => {
      services = changed.externalServices;
    },
  };
}

/** Credentials cost the operator bandwidth, so only users of this server get them (XEP-0215 §2). */
function checkUser({ session }: IqRequest): void {
  if (!session) throw StanzaError.forbidden();
}

/** Reads which services a request for credentials names (XEP-0215 §3.3). */
function wantedBy(payload: Element): (service: ExternalService) => boolean {
  const named = childElements(payload).find((child) => child.getName() === 'service' && nsOf(child) === nsOf(payload));
  const [host, type, port] = ['host', 'type', 'port'].map((name) => named && attribute(named, name));
  if (!host || !type) throw StanzaError.badRequest('the service needs a host and a type');
  return (service) =>
    service.type === type &&
    service.host.toLowerCase() === host.toLowerCase() &&
    (port === undefined || String(portOf(service)) === port);
}

function hasCredentials({ secret, username }: ExternalService): boolean {
  return secret !== undefined || username !== undefined;
}

/**
 * The credentials for a service: those of the configuration, or temporary ones that TURN servers derive from the shared secret (A REST
 * API For Access To TURN Services, draft-uberti-behave-turn-rest). Their user name does not tell the service who the user is.
 */
function credentialsFor(service: ExternalService, nowMs: number): Credentials | undefined {
  const { secret, ttlSeconds, username, password } = service;
  if (secret === undefined)
    return username === undefined || password === undefined ? undefined : { username, password };
  const expiresAtSeconds = Math.floor(nowMs / 1000) + ttlSeconds;
  const temporary = `${expiresAtSeconds}:${randomId()}`;
  return {
    username: temporary,
    password: createHmac('sha1', secret).update(temporary).digest('base64'),
    expires: formatDateTime(expiresAtSeconds * 1000),
  };
}

function serviceElement(service: ExternalService, credentials: Credentials | undefined): Element {
  const { type, host, name } = service;
  const transport = service.transport ?? (isOverTls(service) ? 'tcp' : 'udp');
  const restricted = credentials && 'true';
  return xml('service', { type, host, port: portOf(service), transport, name, restricted, ...credentials });
}

function portOf(service: ExternalService): number {
  return service.port ?? (isOverTls(service) ? 5349 : 3478);
}

function isOverTls({ type }: ExternalService): boolean {
  return type === 'stuns' || type === 'turns';
}
