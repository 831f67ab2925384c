import { z } from 'zod';
import { type BindableOperation, operation } from '../../../routing/operation.ts';
import type { Explanation } from '../run/explanation.ts';

/** The three words of a rule (XEP-0079 §4.2). */
export interface RuleWords {
  readonly action: string;
  readonly condition: string;
  readonly value: string;
}

/** A message to explain. It is not sent. */
export interface ExplainRequest {
  /** The message as XML. Without it, the message is made from `type` and `rules`. */
  readonly xml?: string | undefined;
  /** The sender. Replaces the one in the XML. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly type?: string | undefined;
  readonly rules?: readonly RuleWords[] | undefined;
  /** The time of arrival. The default is now. */
  readonly atMs?: number | undefined;
}

/** What would happen to a message. */
export interface ExplainReport extends Explanation {
  readonly from: string;
  readonly to: string;
  readonly at: string;
}

/** A message to send for the operator, and how long to wait for its outcome. */
export interface SendRequest {
  readonly to: string;
  /** A domain served here, one of its users or any address of a component, with or without a resource. The default is the first domain. */
  readonly from?: string | undefined;
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
  readonly body: string;
  readonly rules?: readonly RuleWords[] | undefined;
  readonly expireInMs?: number | undefined;
  readonly onExpiry?: string | undefined;
  readonly waitMs: number;
}

/** The outcome of a message. `gateway` left XMPP, `refused` was stopped by a rule or an error, `unknown` had no report during the wait. */
export type SendOutcome = 'delivered' | 'forwarded' | 'gateway' | 'stored' | 'expired' | 'refused' | 'unknown';

/** The outcome of a message, with the report that gave it. */
export interface SendReport {
  readonly outcome: SendOutcome;
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** The rule that decided the outcome. */
  readonly rule?: RuleWords | undefined;
  /** The condition of the error that came back. */
  readonly error?: string | undefined;
}

/** Explains messages and sends them, for the operator. */
export interface OperatorMessaging {
  explain(request: ExplainRequest): Promise<ExplainReport>;
  /** Resolves when the outcome is known, the wait is over, or the signal is aborted. */
  send(request: SendRequest, stopped: AbortSignal): Promise<SendReport>;
}

const text = z.string().min(1);
const dayMs = 86_400_000;
const longestExpiryMs = 3650 * dayMs;
/** Longer waits would overflow a timer. */
const longestWaitMs = 24 * dayMs;

const rule = z.strictObject({ action: z.string(), condition: z.string(), value: z.string() });
const messageType = z.enum(['chat', 'error', 'groupchat', 'headline', 'normal']);

const explainRequest: z.ZodType<ExplainRequest> = z.strictObject({
  xml: text.optional(),
  from: text.optional(),
  to: text.optional(),
  type: messageType.optional(),
  rules: z.array(rule).optional(),
  atMs: z.int().optional(),
});

const sendRequest: z.ZodType<SendRequest> = z.strictObject({
  to: text,
  from: text.optional(),
  type: messageType.exclude(['error']).optional(),
  subject: z.string().optional(),
  body: z.string(),
  rules: z.array(rule).optional(),
  expireInMs: z.int().min(0).max(longestExpiryMs).optional(),
  onExpiry: z.enum(['alert', 'drop', 'error', 'notify']).optional(),
  waitMs: z.int().min(0).max(longestWaitMs),
});

/** Explains what would happen to a message, without sending it. */
export const explainMessage = operation({
  method: 'POST',
  path: '/messages/explain',
  recorded: false,
  input: explainRequest,
  run: (messages: OperatorMessaging, request) => messages.explain(request),
});

/** Sends a message from the server or one of its users, and waits for the AMP reports about it. */
export const sendMessage = operation({
  method: 'POST',
  path: '/messages',
  subject: ({ to }) => to,
  input: sendRequest,
  run: (messages: OperatorMessaging, request, stopped) => messages.send(request, stopped),
});

/** The operations about messages. */
export const messageOperations: readonly BindableOperation<OperatorMessaging>[] = [explainMessage, sendMessage];
