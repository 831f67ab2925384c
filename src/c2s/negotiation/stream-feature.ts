import type { Jid } from '../../protocol/jid.ts';
import type { MaybePromise } from '../../routing/maybe-promise.ts';
import type { Device } from '../../routing/session.ts';
import type { ChannelBinding } from '../../tls/channel-binding.ts';
import type { TlsStart } from '../../tls/tls-options.ts';
import type { Element } from '../../xml/element.ts';
import type { Frame } from '../../xml/frame.ts';
import type { ClientSession } from '../client-session.ts';
import type { SessionStream } from '../session-stream.ts';

/** The facts about a stream that features see. */
export interface StreamFacts {
  /** The domain the client asked for. */
  readonly host: string;
  /** Whether TLS protects the stream. */
  readonly secure: boolean;
  /** How TLS starts on the stream. */
  readonly tlsStart: TlsStart;
  /** The authenticated bare JID. */
  readonly identity: Jid | undefined;
  readonly channelBindings: readonly ChannelBinding[];
  /** The peer's IP address. */
  readonly remoteAddress: string;
  /** The 'from' of the client's stream header, as it was written. */
  readonly headerFrom: string | undefined;
}

/** Handles the frames of a stream during an exchange. */
export interface FrameReceiver {
  receive(frame: Frame): MaybePromise<void>;
}

/** A stream under negotiation: the operations that features can use. */
export interface NegotiatingStream extends StreamFacts, SessionStream {
  readonly secure: boolean;
  readonly remoteAddress: string;
  send(element: Element): void;
  /**
   * Answers an element that is out of order, so that the client can go on. Before authentication it counts as a failure:
   * a stream with too many of them is closed.
   */
  refuse(answer: Element): void;
  /** Starts the TLS handshake. */
  secureNow(): void;
  /** Gives the frames that follow to a SASL exchange. */
  beginAuthentication(attempt: FrameReceiver): void;
  /** The client has authenticated and named its device. */
  identifyDevice(device: Device): void;
  /** SASL failed: back to the features; a stream that fails too often is closed. */
  authenticationFailed(): void;
  /** SASL succeeded and the client opens the stream anew (RFC 6120 §6.3.2). */
  restartAs(identity: Jid): void;
  /** SASL succeeded and the stream goes on (XEP-0388 §2.6.1); with a session the resource is bound already. */
  continueAs(identity: Jid, session?: ClientSession): void;
  /** A session continues on this stream (XEP-0198 §5): `takeOver` is called, unless the stream has ended. */
  resumed(session: ClientSession, takeOver: () => void): void;
  /** A resource is bound. */
  bound(session: ClientSession): void;
}

/** A stream feature that a client can negotiate (RFC 6120 §4.3.2). */
export interface StreamFeature {
  readonly name: string;
  /** Whether to offer the feature to the stream in its current state. */
  needs(facts: StreamFacts): boolean;
  /** True if nothing else is offered while this is. */
  readonly exclusive: boolean;
  /** Its elements in the stream features; may be empty. */
  offer(facts: StreamFacts): readonly Element[];
  /** Whether the client's element belongs to this feature. */
  handles(frame: Frame): boolean;
  /** Takes the client's element; throws StreamError. Called also if the feature was not offered. */
  negotiate(stream: NegotiatingStream, frame: Frame, offered: boolean): MaybePromise<void>;
}
