import { formatDateTime } from '../../../protocol/date-time.ts';
import type { Jid } from '../../../protocol/jid.ts';
import { randomId } from '../../../protocol/random-id.ts';
import { Stanza } from '../../../protocol/stanza.ts';
import { StanzaError } from '../../../protocol/stanza-error.ts';
import { StreamError } from '../../../protocol/stream-error.ts';
import type { Mailboxes } from '../../../routing/mailboxes.ts';
import { type MaybePromise, then } from '../../../routing/maybe-promise.ts';
import { operatorAddress } from '../../../routing/operation.ts';
import { OperationError } from '../../../routing/operation-error.ts';
import type { Clock } from '../../../support/clock.ts';
import { type Element, xml } from '../../../xml/element.ts';
import { isXmlText } from '../../../xml/escape.ts';
import { parseFrame } from '../../../xml/parse-frame.ts';
import { XmlError } from '../../../xml/xml-error.ts';
import { ampElement } from '../element/written-rules.ts';
import type { Explanation } from '../run/explanation.ts';

import type {
  ExplainReport,
  ExplainRequest,
  OperatorMessaging,
  RuleWords,
  SendReport,
  SendRequest,
} from './message-operations.ts';
import { PendingSend } from './pending-send.ts';

/** Dependencies of the messages of the operator. */
interface OperatorMessagesDeps {
  readonly domains: readonly string[];
  /** The domains of components. */
  readonly components: readonly string[];
  readonly hasAccount: (jid: Jid) => MaybePromise<boolean>;
  readonly clock: Clock;
  readonly mailboxes: Mailboxes;
  /** Sends a message through the server. */
  readonly route: (message: Stanza) => MaybePromise<void>;
  /** Explains what would happen to a message. */
  readonly explain: (message: Stanza, sender: Jid, recipient: Jid, nowMs: number) => MaybePromise<Explanation>;
}

/** Rules that report every outcome. They come after the rules of the request (XEP-0079 §3.3.1). */
const reportAll: readonly RuleWords[] = ['direct', 'stored', 'forward', 'gateway', 'none'].map((value) => {
  return { action: 'notify', condition: 'deliver', value };
});

/** Sends messages for the operator, and explains what would happen to them. */
export class OperatorMessages implements OperatorMessaging {
  readonly #deps: OperatorMessagesDeps;

  constructor(deps: OperatorMessagesDeps) {
    this.#deps = deps;
  }

  async explain(request: ExplainRequest): Promise<ExplainReport> {
    const nowMs = request.atMs ?? this.#deps.clock.nowMs();
    const message = messageOf(request);
    const { from, to } = message;
    if (!from || !to) throw new OperationError('invalid', 'The message needs a sender and a recipient.');
    const explanation = await this.#deps.explain(message, from, to, nowMs);
    return { from: from.toString(), to: to.toString(), at: formatDateTime(nowMs), ...explanation };
  }

  async send(request: SendRequest, stopped: AbortSignal): Promise<SendReport> {
    const { mailboxes, route } = this.#deps;
    const message = this.#compose(request);
    const found = this.#sender(request.from);
    const from = found instanceof Promise ? await found : found;
    const pending = new PendingSend(message.with({ from }), request);
    if (!mailboxes.open(from, (answer) => pending.take(answer))) {
      throw new OperationError('conflict', `Another message from ${from} still waits for its outcome.`);
    }
    try {
      const report = this.#wait(pending, request.waitMs, stopped);
      await route(pending.message);
      return await report;
    } finally {
      pending.end();
      mailboxes.close(from);
    }
  }

  async #wait(pending: PendingSend, waitMs: number, stopped: AbortSignal): Promise<SendReport> {
    const end = () => pending.end();
    const timer = this.#deps.clock.after(waitMs, end);
    stopped.addEventListener('abort', end);
    if (stopped.aborted) end();
    try {
      return await pending.report;
    } finally {
      stopped.removeEventListener('abort', end);
      timer.cancel();
    }
  }

  #compose(request: SendRequest): Stanza {
    const { subject, body, type = 'chat' } = request;
    const rules = rulesOf(request, this.#deps.clock.nowMs());
    const to = operatorAddress(request.to);
    checkTexts([subject ?? '', body, ...rules.flatMap(({ action, condition, value }) => [action, condition, value])]);
    const content = [...written('subject', subject), xml('body', {}, body), ampElement({}, rules)];
    return Stanza.message({ to, id: randomId(), type }, ...content);
  }

  /** The sender, with a resource that receives the reports. */
  #sender(text: string | undefined): MaybePromise<Jid> {
    const { domains, components, hasAccount } = this.#deps;
    const jid = operatorAddress(text ?? domains[0] ?? '');
    const sender = jid.resource === '' ? jid.withResource(randomId()) : jid;
    if (components.includes(jid.domain)) return sender;
    if (!domains.includes(jid.domain)) {
      const known = [...domains, ...components].join(', ');
      throw new OperationError(
        'invalid',
        `${jid} is not served here; messages can come from ${known} and addresses there.`,
      );
    }
    if (jid.local === '') return sender;
    return then(hasAccount(jid.bare()), (exists) => {
      if (exists) return sender;
      throw new OperationError('not-found', `There is no account ${jid.bare()}.`);
    });
  }
}

/** The rules of the request, then the rules that report. A `drop` becomes an `alert`, so that the outcome is known. */
function rulesOf({ rules = [], expireInMs, onExpiry = 'drop' }: SendRequest, nowMs: number): RuleWords[] {
  const expiry =
    expireInMs === undefined
      ? []
      : [{ action: onExpiry, condition: 'expire-at', value: formatDateTime(nowMs + expireInMs) }];
  const asked = [...rules, ...expiry].map((rule) => (rule.action === 'drop' ? { ...rule, action: 'alert' } : rule));
  return [...asked, ...reportAll];
}

function messageOf({ xml: text, from, to, type, rules }: ExplainRequest): Stanza {
  const given = text === undefined ? made(type, rules) : parsed(text);
  return given.with({
    ...(from !== undefined && { from: operatorAddress(from) }),
    ...(to !== undefined && { to: operatorAddress(to) }),
  });
}

function made(type: string | undefined, rules: readonly RuleWords[] = []): Stanza {
  checkTexts(rules.flatMap(({ action, condition, value }) => [action, condition, value]));
  const amp = rules.length > 0 ? [ampElement({}, rules)] : [];
  return Stanza.message({ id: randomId(), type: type ?? 'chat' }, xml('body', {}, 'A message'), ...amp);
}

function parsed(text: string): Stanza {
  try {
    const stanza = Stanza.fromFrame(parseFrame(text));
    if (stanza.kind === 'message') return stanza;
    throw new OperationError('invalid', `The stanza must be a message, not <${stanza.kind}/>.`);
  } catch (error) {
    if (!(error instanceof XmlError || error instanceof StanzaError || error instanceof StreamError)) throw error;
    throw new OperationError('invalid', `The stanza cannot be read: ${error.message}.`);
  }
}

function checkTexts(texts: readonly string[]): void {
  if (!texts.every(isXmlText))
    throw new OperationError('invalid', 'The text contains characters that XML does not allow.');
}

function written(name: string, text: string | undefined): Element[] {
  return text === undefined ? [] : [xml(name, {}, text)];
}
