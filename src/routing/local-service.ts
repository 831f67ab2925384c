import { type Capabilities, type DiscoItem, discoInfoElement, discoItemsElement } from '../protocol/disco.ts';
import type { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import { type ResultSetRequest, readResultSet } from '../protocol/result-set.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { attribute, type Element } from '../xml/element.ts';
import { type IqContent, type IqEnds, type IqHandlerFor, IqTable, type Replies } from './iq-table.ts';
import { type MaybePromise, then } from './maybe-promise.ts';
import type { Handoff } from './outbound.ts';
import type { Service } from './service.ts';

/**
 * A domain that an extension answers for, as a value. If one of the functions throws a StanzaError or rejects with one, the sender gets
 * it. Stanzas come in the order in which they were sent; the next one does not wait for a promise.
 */
export interface LocalService<Scope extends string = string> {
  readonly domain: string;
  /** The name of the service in the service discovery of the domain above it. */
  readonly name?: string;
  /** The scope of an address, which selects its iq handlers. Throws StanzaError for an address that cannot exist. */
  scopeOf(to: Jid): Scope;
  readonly iq?: readonly IqHandlerFor<IqEnds<Scope>>[];
  readonly disco: ServiceDisco<Scope>;
  /** Takes an iq without a handler, including results and errors; false if it cannot. Without this function such requests are refused. */
  otherIq?(iq: Stanza, ends: IqEnds<Scope>): MaybePromise<boolean>;
  /** The error for a message that the service will not take. Called before AMP judges the message; changes nothing. */
  refuses?(message: Stanza, sender: Jid): StanzaError | undefined;
  /** Takes a message. The acknowledgment waits for a promise. Without this function messages are refused. */
  message?(message: Stanza): MaybePromise<void>;
  presence?(presence: Stanza): MaybePromise<void>;
}

/** The service discovery of a service (XEP-0030). */
interface ServiceDisco<Scope extends string> {
  /** The scopes that these functions describe. Addresses in them also answer pings (XEP-0199). */
  readonly scopes: readonly Scope[];
  /** The capabilities of an address or one of its nodes, except discovery and ping; undefined for an unknown node. */
  info(ends: IqEnds<Scope>, node: string | undefined): MaybePromise<Capabilities | undefined>;
  /**
   * The items of an address or one of its nodes, or the page of them that is wanted; undefined for an unknown node. Without this function
   * nothing has items.
   */
  items?(
    ends: IqEnds<Scope>,
    node: string | undefined,
    wanted: ResultSetRequest,
  ): MaybePromise<DiscoItemsPage | undefined>;
}

/** Items, and what is said about their page if they are not all (XEP-0059). */
interface DiscoItemsPage {
  readonly items: Iterable<DiscoItem>;
  readonly set?: Element | undefined;
}

/** Dependencies of a service in this process. */
interface HostedServiceDeps {
  readonly replies: Replies;
  /** Turns any error into the one that the sender gets; logs an unexpected one. */
  readonly explain: (stanza: Stanza, error: unknown) => StanzaError;
}

/** Makes a local service reachable. Throws an Error if two of its handlers answer the same request. */
export function hostService(service: LocalService, deps: HostedServiceDeps): Service {
  const table = new IqTable<IqEnds>(deps.replies);
  table.add(`the service ${service.domain}`, [...standardHandlers(service.disco), ...(service.iq ?? [])]);
  return {
    domain: service.domain,
    ...(service.name !== undefined && { name: service.name }),
    gateway: false,
    refuses: (message, sender) => service.refuses?.(message, sender),
    send: (stanza, handoff) => handOver(stanza, take(stanza, service, table), handoff, deps),
  };
}

/** An error that is thrown at once goes to the caller, as `Outbound` demands. */
function handOver(stanza: Stanza, taken: MaybePromise<void>, handoff: Handoff, { explain }: HostedServiceDeps): void {
  if (!(taken instanceof Promise)) return handoff.left?.();
  const settled = taken.then(
    () => handoff.left?.(),
    (error: unknown) => handoff.failed(explain(stanza, error)),
  );
  if (handoff.ackScope) handoff.ackScope.ackAfter(settled);
  else settled.catch((error: unknown) => void explain(stanza, error));
}

function take(stanza: Stanza, service: LocalService, table: IqTable<IqEnds>): MaybePromise<void> {
  const { kind, from, to } = stanza;
  if (!from || !to) throw new Error(`a ${kind} for a service needs both addresses`);
  switch (kind) {
    case 'message':
      if (!service.message) throw StanzaError.serviceUnavailable();
      return service.message(stanza);
    case 'presence':
      return service.presence?.(stanza);
    case 'iq':
      return takeIq(stanza, { from, to, scope: service.scopeOf(to) }, service, table);
  }
}

function takeIq(iq: Stanza, ends: IqEnds, service: LocalService, table: IqTable<IqEnds>): MaybePromise<void> {
  const isRequest = iq.type === 'get' || iq.type === 'set';
  if (isRequest && table.has(iq, ends.scope)) return table.handle(iq, ends);
  return then(service.otherIq?.(iq, ends) ?? false, (taken) => {
    if (!taken && isRequest) throw StanzaError.serviceUnavailable();
  });
}

function standardHandlers({ scopes, info, items }: ServiceDisco<string>): IqHandlerFor<IqEnds>[] {
  const query = { name: 'query', type: 'get', scopes } as const;
  const found = (request: IqEnds & IqContent, node: string | undefined): MaybePromise<DiscoItemsPage | undefined> => {
    if (items) return items(request, node, readResultSet(request.payload));
    return node ? undefined : { items: [] };
  };
  return [
    { ...query, ns: ns.discoInfo, handle: (request) => described(request, (node) => info(request, node), infoElement) },
    {
      ...query,
      ns: ns.discoItems,
      handle: (request) => described(request, (node) => found(request, node), itemsElement),
    },
    { name: 'ping', ns: ns.ping, type: 'get', scopes, handle: () => undefined },
  ];
}

/** Describes the node of a request. Some clients write an empty node for the address itself. */
function described<T>(
  { payload }: IqContent,
  find: (node: string | undefined) => MaybePromise<T | undefined>,
  element: (found: T, node: string | undefined) => Element,
): MaybePromise<Element> {
  const node = attribute(payload, 'node');
  return then(find(node || undefined), (found) => {
    if (found === undefined) throw StanzaError.itemNotFound();
    return element(found, node);
  });
}

function itemsElement({ items, set }: DiscoItemsPage, node: string | undefined): Element {
  return discoItemsElement(items, node, set);
}

function infoElement(capabilities: Capabilities, node: string | undefined): Element {
  if (node) return discoInfoElement(capabilities, node);
  const features = [ns.discoInfo, ns.discoItems, ns.ping, ...capabilities.features];
  return discoInfoElement({ ...capabilities, features }, node);
}
