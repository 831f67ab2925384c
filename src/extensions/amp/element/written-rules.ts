import { ns } from '../../../protocol/namespaces.ts';
import { type Element, xml } from '../../../xml/element.ts';

/** A `<rule/>` as received: unchecked, perhaps incomplete (XEP-0079 §4.2). */
export interface WrittenRule {
  readonly action: string | undefined;
  readonly condition: string | undefined;
  readonly value: string | undefined;
}

/** An `<amp/>` with rules as received (XEP-0079 §4.1). */
export interface WrittenRuleset {
  readonly rules: readonly WrittenRule[];
  readonly perHop: boolean;
  /** The original sender, set by the servers on the way. */
  readonly from: string | undefined;
  /** The original recipient, set by the servers on the way. */
  readonly to: string | undefined;
}

/** Rules as children of `<amp/>` or of an error. They are in the namespace of their parent (XEP-0079 §12). */
export function ruleElements(rules: readonly WrittenRule[]): Element[] {
  return rules.map(({ action, condition, value }) => xml('rule', { action, condition, value }));
}

/** An `<amp/>` with these attributes and rules. */
export function ampElement(attributes: Readonly<Record<string, string>>, rules: readonly WrittenRule[]): Element {
  return xml('amp', { xmlns: ns.amp, ...attributes }, ...ruleElements(rules));
}
