import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import { enabled, managementFailed, managementFeature, resumed } from '../../protocol/stream-management.ts';
import { countIn, readCount, wireCount } from '../../streams/acknowledgment/count.ts';
import { attribute, type Element } from '../../xml/element.ts';
import type { Frame } from '../../xml/frame.ts';
import type { ClientSession } from '../client-session.ts';
import type { NegotiatingStream, StreamFeature } from '../negotiation/stream-feature.ts';
import type { SessionStream } from '../session-stream.ts';
import type { ResumableSessions } from './resumable-sessions.ts';

/** Tells the client that it has resumed a session, and gives the session its stream, in one turn. */
type Takeover = (session: ClientSession, resumed: Element) => void;

/** Handles the elements of stream management that clients send (XEP-0198). */
export class StreamManagement {
  readonly #sessions: ResumableSessions;

  constructor(sessions: ResumableSessions) {
    this.#sessions = sessions;
  }

  /** Takes an element of a client with a bound resource. */
  take(frame: Frame, session: ClientSession): void {
    const { management, stream } = session;
    switch (frame.name) {
      case 'enable':
        if (management) throw StreamError.policyViolation('stream management is already enabled');
        return stream?.send(this.enable(session, frame.attribute('resume'), frame.attribute('max')));
      case 'r':
        return management ? management.acknowledger.requested() : stream?.send(refusal());
      case 'a':
        return management ? management.delivery.acknowledged(countIn(frame)) : stream?.send(refusal());
      case 'resume':
        return stream?.send(refusal());
      default:
        throw StreamError.unsupportedStanzaType(`<${frame.name}/> is not an element of stream management`);
    }
  }

  /** Begins stream management; the answer to the client (XEP-0198 §3). */
  enable(session: ClientSession, resume: string | undefined, max: string | undefined): Element {
    const wanted = readCount(max);
    return enabled(this.#sessions.enable(session, resume === 'true' || resume === '1', wanted || undefined));
  }

  /** The offer to a client that has authenticated; before a resource is bound it can only resume (XEP-0198 §2). */
  feature(): StreamFeature {
    return {
      name: 'stream-management',
      exclusive: false,
      needs: ({ identity }) => identity !== undefined,
      offer: () => [managementFeature()],
      handles: (frame) => frame.ns === ns.streamManagement,
      negotiate: (stream, frame) => {
        const { identity } = stream;
        if (!identity || frame.name !== 'resume') return stream.refuse(refusal());
        return this.#resumeBeforeBinding(stream, identity, frame.element());
      },
    };
  }

  async #resumeBeforeBinding(stream: NegotiatingStream, identity: Jid, request: Element): Promise<void> {
    const failed = await this.resume(identity, request, (session, element) => {
      stream.resumed(session, () => {
        stream.send(element);
        this.attach(session, stream);
      });
    });
    if (failed) stream.send(failed);
  }

  /** The session has been resumed, and the client was told so. */
  attach(session: ClientSession, stream: SessionStream): void {
    this.#sessions.attach(session, stream);
  }

  /** Resumes the session that a client asks for, by `takeOver`; answers `<failed/>` if it cannot (XEP-0198 §5). */
  async resume(identity: Jid, request: Element, takeOver: Takeover): Promise<Element | undefined> {
    const token = attribute(request, 'previd');
    const h = readCount(attribute(request, 'h'));
    if (token === undefined || h === undefined) return managementFailed(StanzaError.badRequest());
    const session = await this.#freed(token, identity);
    const { management } = session ?? {};
    if (!session || !management) return this.#unknown(token, identity);
    // Another stream has resumed it in the same turn of the event loop.
    if (session.ended || session.stream) return this.resume(identity, request, takeOver);
    session.resumedAt(h);
    takeOver(session, resumed(token, management.h));
    return undefined;
  }

  /** The session, once it has no stream and all its client has sent is final: a stanza that the client repeats must not count twice. */
  async #freed(token: string, identity: Jid): Promise<ClientSession | undefined> {
    for (;;) {
      const session = this.#sessions.find(token, identity);
      if (!session) return undefined;
      const { stream } = session;
      if (stream) {
        this.#sessions.detach(session);
        stream.close(StreamError.conflict('the session was resumed on another connection'));
      }
      await this.#sessions.settled(session);
      if (!session.ended && !session.stream) return session;
    }
  }

  async #unknown(token: string, identity: Jid): Promise<Element> {
    const handled = await this.#sessions.handledBeforeEnd(token, identity);
    const h = handled === undefined ? undefined : wireCount(handled);
    return managementFailed(StanzaError.itemNotFound(), h);
  }
}

/** XEP-0198 §3: out of order. */
function refusal(): Element {
  return managementFailed(StanzaError.unexpectedRequest());
}
