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
    note: 'as personal eventing needs it, at accounts',
  },
  {
    spec: 'XEP-0163',
    title: 'Personal Eventing Protocol',
    version: '1.2.2',
    status: 'partial',
    note: 'without affiliations beside the owner, result sets of items and replyto; a stranger who may not read a node gets service-unavailable, as for an address without an account',
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
  'multi-items',
  'persistent-items',
  'presence-notifications',
  'presence-subscribe',
  'publish',
  'publish-options',
  'pubsub-on-a-jid',
  'purge-nodes',
  'retract-items',
  'retrieve-default',
  'retrieve-items',
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
  const extension: Extension = {
    name: 'pep',
    claims,
    disco: advertisement(reading),
    iq: handlers(new PubsubRequests(publishing, reading, subscribing)),
    accountSlots: [nodes.slot],
    presence: presenceHook(deps, lastItems, remotes),
    prepare: (message, { jid }) => {
      if (message.type === 'error') subscribing.bounced(message, jid);
      return message;
    },
    accountRemoved: (account) => {
      remotes.forgetAccount(account.toString());
      deps.store
        .unsubscribeAll(account.toString())
        .catch((error: unknown) =>
          deps.log.error({ err: error }, 'the subscriptions of an account could not be ended'),
        );
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

/** Finds out what a request asks for. Strangers learn nothing from requests that only an owner can make. */
class PubsubRequests {
  readonly #publishing: Publishing;
  readonly #reading: Reading;
  readonly #subscribing: Subscribing;

  constructor(publishing: Publishing, reading: Reading, subscribing: Subscribing) {
    this.#publishing = publishing;
    this.#reading = reading;
    this.#subscribing = subscribing;
  }

  read(request: IqRequest): MaybePromise<Element> {
    const verb = verbOf(request);
    if (verb?.getName() === 'items') return this.#reading.items(request, verb);
    accountShownTo(request);
    throw unsupported(verb, { subscriptions: 'retrieve-subscriptions', affiliations: 'retrieve-affiliations' });
  }

  write(request: IqRequest): MaybePromise<Element | undefined> {
    const verb = verbOf(request);
    switch (verb?.getName()) {
      case 'subscribe':
        return this.#subscribing.subscribe(request, verb);
      case 'unsubscribe':
        return this.#subscribing.unsubscribe(request, verb);
      case 'publish':
        return this.#publishing.publish(ownRequest(request), verb);
      case 'retract':
        return this.#publishing.retract(ownRequest(request), verb);
      case 'create':
        return this.#publishing.create(ownRequest(request), verb);
    }
    accountShownTo(request);
    throw unsupported(verb, { options: 'subscription-options' });
  }

  readAsOwner(request: IqRequest): Element {
    const own = ownRequest(request);
    const verb = verbOf(request);
    if (verb?.getName() === 'configure') return this.#publishing.configuration(own, verb);
    if (verb?.getName() === 'default') return this.#publishing.defaultConfiguration();
    throw unsupported(verb, { subscriptions: 'manage-subscriptions', affiliations: 'modify-affiliations' });
  }

  writeAsOwner(request: IqRequest): MaybePromise<undefined> {
    const own = ownRequest(request);
    const verb = verbOf(request);
    switch (verb?.getName()) {
      case 'configure':
        return this.#publishing.configure(own, verb);
      case 'delete':
        return this.#publishing.delete(own, verb);
      case 'purge':
        return this.#publishing.purge(own, verb);
    }
    throw unsupported(verb, { subscriptions: 'manage-subscriptions', affiliations: 'modify-affiliations' });
  }
}

/** The first child that belongs to the request says what is asked for. */
function verbOf({ payload }: IqRequest): Element | undefined {
  return childElements(payload).find((child) => nsOf(child) === nsOf(payload));
}

function ownRequest(request: IqRequest): OwnRequest {
  const account = accountShownTo(request);
  if (request.scope !== 'self') throw StanzaError.forbidden();
  return { account, payload: request.payload, afterwards: request.afterwards };
}

function unsupported(verb: Element | undefined, known: Readonly<Record<string, string>>): StanzaError {
  const feature = verb && Object.hasOwn(known, verb.getName()) ? known[verb.getName()] : undefined;
  return feature === undefined ? StanzaError.badRequest() : unsupportedPubsub(feature);
}
