import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { unsupportedPubsub } from '../../protocol/pubsub.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { Advertisement, Claim, Extension, IqHandler, IqRequest, PresenceHook } from '../../routing/extension.ts';
import type { MaybePromise } from '../../routing/maybe-promise.ts';
import type { NodeHook, PersonalNodes } from '../../routing/personal-nodes.ts';
import type { Routing } from '../../routing/routing.ts';
import { accountShownTo } from '../../routing/visibility.ts';
import type { PepStore } from '../../storage/pep.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import { childElements, type Element, nsOf } from '../../xml/element.ts';
import { AccountNodes } from './account-nodes.ts';
import { Affiliations } from './affiliations.ts';
import { ItemChanges } from './item-changes.ts';
import { LastItems } from './last-items.ts';
import { NodeHooks } from './node-hooks.ts';
import { Notifications } from './notifications.ts';
import { type OwnRequest, Publishing } from './publishing.ts';
import { Reading } from './reading.ts';
import { RemoteResources } from './remote-resources.ts';
import { Subscribing } from './subscribing.ts';
import { WantedNodes } from './wanted-nodes.ts';

/** Dependencies of personal eventing. */
interface PepDeps
  extends Pick<Routing, 'accounts' | 'sessions' | 'filters' | 'requests' | 'route' | 'routeAll' | 'isLocalDomain'> {
  readonly store: PepStore;
  /** What other extensions know about nodes; called when all extensions exist. */
  readonly hooks: () => readonly NodeHook[];
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}

/** Personal eventing: the extension for clients, and the nodes for other extensions. */
interface PersonalEventing {
  readonly extension: Extension;
  readonly nodes: PersonalNodes;
}

const claims: readonly Claim[] = [
  {
    spec: 'XEP-0060',
    title: 'Publish-Subscribe',
    version: '1.30.0',
    status: 'partial',
    note: 'as personal eventing needs it, at accounts: without the affiliations publisher and outcast, the access model authorize, options of subscriptions and collections',
  },
  {
    spec: 'XEP-0163',
    title: 'Personal Eventing Protocol',
    version: '1.2.2',
    status: 'complete',
    note: 'a stranger who may not read a node gets service-unavailable, as for an address without an account',
  },
  {
    spec: 'XEP-0223',
    title: 'Persistent Storage of Private Data via PubSub',
    version: '1.1.1',
    status: 'complete',
  },
];

const features = [
  'access-open',
  'access-presence',
  'access-roster',
  'access-whitelist',
  'auto-create',
  'auto-subscribe',
  'config-node',
  'config-node-max',
  'create-and-configure',
  'create-nodes',
  'delete-items',
  'delete-nodes',
  'filtered-notifications',
  'item-ids',
  'last-published',
  'member-affiliation',
  'meta-data',
  'modify-affiliations',
  'multi-items',
  'persistent-items',
  'presence-notifications',
  'presence-subscribe',
  'publish',
  'publish-options',
  'pubsub-on-a-jid',
  'purge-nodes',
  'retract-items',
  'retrieve-affiliations',
  'retrieve-default',
  'retrieve-items',
  'retrieve-subscriptions',
  'rsm',
  'subscribe',
];

/** Personal Eventing Protocol (XEP-0163): every account is a publish-subscribe service (XEP-0060). */
export function pep(given: PepDeps): PersonalEventing {
  const hooks = new NodeHooks(given.hooks);
  const nodes = new AccountNodes(given.store, hooks);
  const deps = { ...given, hooks, nodes };
  const remotes = new RemoteResources();
  const wanted = new WantedNodes(deps);
  const notifications = new Notifications({ ...deps, wanted, remotes });
  const lastItems = new LastItems({ ...deps, wanted, remotes, notifications });
  const changes = new ItemChanges({ ...deps, notifications });
  const publishing = new Publishing({ ...deps, changes, notifications });
  const reading = new Reading(deps);
  const subscribing = new Subscribing({ ...deps, reading, lastItems, remotes });
  const affiliations = new Affiliations(deps);
  const extension: Extension = {
    name: 'pep',
    claims,
    disco: advertisement(reading),
    iq: handlers(new PubsubRequests({ publishing, reading, subscribing, affiliations })),
    accountSlots: [nodes.slot],
    presence: presenceHook(deps, lastItems, remotes),
    prepare: (message, sender) => {
      if (message.type === 'error') subscribing.bounced(message, sender);
      return message;
    },
    accountRemoved: (account) => {
      remotes.forgetAccount(account.toString());
      affiliations
        .forget(account.toString())
        .catch((error: unknown) => deps.log.error({ err: error }, 'nodes still know a removed account'));
    },
  };
  return { extension, nodes: changes };
}

function handlers(requests: PubsubRequests): readonly IqHandler[] {
  const both = { name: 'pubsub', scopes: ['self', 'other'] } as const;
  return [
    { ...both, ns: ns.pubsub, type: 'get', handle: (request) => requests.read(request) },
    { ...both, ns: ns.pubsub, type: 'set', handle: (request) => requests.write(request) },
    { ...both, ns: ns.pubsubOwner, type: 'get', handle: (request) => requests.readAsOwner(request) },
    { ...both, ns: ns.pubsubOwner, type: 'set', handle: (request) => requests.writeAsOwner(request) },
  ];
}

