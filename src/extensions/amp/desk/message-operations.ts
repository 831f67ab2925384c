import { z } from 'zod';
import { type BindableOperation, operation } from '../../../routing/operation.ts';
import type { Explanation } from '../run/explanation.ts';

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

/** Explains and sends messages. */
export interface MessageDesk {
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

/** Says what would happen to a message, and does nothing. */
export const explainMessage = operation({
  method: 'POST',
  path: '/messages/explain',
  input: explainRequest,
  run: (desk: MessageDesk, request) => desk.explain(request),
});

/** Sends a message as the server or in the name of one of its users, and waits for what AMP reports of it. */
export const sendMessage = operation({
  method: 'POST',
  path: '/messages',
  input: sendRequest,
  durationMs: ({ waitMs }) => waitMs,
  run: (desk: MessageDesk, request, stopped) => desk.send(request, stopped),
});

/** The operations about messages. */
export const messageOperations: readonly BindableOperation<MessageDesk>[] = [explainMessage, sendMessage];
