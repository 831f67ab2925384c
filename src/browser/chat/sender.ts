import { ns } from '../../protocol/namespaces.ts';
import { randomId } from './base64.ts';
import { correctionElement } from './corrections.ts';
import { el } from './element.ts';
import { sharedFile } from './files.ts';
import { retractionId } from './retractions.ts';
import { type Rule, rulesElement } from './rules.ts';
import type { Session } from './session.ts';
import { addMessage, type ChatState, type Conversation, type Message, roomAround } from './state.ts';
import { renew } from './undelivered.ts';

/** Dependencies of the sender. */
interface SenderDeps {
  readonly session: Pick<Session, 'send'>;
  readonly state: ChatState;
  /** The origins of the files of this server. */
  readonly origins: readonly string[];
  /** Uploads a file. Resolves with its address. */
  readonly upload: (file: File) => Promise<string>;
  /** The state has changed. */
  readonly changed: () => void;
}

/** What a message has beside its text. */
interface Sending {
  readonly rules?: readonly Rule[];
  /** The device that is to get it. */
  readonly device?: string | undefined;
  /** Its text is the address of a file. */
  readonly isFile?: boolean;
}

/** Sends the messages of the user, and puts them into their conversations. */
export class Sender {
  readonly #deps: SenderDeps;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  /** Sends a message to a contact, a room or an occupant. */
  say(conversation: Conversation, text: string, { rules = [], device, isFile = false }: Sending = {}): void {
    const { state, origins } = this.#deps;
    const { room } = conversation;
    const message: Message = {
      id: randomId(),
      archiveId: undefined,
      from: room ? room.nick : state.me,
      mine: true,
      text,
      file: isFile ? sharedFile(text, origins) : undefined,
      atMs: Date.now(),
      rules,
      device,
      progress: 'sending',
      outcomes: [],
    };
    this.#send(conversation, message);
    addMessage(conversation, message);
    this.#deps.changed();
  }

  /** Sends a message again that was not delivered, with the same text and the same rules. */
  sendAgain(conversation: Conversation, message: Message): void {
    const { id: original, correction } = message;
    const id = renew(conversation, message, randomId(), Date.now());
    this.#send(conversation, { ...message, id }, correction && original);
    this.#deps.changed();
  }

  /** Sends to a room what it has not confirmed: the user has come back, and the archive of the room does not have it. */
  repeat(conversation: Conversation): void {
    for (const message of conversation.messages) {
      if (message.mine && message.progress === 'sending') {
        const { correction } = message;
        this.#send(conversation, correction ? { ...message, id: correction.id } : message, correction && message.id);
      }
      if (message.retraction !== undefined && !message.isRetracted) this.retract(conversation, message);
    }
  }

  /** Corrects a message of the user (XEP-0308). */
  correct(conversation: Conversation, message: Message, text: string): void {
    if (text === message.text) return;
    const id = randomId();
    message.text = text;
    message.correction = { id, atMs: Date.now() };
    this.#send(conversation, { ...message, id }, message.id);
    message.progress = 'sending';
    this.#deps.changed();
  }

  /** Takes a message of the user back (XEP-0424). It is gone when the server has handled this, or the room tells of it. */
  retract(conversation: Conversation, message: Message): void {
    const { session, changed } = this.#deps;
    const { jid, room } = conversation;
    const id = randomId();
    message.retraction = id;
    const element = el(ns.retraction, 'retract', { id: retractionId(conversation, message) });
    const body = el(ns.client, 'body', {}, 'This person has taken back a message, which your app still shows.');
    const content = [element, el(ns.fallback, 'fallback', { for: ns.retraction }), body, el(ns.hints, 'store')];
    session.send(el(ns.client, 'message', { type: room ? 'groupchat' : 'chat', id, to: jid }, ...content));
    changed();
  }

  /** Tells the contact whether the user is writing (XEP-0085). */
  compose({ jid, room }: Conversation, chatState: 'active' | 'composing' | 'paused'): void {
    const { session, state } = this.#deps;
    if (room || !state.contacts.get(jid)?.devices.size) return;
    session.send(
      el(ns.client, 'message', { type: 'chat', to: jid }, el(ns.chatStates, chatState), el(ns.hints, 'no-store')),
    );
  }

  /** Uploads a file and sends its address. */
  async share(conversation: Conversation, file: File): Promise<void> {
    this.say(conversation, await this.#deps.upload(file), { isFile: true });
  }

  /** Sends a message, or a correction of the one with the id `corrects`. */
  #send({ jid, room }: Conversation, { id, text, file, rules, device }: Message, corrects?: string): void {
    const { session, state } = this.#deps;
    const more = [
      file && el(ns.outOfBand, 'x', {}, el(ns.outOfBand, 'url', {}, text)),
      corrects === undefined ? undefined : correctionElement(corrects),
      rulesElement(rules),
    ];
    const to = device === undefined ? jid : `${jid}/${device}`;
    const wanted = [el(ns.receipts, 'request'), el(ns.chatMarkers, 'markable'), el(ns.chatStates, 'active')];
    const forOne = room ? [] : wanted;
    // For the archive and the other devices of the user (XEP-0045 §7.5).
    const forOccupant = roomAround(state, jid) && el(ns.mucUser, 'x');
    const body = el(ns.client, 'body', {}, text);
    const type = room ? 'groupchat' : 'chat';
    session.send(el(ns.client, 'message', { type, id, to }, body, ...more, ...forOne, forOccupant));
  }
}
