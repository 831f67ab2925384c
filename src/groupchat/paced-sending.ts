import { type MaybePromise, useAll } from '../routing/maybe-promise.ts';
import type { TurnBudget } from '../support/turn-budget.ts';
import type { Announcement } from './room/decision.ts';

/** How many copies are sent before the time is looked at. */
const copiesInPiece = 50;

type Send = (announcements: readonly Announcement[]) => MaybePromise<void>;

/** Some announcements that are sent together. */
interface Piece {
  readonly announcements: readonly Announcement[];
  /** Copies of presence. */
  readonly copies: number;
}

/**
 * Sends announcements in their order. Presence is sent within the budget of a turn: somebody who enters a room brings presence from everybody and
 * to everybody. Messages wait for presence before them only.
 */
export function sendPaced(
  announcements: readonly Announcement[],
  turns: Pick<TurnBudget, 'take'>,
  send: Send,
): MaybePromise<void> {
  if (!announcements.some(isPresence)) return send(announcements);
  const sent: Promise<void>[] = [];
  const all = sendRest(piecesOf(announcements), turns, (piece) => {
    const pending = send(piece);
    if (pending instanceof Promise) sent.push(pending);
  });
  if (all === undefined && sent.length === 0) return undefined;
  return Promise.resolve(all).then(() => useAll(sent, (one) => one));
}

/** Goes on until the budget is used up, and then in a later turn. */
function sendRest(
  pieces: Iterator<Piece, void>,
  turns: Pick<TurnBudget, 'take'>,
  send: (announcements: readonly Announcement[]) => void,
): MaybePromise<void> {
  for (let next = pieces.next(); !next.done; next = pieces.next()) {
    const { announcements, copies } = next.value;
    const turn = copies > 0 ? turns.take(copies) : undefined;
    if (turn) {
      return turn.then(() => {
        send(announcements);
        return sendRest(pieces, turns, send);
      });
    }
    send(announcements);
  }
  return undefined;
}

/** Announcements in pieces: presence in small ones, and whatever else follows each of these. */
function* piecesOf(announcements: readonly Announcement[]): Generator<Piece, void> {
  let piece: Announcement[] = [];
  let copies = 0;
  for (const one of announcements) {
    if (!isPresence(one)) {
      piece.push(one);
      continue;
    }
    for (let from = 0; from < one.to.length; from += copiesInPiece) {
      const to = one.to.length <= copiesInPiece ? one.to : one.to.slice(from, from + copiesInPiece);
      if (copies > 0 && copies + to.length > copiesInPiece) {
        yield { announcements: piece, copies };
        piece = [];
        copies = 0;
      }
      piece.push(to === one.to ? one : { ...one, to });
      copies += to.length;
    }
  }
  if (piece.length > 0) yield { announcements: piece, copies };
}

function isPresence({ stanza }: Announcement): boolean {
  return stanza.kind === 'presence';
}
