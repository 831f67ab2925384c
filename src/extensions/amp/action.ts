import type { Stanza } from '../../protocol/stanza.ts';
import type { Envelope } from './replies.ts';
import type { WrittenRule } from './written-rules.ts';

/** What a rule does when it fires, with all that the definition of an action has to say (XEP-0079 §3.2). */
export interface Action {
  /** The value of the 'action' attribute. */
  readonly name: string;
  /** Its name in service discovery (XEP-0079 §2.1.1). */
  readonly feature: string;
  /** Whether the message still goes where it would have gone (XEP-0079 §2.2.3). */
  readonly continues: boolean;
  /** The message that tells of it; an action without one is silent. */
  readonly report?: (rule: WrittenRule, envelope: Envelope) => Stanza;
}
