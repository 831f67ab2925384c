import type { PortableRoom, PortableRoomMessage } from '../../groupchat/portable-room.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { Operator } from '../../web/control/operator.ts';
import type { ServedDomains } from '../../web/control/served-domains.ts';
import { operations } from '../operations.ts';
import type { FoundRoom } from './found-room.ts';
import type { ImportSummary } from './import-report.ts';

/** Limits of one request. */
const mostMessages = 500;
const mostCharacters = 1024 * 1024;

/** Settings of an import. */
export interface RoomImportOptions {
  /** The domains with rooms. */
  readonly domains: readonly string[];
  /** Ends the import behind the room that is being read. */
  readonly interrupted?: AbortSignal | undefined;
  /** Called with the number of messages that have been imported. */
  readonly sent?: ((messages: number) => void) | undefined;
}

/** Creates rooms with their archives. */
export async function importRooms(
  rooms: AsyncIterable<FoundRoom>,
  operator: Operator<ServedDomains>,
  { domains, interrupted, sent }: RoomImportOptions,
): Promise<ImportSummary> {
  let created = 0;
  const skipped: string[] = [];
  const problems: { place: string; problem: string }[] = [];
  const losses: { place: string; loss: string }[] = [];
  for await (const found of rooms) {
    const { place } = found;
    const result = problemIn(found, domains) ?? (await imported(found, operator, sent));
    if (result === 'skipped') skipped.push(place);
    else if (result === 'created') {
      created += 1;
      losses.push(...found.losses.map((loss) => ({ place, loss })));
    } else problems.push({ place, problem: result.problem });
    if (interrupted?.aborted) break;
  }
  return { created, skipped, problems, losses };
}

interface Problem {
  readonly problem: string;
}

function problemIn({ place, room, problem }: FoundRoom, domains: readonly string[]): Problem | undefined {
  if (problem !== undefined) return { problem };
  if (!room) return { problem: 'there is no room' };
  const domain = place.slice(place.indexOf('@') + 1);
  if (domains.includes(domain)) return undefined;
  return { problem: `${domain} has no rooms here; the domains with rooms are: ${domains.join(', ')}` };
}

async function imported(
  { room, messages }: FoundRoom,
  operator: Operator<ServedDomains>,
  sent: RoomImportOptions['sent'],
): Promise<'created' | 'skipped' | Problem> {
  if (!room) throw new Error('there is no room to import');
  const pages = pagesOf(allMessages(room, messages));
  try {
    const first = await pages.next();
    const begin = { ...room, messages: first.done ? [] : first.value };
    const { number } = await operator.call(operations.beginRoomImportOperation, begin);
    if (number === undefined) return 'skipped';
    sent?.(begin.messages.length);
    for await (const page of pages) {
      await operator.call(operations.importRoomMessagesOperation, { number, messages: page });
      sent?.(page.length);
    }
    await operator.call(operations.endRoomImportOperation, { number });
    return 'created';
  } catch (error) {
    if (error instanceof OperationError) return { problem: error.message };
    throw error;
  }
}

async function* allMessages(room: PortableRoom, messages: FoundRoom['messages']): AsyncGenerator<PortableRoomMessage> {
  yield* room.messages;
  if (messages) yield* messages;
}

/** The messages in parts that fit into a request. */
async function* pagesOf(messages: AsyncIterable<PortableRoomMessage>): AsyncGenerator<PortableRoomMessage[]> {
  let page: PortableRoomMessage[] = [];
  let characters = 0;
  for await (const message of messages) {
    page.push(message);
    characters += message.xml.length;
    if (page.length < mostMessages && characters < mostCharacters) continue;
    yield page;
    page = [];
    characters = 0;
  }
  if (page.length > 0) yield page;
}
