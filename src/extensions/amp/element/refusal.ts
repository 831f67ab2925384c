import { ns } from '../../../protocol/namespaces.ts';
import { StanzaError, type StanzaErrorDetails } from '../../../protocol/stanza-error.ts';
import { xml } from '../../../xml/element.ts';
import { ruleElements, type WrittenRule } from './written-rules.ts';

/** A fault of single rules: the name of the element that lists them in the error (XEP-0079 §6.1). */
export type RuleFault = 'unsupported-actions' | 'unsupported-conditions' | 'invalid-rules';

type MakeError = (text: undefined, details: StanzaErrorDetails) => StanzaError;

const errors: Readonly<Record<RuleFault, readonly [make: MakeError, code: number]>> = {
  'unsupported-actions': [StanzaError.badRequest, 400],
  'unsupported-conditions': [StanzaError.badRequest, 400],
  'invalid-rules': [StanzaError.notAcceptable, 405],
};

/** Why the rules of a message are not accepted (XEP-0079 §6.1). */
export class Refusal {
  readonly error: StanzaError;
  /** All rules of the message: the answer repeats them. */
  readonly rules: readonly WrittenRule[];

  private constructor(error: StanzaError, rules: readonly WrittenRule[]) {
    this.error = error;
    this.rules = rules;
  }

  /** Some of the rules are not accepted. */
  static of(fault: RuleFault, faulty: readonly WrittenRule[], rules: readonly WrittenRule[]): Refusal {
    const [make, code] = errors[fault];
    const list = xml(fault, { xmlns: ns.amp }, ...ruleElements(faulty));
    return new Refusal(make(undefined, { code, extra: list }), rules);
  }

  /** The request as a whole is malformed. */
  static malformed(rules: readonly WrittenRule[]): Refusal {
    return new Refusal(StanzaError.badRequest(undefined, { code: 400 }), rules);
  }

  /** The next server on the way does not support AMP (XEP-0079 §2.2.4). */
  static unsupportedAhead(rules: readonly WrittenRule[]): Refusal {
    return new Refusal(StanzaError.serviceUnavailable(undefined, { code: 503 }), rules);
  }
}
