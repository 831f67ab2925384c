import { ns } from '../../protocol/namespaces.ts';
import { bareOf, resourceOf } from './address.ts';
import { correctedId, takeCorrection, takeEarlierCorrection } from './corrections.ts';
import { childOf, el, elementsOf, textOf, type XmlElement } from './element.ts';
import { fileOf } from './files.ts';
import { takeMark } from './read-marks.ts';
import { takeFailure, takeReport } from './reports.ts';
import { retractedId, takeRetraction } from './retractions.ts';
import { rulesOf } from './rules.ts';
import {
  addMessage,
  type ChatState,
  type Conversation,
  conversationWith,
  hasId,
  type Message,
  roomAround,
} from './state.ts';

/** How a message came to the page. */
export interface Arrival {
  readonly nowMs: number;
  /** The origins whose files the page may show. */
  readonly origins: readonly string[];
  /** The conversation that the user looks at. */
  readonly open: string | undefined;
  /** For a message from an archive: its id there. */
  readonly archiveId?: string;
  /** For a message from the archive of a room: that room. */
  readonly room?: string;
  /** Somebody else has written just now. */
  readonly noticed?: (conversation: Conversation, message: Message) => void;
}

/** Puts a message where it belongs. Returns the stanzas to send in answer. */
export function takeMessage(state: ChatState, stanza: XmlElement, arrival: Arrival): readonly XmlElement[] {
  const { from = '', type } = stanza.attributes;
  const sender = from === '' ? state.me : bareOf(from);
  const carbon = elementsOf(stanza).find((child) => child.ns === ns.carbons);
  if (carbon) {
    // Anybody else could put words into the mouths of others.
    if (sender !== state.me) return [];
    const copied = forwardedIn(carbon);
    if (copied) takeMessage(state, copied.message, { ...arrival, nowMs: copied.atMs ?? arrival.nowMs });
    return [];
  }
  if (takeFailure(state, stanza) || takeReport(state, stanza)) return [];
  if (type === 'groupchat') return takeGroupchat(state, stanza, arrival);
  return takeChat(state, stanza, arrival);
}

/** A message inside `<forwarded/>` (XEP-0297), and when it was sent. */
export function forwardedIn(
  element: XmlElement | undefined,
): { message: XmlElement; atMs: number | undefined } | undefined {
  const forwarded = childOf(element, 'forwarded', ns.forward);
  const message = childOf(forwarded, 'message', ns.client);
  return message && { message, atMs: stampOf(forwarded) };
}

/** The time in a `<delay/>` (XEP-0203). */
function stampOf(element: XmlElement | undefined): number | undefined {
  const stamp = Date.parse(childOf(element, 'delay', ns.delay)?.attributes['stamp'] ?? '');
  return Number.isNaN(stamp) ? undefined : stamp;
}

function takeGroupchat(state: ChatState, stanza: XmlElement, arrival: Arrival): readonly XmlElement[] {
  const { from = '', id = '' } = stanza.attributes;
  const [jid, nick] = [bareOf(from), resourceOf(from)];
  const conversation = state.conversations.get(jid);
  const room = conversation?.room;
  if (!conversation || !room) return [];
  const subject = childOf(stanza, 'subject', ns.client);
  const body = childOf(stanza, 'body', ns.client);
  const retracted = retractedId(stanza);
  if (retracted !== undefined) {
    const occupant = occupantIdOf(stanza);
    const author = { from: nick, mine: nick === room.nick, occupant, isRoom: nick === '' };
    takeRetraction(conversation, retracted, author);
    return [];
  }
  if (subject && !body) {
    if (arrival.archiveId === undefined) room.subject = textOf(subject);
    return [];
  }
  const isGone = isTombstone(stanza);
  if (!body && !isGone) return [];
  const mine = nick === room.nick;
  const message = messageFrom(stanza, arrival, { id, from: nick, mine, archive: jid });
  if (mine) {
    const sent = conversation.messages.find((other) => other.mine && hasId(other, id));
    if (sent?.progress === 'sending' || sent?.progress === 'lost') sent.progress = 'sent';
  }
  place(conversation, stanza, message, arrival);
  return [];
}

/** Puts a message into its conversation, in the place of the one that it corrects. Returns whether it was not there before. */
function place(conversation: Conversation, stanza: XmlElement, message: Message, arrival: Arrival): boolean {
  const corrected = correctedId(stanza);
  if (corrected !== undefined && takeCorrection(conversation, corrected, message)) return true;
  const added = addMessage(conversation, corrected === undefined ? message : { ...message, corrects: corrected });
  if (!added) return false;
  takeEarlierCorrection(conversation, added);
  if (added.mine) conversation.unread = 0;
  if (added.mine || arrival.archiveId !== undefined) return true;
  if (arrival.open !== conversation.jid) conversation.unread++;
  arrival.noticed?.(conversation, added);
  return true;
}

