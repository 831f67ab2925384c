import type { Action } from './action.ts';
import type { Condition } from './condition.ts';
import type { WrittenRule } from './written-rules.ts';

/** A rule that is understood. */
export interface Rule {
  readonly action: Action;
  readonly condition: Condition;
  readonly value: string;
  /** The attributes as they came: replies repeat them. */
  readonly written: WrittenRule;
}

/** Rules that are understood, in the order that counts (XEP-0079 §2.2.3). */
export interface Ruleset {
  readonly rules: readonly Rule[];
  /** Whether servers between the two edges apply the rules as well (XEP-0079 §2.1.2). */
  readonly perHop: boolean;
}
