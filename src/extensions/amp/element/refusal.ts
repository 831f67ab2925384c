import { ns } from '../../../protocol/namespaces.ts';
import { StanzaError, type StanzaErrorDetails } from '../../../protocol/stanza-error.ts';
import { xml } from '../../../xml/element.ts';
import { ruleElements, type WrittenRule } from './written-rules.ts';

/** What can be wrong with single rules: the names of the elements that list them in the error (XEP-0079 §6.1). */
export type Offence = 'unsupported-actions' | 'unsupported-conditions' | 'invalid-rules';

type MakeError = (text: undefined, details: StanzaErrorDetails) => StanzaError;

const errors: Readonly<Record<Offence, readonly [make: MakeError, code: number]>> = {
  'unsupported-actions': [StanzaError.badRequest, 400],
  'unsupported-conditions': [StanzaError.badRequest, 400],
  'invalid-rules': [StanzaError.notAcceptable, 405],
};

/** Why a message with rules is not taken (XEP-0079 §6.1). */
export class Refusal {
  readonly error: StanzaError;
  /** All rules of the message, to be repeated in the answer. */
  readonly rules: readonly WrittenRule[];

  private constructor(error: StanzaError, rules: readonly WrittenRule[]) {
    this.error = error;
    this.rules = rules;
  }

  /** Some of the rules cannot be accepted. */
  static of(offence: Offence, offending: readonly WrittenRule[], rules: readonly WrittenRule[]): Refusal {
    const [make, code] = errors[offence];
    const list = xml(offence, { xmlns: ns.amp }, ...ruleElements(offending));
    return new Refusal(make(undefined, { code, extra: list }), rules);
  }

  /** The request as a whole makes no sense. */
  static malformed(rules: readonly WrittenRule[]): Refusal {
    return new Refusal(StanzaError.badRequest(undefined, { code: 400 }), rules);
  }

  /** The next server on the way does not know AMP (XEP-0079 §2.2.4). */
  static unsupportedAhead(rules: readonly WrittenRule[]): Refusal {
    return new Refusal(StanzaError.serviceUnavailable(undefined, { code: 503 }), rules);
  }
}