function takeChat(state: ChatState, stanza: XmlElement, arrival: Arrival): readonly XmlElement[] {
  const { from = state.me, to = state.me, id = '', type } = stanza.attributes;
  const mine = bareOf(from) === state.me;
  const peer = peerOf(state, mine ? to : from);
  const archiveId = arrival.archiveId ?? archiveIdOf(stanza, state.me);
  if (archiveId !== undefined && arrival.archiveId === undefined) state.newest = archiveId;
  const known = state.conversations.get(peer);
  if (takeInvitation(state, stanza, arrival) || takeReceipt(state, stanza, peer)) return [];
  takeComposing(state, stanza, peer, mine);
  if (takeMark(known, stanza, mine)) return [];
  const retracted = retractedId(stanza);
  if (retracted !== undefined) {
    takeRetraction(known, retracted, { from: mine ? state.me : peer, mine });
    return [];
  }
  if ((!childOf(stanza, 'body', ns.client) && !isTombstone(stanza)) || type === 'headline' || known?.room) return [];
  const conversation = conversationWith(state, peer);
  const author = mine ? state.me : peer;
  const message = messageFrom(stanza, arrival, { id, from: author, mine, archive: state.me });
  const isNew = place(conversation, stanza, message, arrival);
  if (!isNew || mine || arrival.archiveId !== undefined) return [];
  return wantsReceipt(stanza) ? [receipt(from, id, type)] : [];
}

/** Whose conversation a message belongs to: each occupant of a room has one (XEP-0045 §7.5). */
function peerOf(state: ChatState, jid: string): string {
  return roomAround(state, jid) ? jid : bareOf(jid);
}

interface Origin {
  readonly id: string;
  readonly from: string;
  readonly mine: boolean;
  /** The address whose archive has the message. */
  readonly archive: string;
}

function messageFrom(stanza: XmlElement, arrival: Arrival, { id, from, mine, archive }: Origin): Message {
  const text = textOf(childOf(stanza, 'body', ns.client));
  return {
    id,
    archiveId: arrival.archiveId ?? archiveIdOf(stanza, archive),
    from,
    mine,
    author: occupantIdOf(stanza),
    text,
    file: fileOf(stanza, text, arrival.origins),
    atMs: stampOf(stanza) ?? arrival.nowMs,
    rules: mine ? rulesOf(stanza) : [],
    progress: 'sent',
    outcomes: [],
    ...(isTombstone(stanza) && { isRetracted: true }),
    ...(childOf(stanza, 'markable', ns.chatMarkers) && { isMarkable: true }),
  };
}

/** In a room: the id of the author, which stays when the nickname changes (XEP-0421). */
function occupantIdOf(stanza: XmlElement): string | undefined {
  return childOf(stanza, 'occupant-id', ns.occupantId)?.attributes['id'];
}

/** Whether an archive has this in the place of a message that was taken back (XEP-0424 §5). */
function isTombstone(stanza: XmlElement): boolean {
  return childOf(stanza, 'retracted', ns.retraction) !== undefined;
}

/** The id that an archive has given to a message (XEP-0359). Only the id of the archive's owner counts. */
function archiveIdOf(stanza: XmlElement, archive: string): string | undefined {
  const ids = elementsOf(stanza).filter(({ name, ns: its }) => name === 'stanza-id' && its === ns.stanzaId);
  return ids.find(({ attributes }) => attributes['by'] === archive)?.attributes['id'];
}

function wantsReceipt(stanza: XmlElement): boolean {
  return childOf(stanza, 'request', ns.receipts) !== undefined && stanza.attributes['id'] !== undefined;
}

function receipt(to: string, id: string, type: string | undefined): XmlElement {
  return el(ns.client, 'message', { to, type }, el(ns.receipts, 'received', { id }), el(ns.hints, 'store'));
}

/** Takes a delivery receipt (XEP-0184). */
function takeReceipt(state: ChatState, stanza: XmlElement, peer: string): boolean {
  const received = childOf(stanza, 'received', ns.receipts);
  if (!received) return false;
  const id = received.attributes['id'];
  const message = state.conversations.get(peer)?.messages.find((one) => one.mine && hasId(one, id));
  if (message && message.progress !== 'failed' && message.progress !== 'read') message.progress = 'received';
  return true;
}

/** Takes the chat state of a contact (XEP-0085). */
function takeComposing(state: ChatState, stanza: XmlElement, peer: string, mine: boolean): void {
  const conversation = state.conversations.get(peer);
  const chatState = elementsOf(stanza).find((child) => child.ns === ns.chatStates);
  if (!conversation || mine || (!chatState && !childOf(stanza, 'body', ns.client))) return;
  conversation.composing = chatState?.name === 'composing';
}

/** Takes an invitation to a room: from the room (XEP-0045 §7.8.2) or from a contact (XEP-0249). */
function takeInvitation(state: ChatState, stanza: XmlElement, { archiveId }: Arrival): boolean {
  const from = bareOf(stanza.attributes['from'] ?? '');
  const mediated = childOf(childOf(stanza, 'x', ns.mucUser), 'invite', ns.mucUser);
  const direct = childOf(stanza, 'x', ns.directInvitation);
  if (!mediated && !direct) return false;
  // Old invitations were seen before.
  if (archiveId !== undefined || from === state.me) return true;
  const room = mediated ? from : bareOf(direct?.attributes['jid'] ?? '');
  if (room === '' || state.conversations.get(room)?.room) return true;
  const inviter = mediated ? (mediated.attributes['from'] ?? from) : from;
  const reason = mediated ? textOf(childOf(mediated, 'reason', ns.mucUser)) : (direct?.attributes['reason'] ?? '');
  state.invitations.set(room, { room, from: inviter, reason });
  return true;
}
