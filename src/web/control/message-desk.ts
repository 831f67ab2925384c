import type { Explanation } from '../../extensions/amp/explanation.ts';
import { ampElement } from '../../extensions/amp/written-rules.ts';
import { formatDateTime } from '../../protocol/date-time.ts';
import { Jid, JidError } from '../../protocol/jid.ts';
import { randomId } from '../../protocol/random-id.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import type { Eventually } from '../../routing/eventually.ts';
import type { Mailboxes } from '../../routing/mailboxes.ts';
import type { Clock } from '../../support/clock.ts';
import { type Element, xml } from '../../xml/element.ts';
import { parseFrame } from '../../xml/parse-frame.ts';
import { XmlError } from '../../xml/xml-error.ts';
import type {
  ExplainReport,
  ExplainRequest,
  MessageOperations,
  RuleWords,
  SendReport,
  SendRequest,
} from './message-operations.ts';
import { OperationError } from './operation-error.ts';
import { tidingsOf } from './tidings.ts';

/** What the desk needs of the running server. */
export interface MessageDeskParts {
  readonly domains: readonly string[];
  readonly clock: Clock;
  readonly mailboxes: Mailboxes;
  /** Puts a message on the road. */
  readonly route: (message: Stanza) => Eventually<void>;
  /** What would happen to a message, from its sender to its recipient. */
  readonly explain: (message: Stanza, sender: Jid, recipient: Jid, nowMs: number) => Eventually<Explanation>;
}

/** What makes every outcome known, behind the rules that were asked for (XEP-0079 §3.3.1). */
const tellAll: readonly RuleWords[] = ['direct', 'stored', 'forward', 'gateway', 'none'].map((value) => {
  return { action: 'notify', condition: 'deliver', value };
});

/** Sends messages for the operator, and says what would happen to them. */
export class MessageDesk implements MessageOperations {
  readonly #parts: MessageDeskParts;

  constructor(parts: MessageDeskParts) {
    this.#parts = parts;
  }

  async explainMessage(request: ExplainRequest): Promise<ExplainReport> {
    const nowMs = request.atMs ?? this.#parts.clock.nowMs();
    const message = messageOf(request);
    const { from, to } = message;
    if (!from || !to) throw new OperationError('invalid', 'Say who sends the message, and to whom.');
    const explanation = await this.#parts.explain(message, from, to, nowMs);
    return { from: from.toString(), to: to.toString(), at: formatDateTime(nowMs), ...explanation };
  }

  async sendMessage(request: SendRequest): Promise<SendReport> {
    const { clock, mailboxes, route } = this.#parts;
    const to = address(request.to);
    const from = this.#sender(request.from);
    const sentAtMs = clock.nowMs();
    const id = randomId();
    const content = [...written('subject', request.subject), xml('body', {}, request.body)];
    const rules = ampElement({}, rulesOf(request, sentAtMs));
    const message = Stanza.message({ from, to, id, type: request.type ?? 'chat' }, ...content, rules);
    const { promise, resolve } = Promise.withResolvers<void>();
    let report: SendReport = { outcome: 'unknown', id, from: from.toString(), to: to.toString() };
    const take = (answer: Stanza) => {
      if (answer.id !== id) return;
      const tidings = tidingsOf(answer);
      if (tidings) report = { ...report, ...tidings };
      if (tidings && !isAwaited(report, request)) resolve();
    };
    if (!mailboxes.open(from, take)) throw new OperationError('conflict', `${from} is waiting for an answer already.`);
    const timer = clock.after(request.waitMs, resolve);
    try {
      await route(message);
      await promise;
      return report;
    } finally {
      timer.cancel();
      mailboxes.close(from);
    }
  }

  /** An address of the server that nobody else uses. */
  #sender(text: string | undefined): Jid {
    const { domains } = this.#parts;
    const jid = address(text ?? domains[0] ?? '');
    if (jid.local !== '' || !domains.includes(jid.domain)) {
      throw new OperationError(
        'invalid',
        `The server sends as one of its domains (${domains.join(', ')}), not as ${jid}.`,
      );
    }
    return jid.resource === '' ? jid.withResource(randomId()) : jid;
  }
}

/** Whether there is more to come: a stored message may expire before the wait is over, and an error tells why nothing is delivered. */
function isAwaited({ outcome, rule, error }: SendReport, { type, expireInMs, waitMs }: SendRequest): boolean {
  if (outcome === 'stored') return expireInMs !== undefined && expireInMs < waitMs;
  // RFC 6121 §8.5.2.2.3: nobody hears of a headline that is not delivered.
  return rule?.action === 'notify' && rule.value === 'none' && error === undefined && type !== 'headline';
}

/** The server may know everything: what is to be dropped is dropped with an alert, so that the outcome is known. */
function rulesOf({ rules = [], expireInMs, onExpiry = 'drop' }: SendRequest, nowMs: number): RuleWords[] {
  const expiry =
    expireInMs === undefined
      ? []
      : [{ action: onExpiry, condition: 'expire-at', value: formatDateTime(nowMs + expireInMs) }];
  const asked = [...rules, ...expiry].map((rule) => (rule.action === 'drop' ? { ...rule, action: 'alert' } : rule));
  return [...asked, ...tellAll];
}

function messageOf({ xml: text, from, to, type, rules }: ExplainRequest): Stanza {
  const given = text === undefined ? made(type, rules) : parsed(text);
  return given.with({
    ...(from !== undefined && { from: address(from) }),
    ...(to !== undefined && { to: address(to) }),
  });
}

function made(type: string | undefined, rules: readonly RuleWords[] = []): Stanza {
  const amp = rules.length > 0 ? [ampElement({}, rules)] : [];
  return Stanza.message({ id: randomId(), type: type ?? 'chat' }, xml('body', {}, 'A message'), ...amp);
}

function parsed(text: string): Stanza {
  try {
    const stanza = Stanza.fromFrame(parseFrame(text));
    if (stanza.kind === 'message') return stanza;
    throw new OperationError('invalid', `A message is needed, not <${stanza.kind}/>.`);
  } catch (error) {
    if (!(error instanceof XmlError || error instanceof StanzaError || error instanceof StreamError)) throw error;
    throw new OperationError('invalid', `The stanza cannot be read: ${error.message}.`);
  }
}

function written(name: string, text: string | undefined): Element[] {
  return text === undefined ? [] : [xml(name, {}, text)];
}

function address(text: string): Jid {
  try {
    return Jid.parse(text);
  } catch (error) {
    if (!(error instanceof JidError)) throw error;
    throw new OperationError('invalid', `${JSON.stringify(text)} is not an address: its ${error.message}.`);
  }
}
