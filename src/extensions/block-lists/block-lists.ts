import { z } from 'zod';
import type { ListedUsers } from '../../groupchat/listed-users.ts';
import { formatDateTime } from '../../protocol/date-time.ts';
import { Jid } from '../../protocol/jid.ts';
import { readItemsEvent } from '../../protocol/pubsub-items.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { Extension } from '../../routing/extension.ts';
import { operation, operatorAddress } from '../../routing/operation.ts';
import type { Routing } from '../../routing/routing.ts';
import { isUnasked, knows } from '../../routing/strangers.ts';
import type { ModerationStore } from '../../storage/moderation.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import { type Metric, Tally } from '../../support/metric.ts';
import type { Element } from '../../xml/element.ts';
import { type BlockListAddress, FollowedList } from './followed-list.ts';
import { ListedAddresses } from './listed-addresses.ts';

/** Which block lists this server follows; a slice of the configuration. */
export interface BlockListOptions {
  readonly blockLists: readonly BlockListAddress[];
}

/** Dependencies of the block lists of other servers. */
interface BlockListsDeps extends Pick<Routing, 'sessions' | 'requests' | 'route' | 'mailboxes' | 'isHosted' | 'hooks'> {
  /** This server subscribes in the name of its first domain. */
  readonly options: BlockListOptions & { readonly domains: readonly string[] };
  readonly store: Pick<ModerationStore, 'listedEntries' | 'changeListed'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long a service may take for its answer; the stream to its server may have to be opened first. */
const answerMs = 60_000;
/** The resource of the domain to which services send notifications. */
const subscriberResource = 'block-lists';

/**
 * Block lists of other servers (real-time block lists by XEP-0060, as Prosody and ejabberd follow them). Listed addresses cannot enter rooms
 * and write in them unless they are members, and can reach only users who know them.
 */
export class BlockLists {
  readonly #deps: BlockListsDeps;
  readonly #addresses = new ListedAddresses();
  readonly #subscriber: Jid;
  readonly #followed = new Map<string, FollowedList>();
  readonly #refused = new Tally<'place'>();
  #barring = false;

  constructor(deps: BlockListsDeps) {
    this.#deps = deps;
    this.#subscriber = Jid.from('', deps.options.domains[0] ?? '', subscriberResource);
  }

