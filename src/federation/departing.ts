import type { Handoff } from '../routing/outbound.ts';
import type { SentStanza } from '../streams/acknowledgment/unacknowledged-queue.ts';

/** A stanza on its way to another server. */
export interface Departing extends SentStanza {
  readonly departure: Handoff;
  /** When it began to wait. */
  readonly sinceMs: number;
  /** How many streams it has been written to. */
  readonly attempts: number;
  /** The stream it was written to is over, and nothing has proved that it has arrived. */
  back(entry: Departing): void;
}
