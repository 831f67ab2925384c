import { finElement, metadataElement, queryFormElement, resultMessages } from '../archives/answers.ts';
import type { ArchiveIds } from '../archives/archive-ids.ts';
import { type FoundMessage, type PageFilter, Pages } from '../archives/pages.ts';
import { readQuery } from '../archives/query.ts';
import { Jid } from '../protocol/jid.ts';
import { mucUserElement } from '../protocol/muc/user-element.ts';
import { isAffiliatedAs } from '../protocol/muc/vocabulary.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { IqContent, IqEnds, IqHandlerFor } from '../routing/iq-table.ts';
import { type MaybePromise, then } from '../routing/maybe-promise.ts';
import type { RoomMessage, RoomStore } from '../storage/rooms.ts';
import type { Log } from '../support/log.ts';
import type { Element } from '../xml/element.ts';
import { seesJids } from './room/presence.ts';
import { affiliationOf, type ExistingRoom, type RoomState, standingOf } from './room/state.ts';

/** A room after all earlier commands, and the keys of its archive. */
export interface RoomArchive {
  readonly state: RoomState;
  /** The number of the room in the store. */
  readonly number: number | undefined;
  readonly ids: Pick<ArchiveIds, 'write' | 'read'>;
}

/** Dependencies of the archives of rooms. */
interface RoomArchivesDeps {
  readonly archiveOf: (room: Jid) => MaybePromise<RoomArchive>;
  readonly store: Pick<RoomStore, 'page' | 'find' | 'count' | 'bounds'>;
  readonly log: Log;
}

/** A room whose archive somebody may read. */
interface Reader {
  readonly room: ExistingRoom;
  readonly number: number;
  readonly ids: RoomArchive['ids'];
  readonly seesJids: boolean;
}

/** A message with the full JID of its author. */
type AuthoredMessage = FoundMessage & Pick<RoomMessage, 'author'>;

type Request = IqEnds & IqContent;

/** The requests that the archive of a room answers (XEP-0313). */
export function archiveHandlers<Scope extends string>(
  scope: Scope,
  { archiveOf, store, log }: RoomArchivesDeps,
): readonly IqHandlerFor<IqEnds<Scope>>[] {
  const pages = new Pages<RoomMessage>({ store, log });
  const readerOf = ({ from, to }: Request) => then(archiveOf(to), (archive) => admitted(archive, from));
  const answer = async (request: Request): Promise<Element> => {
    const reader = await readerOf(request);
    const { number, ids } = reader;
    const query = readQuery(request.payload, (text) => ids.read(number, text));
    const page = await pages.find(number, query, query.with && saidBy(query.with, reader));
    const shown = { ...page, messages: page.messages.map((found) => ({ ...found, message: shownTo(reader, found) })) };
    const idOf = ({ id }: Pick<FoundMessage, 'id'>) => ids.write(number, id);
    await request.sendAhead(resultMessages(shown, query, idOf));
    return finElement(shown, query, idOf);
  };
  const metadata = async (request: Request): Promise<Element> => {
    const { number, ids } = await readerOf(request);
    const bounds = await store.bounds(number);
    return metadataElement(bounds && [{ id: bounds[0] }, { id: bounds[1] }], ({ id }) => ids.write(number, id));
  };
  const at = { ns: ns.archive, scopes: [scope] } as const;
  return [
    { ...at, name: 'query', type: 'get', handle: queryFormElement },
    { ...at, name: 'query', type: 'set', handle: answer },
    { ...at, name: 'metadata', type: 'get', handle: metadata },
  ];
}

/** Somebody who could enter the room now may read its archive (XEP-0313 §5.1.2). Throws StanzaError. */
function admitted({ state, number, ids }: RoomArchive, asker: Jid): Reader {
  if (state.kind === 'absent' || number === undefined || state.lockedFor) throw StanzaError.itemNotFound();
  const { membersOnly, passwordProtected } = state.config;
  const { role, affiliation } = standingOf(state, asker);
  const isInside = role !== 'none';
  const isMember = isAffiliatedAs(affiliation, 'member');
  if (affiliation === 'outcast' || !(isInside || isMember || !(membersOnly || passwordProtected)))
    throw StanzaError.forbidden('you may not read the archive of this room');
  const sees = isAffiliatedAs(affiliation, 'admin') || state.config.whois === 'anyone';
  return { room: state, number, ids, seesJids: sees || (isInside && seesJids(state, { role })) };
}

/** The messages of an occupant's address, or, for those who see JIDs, of a user. */
function saidBy(author: Jid, { room, seesJids: sees }: Reader): PageFilter<AuthoredMessage> {
  if (author.bare().equals(room.address))
    return { isExact: author.isBare, matches: ({ message }) => author.isBare || message.from?.equals(author) === true };
  if (!sees) throw StanzaError.forbidden('you may not see who has said something in this room');
  const isOfAuthor = (jid: Jid) => (author.isBare ? jid.bare() : jid).equals(author);
  return { isExact: false, matches: (found) => isOfAuthor(Jid.parse(found.author)) };
}

/** The message with the JID of its author for those who may see it now. */
function shownTo({ room, seesJids: sees }: Reader, { message, author }: AuthoredMessage): Stanza {
  if (!sees) return message;
  const jid = Jid.parse(author);
  const item = { affiliation: affiliationOf(room, jid), role: standingOf(room, jid).role, jid };
  return message.with({ payload: message.payload.with(mucUserElement({ item })) });
}
