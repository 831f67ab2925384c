import { createHash } from 'node:crypto';
import type { Jid } from '../../protocol/jid.ts';
import { jidOrNothing } from '../../protocol/jid-or-nothing.ts';
import { ns } from '../../protocol/namespaces.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Claim, Extension } from '../../routing/extension.ts';
import type { IqContent, IqEnds } from '../../routing/iq-table.ts';
import type { LocalService } from '../../routing/local-service.ts';
import type { ConnectionLimiter } from '../../streams/connection-limiter.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import { attribute, childElements, type Element, textOf, xml } from '../../xml/element.ts';
import { type ProxyLimits, ProxyListener, type StartRefusal } from './proxy-listener.ts';

/** What the operator decides about the proxy. */
export interface ProxyOptions {
  /** The domains of the proxy. If there are none, it is off. */
  readonly domains: readonly string[];
  /** Where clients connect. The default is the domain of the service and the first open port. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly limits: ProxyLimits;
}

/** Dependencies of the proxy. */
interface BytestreamsDeps {
  readonly options: ProxyOptions;
  readonly isLocalDomain: (domain: string) => boolean;
  readonly limiter: Pick<ConnectionLimiter, 'admit' | 'release' | 'backlog'>;
  readonly clock: Clock;
  readonly log: Log;
}

type Request = IqEnds & IqContent;

const claims: readonly Claim[] = [
  { spec: 'XEP-0065', title: 'SOCKS5 Bytestreams', version: '1.8.2', status: 'complete', note: 'the proxy' },
];

/** A proxy for file transfers between clients that cannot connect to each other (XEP-0065). */
export function bytestreams(deps: BytestreamsDeps): Extension {
  const { options } = deps;
  const base = { name: 'bytestreams', claims };
  if (options.domains.length === 0) return base;
  const listener = new ProxyListener({ ...deps, limits: options.limits });
  return {
    ...base,
    services: options.domains.map((domain) => proxyService(domain, deps, options, listener)),
    listener,
    status: () => ({
      title: 'Transfers',
      summary: `${listener.transfers} through the proxy`,
      figures: { transfers: listener.transfers },
    }),
    metrics: [
      {
        name: 'xmpp_proxy_transfers',
        help: 'File transfers under way through the proxy.',
        type: 'gauge',
        read: () => [{ value: listener.transfers }],
      },
    ],
  };
}

function proxyService(
  domain: string,
  { isLocalDomain }: Pick<BytestreamsDeps, 'isLocalDomain'>,
  { host = domain, port }: ProxyOptions,
  listener: ProxyListener,
): LocalService<'proxy'> {
  const checkUser = ({ from }: Request) => {
    if (!isLocalDomain(from.domain)) throw StanzaError.forbidden();
  };
  const address = (request: Request): Element => {
    checkUser(request);
    // An optional port may be in use by another program.
    if (listener.port === undefined) throw StanzaError.serviceUnavailable();
    const streamhost = xml('streamhost', { jid: domain, host, port: port ?? listener.port });
    return xml('query', { xmlns: ns.bytestreams }, streamhost);
  };
  const activate = (request: Request): undefined => {
    checkUser(request);
    const refusal = listener.start(keyOf(request), request.from.bare().toString());
    if (refusal) throw errors[refusal]();
  };
  const query = { name: 'query', ns: ns.bytestreams, scopes: ['proxy'] } as const;
  return {
    domain,
    name: 'SOCKS5 bytestreams',
    scopeOf: (to: Jid) => {
      if (to.local === '' && to.isBare) return 'proxy';
      throw StanzaError.itemNotFound();
    },
    iq: [
      { ...query, type: 'get', handle: address },
      { ...query, type: 'set', handle: activate },
    ],
    disco: {
      scopes: ['proxy'],
      info: (_ends, node) =>
        node === undefined
          ? {
              identities: [{ category: 'proxy', type: 'bytestreams', name: 'SOCKS5 bytestreams' }],
              features: [ns.bytestreams],
            }
          : undefined,
    },
  };
}

/** XEP-0065 §6.3.5. */
const errors: Readonly<Record<StartRefusal, () => StanzaError>> = {
  unknown: () => StanzaError.itemNotFound(),
  incomplete: () => StanzaError.notAllowed('both sides must have connected'),
  busy: () => StanzaError.resourceConstraint('too many transfers'),
};

/** The key that both sides have asked for. It contains the address of the requester, so only the initiator can start the transfer. */
function keyOf({ payload, from }: Request): string {
  const sid = attribute(payload, 'sid');
  const [activate] = childElements(payload).filter((child) => child.getName() === 'activate');
  const target = activate && jidOrNothing(textOf(activate).trim());
  if (!sid || !target) throw StanzaError.badRequest('the request needs a sid and a target');
  return createHash('sha1').update(`${sid}${from}${target}`).digest('hex');
}