  get extension(): Extension<BlockListOptions> {
    return {
      name: 'block-lists',
      claims: [],
      admit: (stanza, from, _to, account) => this.#admit(stanza, from, account),
      operations: blockListOperations.map(({ bind }) => bind(this)),
      metrics: this.#metrics(),
      linkBroken: (remote) => {
        for (const list of this.#followed.values()) if (list.service.domain === remote) list.startSoon();
      },
      opened: () => void this.#open(),
      closing: async () => {
        for (const list of this.#followed.values()) list.stop();
      },
      reload: ({ blockLists }) => {
        return () => this.#follow(blockLists);
      },
    };
  }

  /** The listed users, for rooms. */
  readonly users: ListedUsers = {
    has: (user) => this.#covers(user),
    sparesMembers: true,
    reason: 'the address is on a block list',
    refused: () => this.#refused.add({ place: 'room' }),
  };

  /** The lists that have an address or its domain, by their URI. */
  listsWith(address: Jid): readonly string[] {
    return this.#addresses.listsWith(address);
  }

  /** The followed lists. */
  report() {
    return [...this.#followed].map(([uri, list]) => ({ uri, entries: this.#addresses.of(uri).size, ...list.report }));
  }

  /** The operator, not another server, decides about the users of this server and about its components. */
  #covers(address: Jid): boolean {
    return this.#addresses.has(address) && !this.#deps.isHosted(address.domain);
  }

  /** The answer is the same whether or not the account exists. */
  #admit(stanza: Stanza, from: Jid, account: Account | undefined): StanzaError | undefined {
    if (!isUnasked(stanza) || !this.#covers(from)) return undefined;
    if (account && knows(account, from, this.#deps.sessions)) return undefined;
    this.#refused.add({ place: 'account' });
    return StanzaError.policyViolation('your address is on a block list');
  }

  /** Entries that were read in an earlier run apply until their list was read again. */
  async #open(): Promise<void> {
    const { store, options, log } = this.#deps;
    try {
      for (const { list, entry } of await store.listedEntries()) this.#addresses.add(list, [entry]);
      this.#barSoon();
    } catch (error) {
      log.error({ err: error }, 'the entries of block lists cannot be read');
    }
    this.#follow(options.blockLists);
  }

  #follow(lists: readonly BlockListAddress[]): void {
    const wanted = new Map(lists.map((one) => [uriOf(one), one]));
    for (const [uri, list] of this.#followed) {
      if (wanted.has(uri)) continue;
      list.leave();
      this.#followed.delete(uri);
    }
    for (const uri of this.#addresses.lists) if (!wanted.has(uri)) this.#change(uri, [], [...this.#addresses.of(uri)]);
    this.#deps.mailboxes.close(this.#subscriber);
    if (wanted.size > 0) this.#deps.mailboxes.open(this.#subscriber, (message) => this.#take(message));
    for (const [uri, one] of wanted) {
      if (this.#followed.has(uri)) continue;
      const list = this.#newList(uri, one);
      this.#followed.set(uri, list);
      list.start();
    }
  }

  #newList(uri: string, { service: name, node }: BlockListAddress): FollowedList {
    const { requests, route } = this.#deps;
    const service = Jid.parse(name);
    const send = (request: Stanza) => void route(request);
    return new FollowedList({
      ...this.#deps,
      service,
      node,
      subscriber: this.#subscriber,
      ask: (payload: Element, type) => requests.ask(this.#subscriber, service, payload, answerMs, send, type),
      entries: () => this.#addresses.of(uri),
      change: (added, removed) => this.#change(uri, added, removed),
    });
  }

  #take(message: Stanza): boolean {
    const { from } = message;
    const event = message.type === 'error' ? undefined : readItemsEvent(message);
    if (!from || !event) return false;
    return [...this.#followed.values()].some((list) => list.take(from, event));
  }

  /** In force at once. If it cannot be stored, the next start reads the list again. */
  #change(list: string, added: readonly string[], removed: readonly string[]): void {
    if (added.length + removed.length === 0) return;
    const { store, log } = this.#deps;
    this.#addresses.remove(list, removed);
    this.#addresses.add(list, added);
    if (added.length > 0) this.#barSoon();
    store.changeListed({ list, added, removed }).catch((error: unknown) => {
      log.warn({ err: error, list }, 'changes of a block list cannot be stored');
    });
  }

  /** Listed users who are in rooms leave them. All changes of one turn are looked at together. */
  #barSoon(): void {
    if (this.#barring) return;
    this.#barring = true;
    setImmediate(() => {
      this.#barring = false;
      void this.#deps.hooks.barred(this.users);
    });
  }

  #metrics(): readonly Metric[] {
    const ofEach = (value: (report: ReturnType<BlockLists['report']>[number]) => number) => () =>
      this.report().map((one) => ({ labels: { list: one.uri }, value: value(one) }));
    return [
      {
        name: 'xmpp_block_list_entries',
        help: 'Entries of the followed block lists.',
        type: 'gauge',
        labels: ['list'],
        read: ofEach(({ entries }) => entries),
      },
      {
        name: 'xmpp_block_list_followed',
        help: '1 if this server gets the changes of a block list, 0 if it cannot be reached.',
        type: 'gauge',
        labels: ['list'],
        read: ofEach(({ followed }) => Number(followed)),
      },
      {
        name: 'xmpp_block_list_refused_total',
        help: 'Stanzas of listed addresses that were refused, by their destination.',
        type: 'counter',
        labels: ['place'],
        read: () => this.#refused.read(),
      },
    ];
  }
}

/** XEP-0060 §12.22. */
function uriOf({ service, node }: BlockListAddress): string {
  return `xmpp:${service}?;node=${encodeURIComponent(node)}`;
}

/** What an operator can see of block lists. */
type ShownLists = Pick<BlockLists, 'report' | 'listsWith'>;

/** Lists the followed block lists. */
export const listBlockLists = operation({
  method: 'GET',
  path: '/block-lists',
  input: z.strictObject({}),
  run: async (lists: ShownLists) => ({
    lists: lists.report().map(({ readAtMs, ...list }) => {
      return { ...list, readAt: readAtMs === undefined ? undefined : formatDateTime(readAtMs) };
    }),
  }),
});

/** Says which followed block lists have an address or its domain. Their entries are mostly hashes, so nobody can read them. */
export const findInBlockLists = operation({
  method: 'GET',
  path: '/block-lists/search',
  input: z.strictObject({ address: z.string().min(1) }),
  run: async (lists: ShownLists, { address }) => ({ lists: lists.listsWith(operatorAddress(address)) }),
});

/** Everything that an operator can ask of block lists. */
export const blockListOperations = [listBlockLists, findInBlockLists] as const;
