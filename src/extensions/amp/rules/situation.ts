import type { Jid } from '../../../protocol/jid.ts';
import type { DeliveryPlan } from '../../../routing/delivery-plan.ts';

/** The possible outcomes for a message: the values of the 'deliver' condition (XEP-0079 §3.3.1). */
export const outcomes = ['direct', 'forward', 'gateway', 'none', 'stored'] as const;

/** One of the {@link outcomes}. */
export type Outcome = (typeof outcomes)[number];

/** A delivery plan in the terms of the conditions. */
export interface Prospect {
  /** Undefined if only another server knows. */
  readonly deliver: Outcome | undefined;
  /** The addresses the message would reach: empty if it reaches none, undefined if only another server knows. */
  readonly destinations: readonly Jid[] | undefined;
  /** The message is passed to another server, which is the outcome for servers on the way (XEP-0079 §3.3.1). */
  readonly passedOn?: true;
}

interface Circumstances {
  /** The address the sender wrote to. */
  readonly intended: Jid;
  /** This server is neither edge: the message only passes through it (XEP-0079 §2.1.2). */
  readonly hop: boolean;
  readonly nowMs: number;
}

/**
 * The facts that rules are tested against. A message is planned when it is received, and again when a planned effect has
 * failed. When it expires in store, or is dispatched after a wait, it has no new plan: only conditions about time can have
 * changed (XEP-0079 §3.3.1: "at the moment of receipt").
 */
export type Situation = Circumstances &
  (
    | { readonly event: 'receipt' | 'replanned'; readonly prospect: Prospect }
    | { readonly event: 'expiry' | 'dispatch'; readonly prospect?: never }
  );

/** Translates a delivery plan into the terms of the conditions (XEP-0079 §3.3.1). */
export function prospectOf(plan: DeliveryPlan, intended: Jid): Prospect {
  switch (plan.kind) {
    case 'direct':
      return { deliver: 'direct', destinations: plan.sessions.map(({ jid }) => jid) };
    case 'stored':
      return { deliver: 'stored', destinations: [plan.owner] };
    case 'forward':
      return { deliver: 'forward', destinations: [plan.to] };
    case 'gateway':
      return { deliver: 'gateway', destinations: [intended] };
    case 'service':
      return { deliver: 'direct', destinations: [intended] };
    case 'remote':
      return { deliver: undefined, destinations: undefined, passedOn: true };
    case 'none':
      return { deliver: 'none', destinations: [] };
  }
}