function advertisement(reading: Reading): Advertisement {
  return {
    account: [ns.pubsub, ...features.map((feature) => `${ns.pubsub}#${feature}`)],
    accountIdentities: [{ category: 'pubsub', type: 'pep' }],
    accountNodes: (account, asker, node) => reading.info(account, asker, node),
    accountItems: (account, asker, node) => reading.list(account, asker, node),
  };
}

/** Directed presence counts only from contacts: strangers get what they subscribe to. */
function presenceHook(
  { isLocalDomain }: Pick<PepDeps, 'isLocalDomain'>,
  lastItems: LastItems,
  remotes: RemoteResources,
): PresenceHook {
  const isContact = (account: Account, from: Jid) =>
    (account.roster.get(from.bare().toString())?.subscription ?? 'none') !== 'none';
  return {
    announced: (session, presence, initial) => lastItems.inBackground(lastItems.announced(session, presence, initial)),
    arrived: (presence, from, account) => {
      if (isLocalDomain(from.domain)) return;
      if (presence.type === 'unavailable') remotes.forget(account.key, from);
      else if (isContact(account, from)) lastItems.inBackground(lastItems.arrived(presence, from, account));
    },
    subscriptionChanged: (account, contact, before, after) => {
      if (after.from && !before.from) lastItems.inBackground(lastItems.shownTo(account, contact.bare()));
      else if (!after.from && !after.to) remotes.forgetContact(account.key, contact.bare());
    },
  };
}

/** What carries out requests. */
interface PubsubParts {
  readonly publishing: Publishing;
  readonly reading: Reading;
  readonly subscribing: Subscribing;
  readonly affiliations: Affiliations;
}

/** Finds out what a request asks for. Strangers learn nothing from requests that only an owner can make. */
class PubsubRequests {
  readonly #parts: PubsubParts;

  constructor(parts: PubsubParts) {
    this.#parts = parts;
  }

  read(request: IqRequest): MaybePromise<Element> {
    const { reading, subscribing, affiliations } = this.#parts;
    const verb = verbOf(request);
    switch (verb?.getName()) {
      case 'items':
        return reading.items(request, verb);
      case 'subscriptions':
        return subscribing.list(request, verb);
      case 'affiliations':
        return affiliations.ofRequester(request, verb);
    }
    accountShownTo(request);
    throw unsupported(verb, { options: 'subscription-options', default: 'retrieve-default-sub' });
  }

  write(request: IqRequest): MaybePromise<Element | undefined> {
    const { publishing, subscribing } = this.#parts;
    const verb = verbOf(request);
    switch (verb?.getName()) {
      case 'subscribe':
        return subscribing.subscribe(request, verb);
      case 'unsubscribe':
        return subscribing.unsubscribe(request, verb);
      case 'publish':
        return publishing.publish(ownRequest(request), verb);
      case 'retract':
        return publishing.retract(ownRequest(request), verb);
      case 'create':
        return publishing.create(ownRequest(request), verb);
    }
    accountShownTo(request);
    throw unsupported(verb, { options: 'subscription-options' });
  }

  readAsOwner(request: IqRequest): Element {
    const { publishing, affiliations } = this.#parts;
    const own = ownRequest(request);
    const verb = verbOf(request);
    switch (verb?.getName()) {
      case 'configure':
        return publishing.configuration(own, verb);
      case 'default':
        return publishing.defaultConfiguration();
      case 'affiliations':
        return affiliations.list(own, verb);
    }
    throw unsupported(verb, { subscriptions: 'manage-subscriptions' });
  }

  writeAsOwner(request: IqRequest): MaybePromise<undefined> {
    const { publishing, affiliations } = this.#parts;
    const own = ownRequest(request);
    const verb = verbOf(request);
    switch (verb?.getName()) {
      case 'configure':
        return publishing.configure(own, verb);
      case 'delete':
        return publishing.delete(own, verb);
      case 'purge':
        return publishing.purge(own, verb);
      case 'affiliations':
        return affiliations.change(own, verb);
    }
    throw unsupported(verb, { subscriptions: 'manage-subscriptions' });
  }
}

/** The first child that belongs to the request says what is asked for. */
function verbOf({ payload }: IqRequest): Element | undefined {
  return childElements(payload).find((child) => nsOf(child) === nsOf(payload));
}

function ownRequest(request: IqRequest): OwnRequest {
  const account = accountShownTo(request);
  if (request.scope !== 'self') throw StanzaError.forbidden();
  const { payload, session, afterwards } = request;
  return { account, payload, publisher: session?.presence.available && session.jid, afterwards };
}

function unsupported(verb: Element | undefined, known: Readonly<Record<string, string>>): StanzaError {
  const feature = verb && Object.hasOwn(known, verb.getName()) ? known[verb.getName()] : undefined;
  return feature === undefined ? StanzaError.badRequest() : unsupportedPubsub(feature);
}
