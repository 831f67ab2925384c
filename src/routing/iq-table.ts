import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { iqResult } from '../protocol/stanza-replies.ts';
import type { Element } from '../xml/element.ts';
import type { IqReplies } from './iq-replies.ts';
import { type MaybePromise, then } from './maybe-promise.ts';

/** The two ends of an iq request, and the scope in which a table looks for its handler. */
export interface IqEnds<Scope extends string = string> {
  /** The requester: a full JID, or a remote entity. */
  readonly from: Jid;
  /** The address that answers. */
  readonly to: Jid;
  readonly scope: Scope;
}

/** An iq of type get or set, apart from its ends. */
export interface IqContent {
  readonly stanza: Stanza;
  /** The one child of the iq. */
  readonly payload: Element;
  /**
   * Sends messages to the requester before the result; to a client of this server, at the pace at which it reads. 'to' becomes the
   * requester, and a missing 'from' the address of the request. They are not judged, recorded or stored. Await the promise before the
   * next call and before returning the result. While the client still has to read some of them, the server handles its next stanzas,
   * because its acknowledgments are among them. Throws StanzaError.
   */
  sendAhead(messages: Iterable<Stanza>): MaybePromise<void>;
  /** Calls `run` after the result was sent and before anything else can be sent. */
  afterwards(run: () => void): void;
}

/** Answers one kind of iq request with one payload element. */
export interface IqHandlerFor<Ends extends IqEnds> {
  readonly name: string;
  readonly ns: string;
  readonly type: 'get' | 'set';
  readonly scopes: readonly Ends['scope'][];
  /** Returns the payload of the result, or nothing for an empty one; throws StanzaError to refuse. */
  handle(request: Ends & IqContent): MaybePromise<Element | undefined>;
}

interface Registered<Ends extends IqEnds> {
  readonly owner: string;
  readonly handler: IqHandlerFor<Ends>;
}

/** What a table uses to answer. */
export type Replies = Pick<IqReplies, 'send' | 'sendMessages' | 'refuse'>;

/** The iq handlers of one part of the server, found by scope, type, namespace and name. */
export class IqTable<Ends extends IqEnds> {
  readonly #replies: Replies;
  readonly #handlers = new Map<string, Registered<Ends>>();

  constructor(replies: Replies) {
    this.#replies = replies;
  }

  clear(): void {
    this.#handlers.clear();
  }

  /** Adds the handlers of `owner`, an extension or a service. Throws an Error if a request has two handlers. */
  add(owner: string, handlers: readonly IqHandlerFor<Ends>[]): void {
    for (const handler of handlers) {
      for (const scope of handler.scopes) this.#register(scope, { owner, handler });
    }
  }

  /** Whether a handler answers a request in a scope. */
  has(iq: Stanza, scope: Ends['scope']): boolean {
    return this.#find(iq, scope) !== undefined;
  }

  /** Answers a request. Throws `service-unavailable` if no handler does (RFC 6120 §8.4), or the StanzaError of the handler. */
  handle(iq: Stanza, ends: Ends): MaybePromise<void> {
    const child = iq.payload.children[0];
    const found = this.#find(iq, ends.scope);
    if (!found || !child) throw StanzaError.serviceUnavailable();
    const turn = new Turn();
    const later: (() => void)[] = [];
    const request = {
      ...ends,
      stanza: iq,
      payload: iq.payload.element(child),
      afterwards: (run: () => void) => void later.push(run),
      sendAhead: (messages: Iterable<Stanza>) => {
        const sent = this.#replies.sendMessages(replying(messages, ends), ends.from);
        if (sent instanceof Promise) turn.end();
        return sent;
      },
    };
    const answered = then(found.handler.handle(request), (payload) => {
      const sent = this.#replies.send(iqResult(iq, payload).with({ from: ends.to, to: ends.from }));
      return then(sent, () => {
        for (const run of later) run();
      });
    });
    return answered instanceof Promise ? turn.lasts(answered, (error) => this.#replies.refuse(iq, error)) : undefined;
  }

  #find(iq: Stanza, scope: Ends['scope']): Registered<Ends> | undefined {
    const child = iq.payload.children[0];
    return child && this.#handlers.get(keyOf(scope, iq.type === 'set' ? 'set' : 'get', child));
  }

  #register(scope: Ends['scope'], registered: Registered<Ends>): void {
    const { type, name, ns } = registered.handler;
    const key = keyOf(scope, type, { name, ns });
    const other = this.#handlers.get(key);
    if (other) {
      const owners = `${other.owner} and ${registered.owner}`;
      throw new Error(
        `${owners} both answer an iq of type ${type} with <${name} xmlns="${ns}"/> in the scope ${scope}`,
      );
    }
    this.#handlers.set(key, registered);
  }
}

function keyOf(
  scope: string,
  type: 'get' | 'set',
  { name, ns }: { readonly name: string; readonly ns: string },
): string {
  // A namespace may contain any character, so it comes last.
  return `${scope} ${type} ${name} ${ns}`;
}

function* replying(messages: Iterable<Stanza>, { from, to }: IqEnds): Generator<Stanza> {
  for (const message of messages) yield message.with({ from: message.from ?? to, to: from });
}

/** The time during which the requester's next stanza waits for the answer to this one. */
class Turn {
  #over = false;
  #resolve: (() => void) | undefined;

  end(): void {
    this.#over = true;
    this.#resolve?.();
  }

  /** Settles like `work`, or resolves when the turn ends. An error after that goes to `failed`. */
  lasts(work: Promise<void>, failed: (error: unknown) => MaybePromise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      work.then(resolve, (error: unknown) => (this.#over ? failed(error) : reject(error)));
      if (this.#over) resolve();
    });
  }
}
