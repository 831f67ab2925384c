import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { iqResult } from '../protocol/stanza-replies.ts';
import type { Element } from '../xml/element.ts';
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
  /** Runs something when the answer has been sent, before anything else can be sent. */
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

/** How the results of a table reach the requesters. */
type SendResult = (result: Stanza) => MaybePromise<void>;

interface Registered<Ends extends IqEnds> {
  readonly owner: string;
  readonly handler: IqHandlerFor<Ends>;
}

/** The iq handlers of one part of the server, found by scope, type, namespace and name. */
export class IqTable<Ends extends IqEnds> {
  readonly #send: SendResult;
  readonly #handlers = new Map<string, Registered<Ends>>();

  constructor(send: SendResult) {
    this.#send = send;
  }

  /** Adds the handlers of `owner`, an extension or a service. Throws if one of them answers what another one answers already. */
  add(owner: string, handlers: readonly IqHandlerFor<Ends>[]): void {
    for (const handler of handlers) {
      for (const scope of handler.scopes) this.#register(scope, { owner, handler });
    }
  }

  /** Answers a request. Throws `service-unavailable` if no handler does (RFC 6120 §8.4), or the StanzaError of the handler. */
  handle(iq: Stanza, ends: Ends): MaybePromise<void> {
    const child = iq.payload.children[0];
    const found = child && this.#handlers.get(keyOf(ends.scope, iq.type === 'set' ? 'set' : 'get', child));
    if (!found) throw StanzaError.serviceUnavailable();
    const later: (() => void)[] = [];
    const afterwards = (run: () => void) => void later.push(run);
    const answer = found.handler.handle({ ...ends, stanza: iq, payload: iq.payload.element(child), afterwards });
    return then(answer, (payload) => {
      const sent = this.#send(iqResult(iq, payload).with({ from: ends.to, to: ends.from }));
      return then(sent, () => {
        for (const run of later) run();
      });
    });
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
