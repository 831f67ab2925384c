import type { Explanation } from '../../extensions/amp/explanation.ts';

/** The three words of a rule (XEP-0079 §4.2). */
export interface RuleWords {
  readonly action: string;
  readonly condition: string;
  readonly value: string;
}

/** A message that is not sent, to learn what would happen to it. */
export interface ExplainRequest {
  /** The message as XML; without it, one is made of `type` and `rules`. */
  readonly xml?: string | undefined;
  /** Who would send it; where given, it stands for the one in the XML. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly type?: string | undefined;
  readonly rules?: readonly RuleWords[] | undefined;
  /** When it would arrive; now if absent. */
  readonly atMs?: number | undefined;
}

/** What would happen to a message. */
export interface ExplainReport extends Explanation {
  readonly from: string;
  readonly to: string;
  readonly at: string;
}

/** A message from the server itself, and how long to wait for word of it. */
export interface SendRequest {
  readonly to: string;
  /** A domain served here, an address of one of its users, or any at a component, with a resource or without; else the first domain. */
  readonly from?: string | undefined;
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
  readonly body: string;
  readonly rules?: readonly RuleWords[] | undefined;
  readonly expireInMs?: number | undefined;
  readonly onExpiry?: string | undefined;
  readonly waitMs: number;
}

/**
 * What has become of a message: handed to a client, passed on, stored, expired, stopped by a rule or an error, or nobody
 * said in time.
 */
export type SendOutcome = 'delivered' | 'forwarded' | 'gateway' | 'stored' | 'expired' | 'refused' | 'unknown';

/** What a sender was told of its message. */
export interface SendReport {
  readonly outcome: SendOutcome;
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** The rule that decided. */
  readonly rule?: RuleWords | undefined;
  /** The condition of the error that came back. */
  readonly error?: string | undefined;
}

/** What an operator can do with messages, of a running server. */
export interface MessageOperations {
  /** Says what would happen to a message, and does nothing. */
  explainMessage(request: ExplainRequest): Promise<ExplainReport>;
  /** Sends a message as the server or as somebody of it, and waits for what AMP reports of it. */
  sendMessage(request: SendRequest): Promise<SendReport>;
}
