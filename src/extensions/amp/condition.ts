import type { Situation } from './situation.ts';

/** What can make a rule fire, with all that the definition of a condition has to say (XEP-0079 §3.1). */
export interface Condition {
  /** The value of the 'condition' attribute. */
  readonly name: string;
  /** Its name in service discovery (XEP-0079 §2.1.1). */
  readonly feature: string;
  /** Whether servers between the two edges may apply it too (XEP-0079 §2.1.2). */
  readonly perHop: boolean;
  /** Whether a rule may have this value. */
  accepts(value: string): boolean;
  /** Whether the condition is met, for a value that it accepts. */
  isMet(value: string, situation: Situation): boolean;
  /** When time alone makes it met; only for conditions of time. */
  dueMs?(value: string): number | undefined;
}
