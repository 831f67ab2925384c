import type { Jid } from '../../../protocol/jid.ts';
import { ns } from '../../../protocol/namespaces.ts';
import { Stanza } from '../../../protocol/stanza.ts';
import { StanzaError } from '../../../protocol/stanza-error.ts';
import { xml } from '../../../xml/element.ts';
import type { Refusal } from './refusal.ts';
import { ampElement, ruleElements, type WrittenRule } from './written-rules.ts';

/** The addresses and the id of a reply; every reply repeats the id of the message (XEP-0079 §1.3). */
interface ReplyAddress {
  /** The deciding domain. */
  readonly by: Jid;
  /** The receiver of the reply. */
  readonly to: Jid;
  readonly id: string | undefined;
}

/** The addresses of a report, with the sender and the recipient of the message it is about (XEP-0079 §4.1). */
export interface Envelope extends ReplyAddress {
  readonly sender: Jid;
  readonly recipient: Jid;
}

/** Reports that a rule has fired, without the content of the message (XEP-0079 §2.2.5, §3.4.1, §3.4.4). */
export function statusReport(status: string, rule: WrittenRule, envelope: Envelope): Stanza {
  const { by, to, id } = envelope;
  return Stanza.message({ from: by, to, id }, aboutRule(status, rule, envelope));
}

/** Answers with the error that a rule asked for (XEP-0079 §3.4.3, §6.2.5). */
export function failureReport(rule: WrittenRule, envelope: Envelope): Stanza {
  const { by, to, id } = envelope;
  const failed = xml('failed-rules', { xmlns: ns.ampErrors }, ...ruleElements([rule]));
  const error = StanzaError.undefinedCondition(undefined, { type: 'modify', code: 500, extra: failed });
  return Stanza.message({ from: by, to, id, type: 'error' }, aboutRule('error', rule, envelope), error.element());
}

/** Answers a message whose rules are not accepted. Repeats the rules unchanged (XEP-0079 §6.2). */
export function refusalReply({ error, rules }: Refusal, { by, to, id }: ReplyAddress): Stanza {
  return Stanza.message({ from: by, to, id, type: 'error' }, ampElement({}, rules), error.element());
}

function aboutRule(status: string, rule: WrittenRule, { sender, recipient }: Envelope) {
  return ampElement({ status, from: sender.toString(), to: recipient.toString() }, [rule]);
}
