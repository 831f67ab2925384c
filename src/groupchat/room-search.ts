import { Jid } from '../protocol/jid.ts';
import {
  type ChannelSearch,
  channelSearchForm,
  channelsElement,
  type FoundChannel,
  readChannelSearch,
} from '../protocol/muc/channel-search.ts';
import { defaultRoomConfig, type RoomConfig } from '../protocol/muc/room-config.ts';
import { ns } from '../protocol/namespaces.ts';
import { type ResultSetRequest, readResultSet, resultSetElement } from '../protocol/result-set.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { IqEnds, IqHandlerFor } from '../routing/iq-table.ts';
import type { RoomStore } from '../storage/rooms.ts';
import type { Clock } from '../support/clock.ts';
import { TokenBucket } from '../support/token-bucket.ts';
import { xml } from '../xml/element.ts';

/** Dependencies of the search. */
interface RoomSearchDeps {
  readonly domain: string;
  readonly store: Pick<RoomStore, 'publicConfigs'>;
  /** Whether a domain has accounts here. */
  readonly isLocalDomain: (domain: string) => boolean;
  /** The number of occupants of the room at an address. */
  readonly occupantsOf: (address: string) => number;
  readonly clock: Clock;
}

/** The most rooms in one answer. */
const maxListed = 100;
/** The most public rooms that one search looks at, and how many are read at once. */
const maxSearched = 10_000;
const readAtOnce = 500;
/** Searches of all users of this server, and of all others: the average for each second, and how many at once. */
const rate = { perSecond: 5, burst: 20 };
const retryAfterSeconds = 5;

/** Answers searches among the public rooms of a domain (XEP-0433). */
export function searchHandler<Scope extends string>(scope: Scope, deps: RoomSearchDeps): IqHandlerFor<IqEnds<Scope>> {
  const bucket = () => new TokenBucket(rate.perSecond, rate.burst, deps.clock);
  // Strangers do not use up the searches of local users.
  const [ofLocalUsers, ofOthers] = [bucket(), bucket()];
  return {
    name: 'search',
    ns: ns.channelSearch,
    type: 'get',
    scopes: [scope],
    handle: async ({ from, payload }) => {
      const search = readChannelSearch(payload);
      if (!search) return channelSearchForm();
      if (!(deps.isLocalDomain(from.domain) ? ofLocalUsers : ofOthers).tryTake()) throw tooMany();
      const found = search.wantsRooms ? await allFound(search, deps) : [];
      return pageOf(inOrder(found, search.order), search.order, readResultSet(payload));
    },
  };
}

async function allFound(
  search: ChannelSearch,
  { domain, store, occupantsOf }: RoomSearchDeps,
): Promise<FoundChannel[]> {
  const found: FoundChannel[] = [];
  let after = '';
  for (let searched = 0; searched < maxSearched; searched += readAtOnce) {
    const rooms = await store.publicConfigs(domain, after, readAtOnce);
    for (const { address, config } of rooms) {
      const channel = channelOf(address, config, occupantsOf(address));
      if ((channel.users ?? 0) >= search.minUsers && matches(channel, search)) found.push(channel);
    }
    after = rooms.at(-1)?.address ?? after;
    if (rooms.length < readAtOnce) break;
  }
  return found;
}

/** A room as strangers may see it: the content of a room for members is for members (XEP-0045 §6.4). */
function channelOf(address: string, text: string, users: number): FoundChannel {
  const config = { ...defaultRoomConfig, ...(JSON.parse(text) as Partial<RoomConfig>) };
  const { name, lang, membersOnly, passwordProtected, whois } = config;
  return {
    address: Jid.parse(address),
    name,
    description: membersOnly ? '' : config.description,
    language: lang,
    users: membersOnly ? undefined : users,
    isOpen: !membersOnly && !passwordProtected,
    showsJids: whois === 'anyone',
  };
}

function matches(
  { address, name, description }: FoundChannel,
  { terms, inName, inDescription, inAddress }: ChannelSearch,
): boolean {
  const parts = [...(inName ? [name] : []), ...(inDescription ? [description] : []), ...(inAddress ? [address] : [])];
  const texts = parts.map((part) => part.toString().toLowerCase());
  return terms.every((term) => texts.some((part) => part.includes(term)));
}

function inOrder(found: readonly FoundChannel[], order: ChannelSearch['order']): readonly FoundChannel[] {
  return [...found].sort((one, other) => compare(placeOf(one, order), placeOf(other, order)));
}

/** The place of a room among the results: many users first, then by address. */
interface Place {
  readonly users: number;
  readonly address: string;
}

function placeOf({ users = 0, address }: FoundChannel, order: ChannelSearch['order']): Place {
  return { users: order === 'users' ? users : 0, address: address.toString() };
}

function compare(one: Place, other: Place): number {
  if (one.users !== other.users) return other.users - one.users;
  return one.address < other.address ? -1 : Number(one.address > other.address);
}

/** An item is named by its place, so that the server remembers nothing between two pages. */
function idOf({ users, address }: Place): string {
  return `${users} ${address}`;
}

function placeIn(id: string): Place {
  const [, users, address = ''] = /^(\d{1,9}) (.+)$/su.exec(id) ?? [];
  if (users === undefined) throw StanzaError.itemNotFound('there is no such page');
  return { users: Number(users), address };
}

function pageOf(
  found: readonly FoundChannel[],
  order: ChannelSearch['order'],
  { max = maxListed, after, before, index }: ResultSetRequest,
) {
  if (before !== undefined || index !== undefined) throw StanzaError.featureNotImplemented('pages go forward only');
  const start = after === undefined ? undefined : placeIn(after);
  const rest = start ? found.filter((one) => compare(start, placeOf(one, order)) < 0) : found;
  const page = rest.slice(0, Math.min(max, maxListed));
  const [first, last] = [page[0], page.at(-1)].map((one) => one && idOf(placeOf(one, order)));
  return channelsElement(page, resultSetElement({ first, last, count: found.length }));
}

function tooMany(): StanzaError {
  const extra = xml('rate-limit', { xmlns: ns.channelSearchErrors, 'retry-after': retryAfterSeconds });
  return StanzaError.resourceConstraint('there are too many searches', { extra });
}
