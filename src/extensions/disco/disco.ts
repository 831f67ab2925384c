import { capsElement, verificationString } from '../../protocol/caps.ts';
import { type Capabilities, type DiscoItem, discoInfoElement, discoItemsElement } from '../../protocol/disco.ts';
import { ns } from '../../protocol/namespaces.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Advertisement, Claim, Extension, IqRequest } from '../../routing/extension.ts';
import { type MaybePromise, then } from '../../routing/maybe-promise.ts';
import { accountShownTo, maySeePresence } from '../../routing/visibility.ts';
import { attribute, type Element } from '../../xml/element.ts';

/** Dependencies of service discovery. */
interface DiscoDeps {
  /** The name of the server's identity. */
  readonly name: string;
  /** The URI that identifies the program (XEP-0115 §4). */
  readonly homepage: string;
  /** What the extensions add that are on. Called when all extensions exist. */
  readonly advertisements: () => readonly Advertisement[];
  /** The services below a domain. */
  readonly services: (domain: string) => Iterable<DiscoItem>;
}

const claims: readonly Claim[] = [
  {
    spec: 'XEP-0030',
    title: 'Service Discovery',
    version: '2.5.0',
    status: 'complete',
  },
  {
    spec: 'XEP-0115',
    title: 'Entity Capabilities',
    version: '1.6.0',
    status: 'complete',
    note: "the server's own, in stream features",
  },
];

const basicFeatures = [ns.discoInfo, ns.discoItems];

/**
 * Service Discovery (XEP-0030) of the domains and their accounts, with the capabilities of the server (XEP-0115). The descriptions are made
 * once, and again after a reload.
 */
export function disco(deps: DiscoDeps): Extension {
  let made: Descriptions | undefined;
  const descriptions = () => {
    made ??= describe(deps);
    return made;
  };
  const info = { name: 'query', ns: ns.discoInfo, type: 'get' } as const;
  const items = { name: 'query', ns: ns.discoItems, type: 'get' } as const;
  return {
    name: 'disco',
    claims,
    disco: { domain: [...basicFeatures, ns.caps], account: basicFeatures },
    reload: () => () => {
      made = undefined;
    },
    streamFeatures: (stage) =>
      stage === 'authenticated' ? [capsElement(deps.homepage, descriptions().verification)] : [],
    iq: [
      { ...info, scopes: ['server'], handle: (request) => domainInfo(request, descriptions()) },
      { ...info, scopes: ['self', 'other'], handle: (request) => accountInfo(request, descriptions()) },
      { ...items, scopes: ['server'], handle: (request) => domainItems(request, deps, descriptions().items) },
      { ...items, scopes: ['self', 'other'], handle: (request) => accountItems(request, descriptions()) },
    ],
  };
}

type DomainItems = NonNullable<Advertisement['domainItems']>;

interface Descriptions {
  readonly domain: Capabilities;
  /** Nodes of the domain by name, among them the one of its caps (XEP-0115 §6.2). */
  readonly nodes: ReadonlyMap<string, Capabilities>;
  readonly account: Capabilities;
  /** For the account itself. */
  readonly ownAccount: Capabilities;
  readonly accountNodes: readonly NonNullable<Advertisement['accountNodes']>[];
  readonly accountItems: readonly NonNullable<Advertisement['accountItems']>[];
  /** Nodes of the domain that have items, by name. */
  readonly items: DomainItems;
  readonly verification: string;
}

function describe({ name, homepage, advertisements }: DiscoDeps): Descriptions {
  const all = advertisements();
  const domain: Capabilities = {
    identities: [{ category: 'server', type: 'im', name }, ...all.flatMap((one) => one.domainIdentities ?? [])],
    features: new Set(all.flatMap((one) => one.domain ?? [])),
    forms: all.flatMap((one) => one.domainForms ?? []),
  };
  const items = new Map(all.flatMap((one) => [...(one.domainItems ?? [])]));
  const nodes = new Map(all.flatMap((one) => [...(one.domainNodes ?? [])]));
  const account: Capabilities = {
    identities: [{ category: 'account', type: 'registered' }, ...all.flatMap((one) => one.accountIdentities ?? [])],
    features: new Set(all.flatMap((one) => one.account ?? [])),
  };
  const ownFeatures = all.flatMap((one) => one.ownAccount ?? []);
  const ownAccount = { ...account, features: new Set([...account.features, ...ownFeatures]) };
  const verification = verificationString(domain);
  const capsNode = `${homepage}#${verification}`;
  return {
    domain,
    account,
    ownAccount,
    accountNodes: all.flatMap((one) => one.accountNodes ?? []),
    accountItems: all.flatMap((one) => one.accountItems ?? []),
    items,
    verification,
    nodes: nodes.set(capsNode, domain),
  };
}

function domainInfo({ payload }: IqRequest, { domain, nodes }: Descriptions): Element {
  const node = attribute(payload, 'node');
  const asked = node ? nodes.get(node) : domain;
  if (!asked) throw StanzaError.itemNotFound();
  return discoInfoElement(asked, node);
}

async function accountInfo(request: IqRequest, descriptions: Descriptions): Promise<Element> {
  const { account, from, payload } = request;
  const node = attribute(payload, 'node');
  if (account && node) {
    for (const find of descriptions.accountNodes) {
      const found = await find(account, from, node);
      if (found) return discoInfoElement(found, node);
    }
  }
  accountShownTo(request);
  return discoInfoElement(request.scope === 'self' ? descriptions.ownAccount : descriptions.account, rootNode(request));
}

function domainItems(request: IqRequest, { services }: DiscoDeps, items: DomainItems): MaybePromise<Element> {
  const node = attribute(request.payload, 'node');
  const itemsOfNode = items.get(node ?? '');
  if (itemsOfNode) return then(itemsOfNode(request), (found) => discoItemsElement(found, node));
  return discoItemsElement(services(request.to.domain), rootNode(request));
}

/** A requester who may not see the account gets an empty answer, as for an address without an account (XEP-0030 §8). */
async function accountItems({ account, from, payload }: IqRequest, { accountItems }: Descriptions): Promise<Element> {
  const node = attribute(payload, 'node');
  if (!account) return discoItemsElement([], node);
  const found: DiscoItem[] = [];
  let isKnown = !node || !maySeePresence(account, from);
  for (const find of accountItems) {
    const items = await find(account, from, node || undefined);
    isKnown ||= items !== undefined;
    found.push(...(items ?? []));
  }
  if (!isKnown) throw StanzaError.itemNotFound();
  return discoItemsElement(found, node);
}

/** The node of a request that allows none. Some clients write an empty node for the entity itself. */
function rootNode({ payload }: IqRequest): string | undefined {
  const node = attribute(payload, 'node');
  if (node) throw StanzaError.itemNotFound();
  return node;
}
