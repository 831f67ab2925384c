import type { RosterItem } from '../storage/rosters.ts';

/** The four presence types that manage subscriptions (RFC 6121 §3). */
export type SubscriptionType = 'subscribe' | 'subscribed' | 'unsubscribe' | 'unsubscribed';

/** A subscription state of RFC 6121 §A.1 as separate facts, with the pre-approval of §3.4. */
export interface SubscriptionState {
  /** The owner sees the contact's presence. */
  readonly to: boolean;
  /** The contact sees the owner's presence. */
  readonly from: boolean;
  /** Pending Out: the owner has asked and has no answer. */
  readonly ask: boolean;
  /** Pending In: the contact has asked and has no answer. */
  readonly pendingIn: boolean;
  /** The owner has approved a request that has not come yet. */
  readonly approved: boolean;
}

/** No subscription in either direction, and no request. */
export const noSubscription: SubscriptionState = {
  to: false,
  from: false,
  ask: false,
  pendingIn: false,
  approved: false,
};

/** The effect of a subscription stanza. */
interface Transition {
  readonly next: SubscriptionState;
  /** Outbound: route it to the contact. Inbound: deliver it to the owner's client. */
  readonly pass: boolean;
  /** For an inbound 'subscribe' that is already approved: answer 'subscribed' at once. */
  readonly approve?: true;
}

const stay = (next: SubscriptionState): Transition => ({ next, pass: false });
const pass = (next: SubscriptionState): Transition => ({ next, pass: true });

/** The owner sends a subscription stanza to the contact (RFC 6121 §A.2). */
export function outbound(type: SubscriptionType, state: SubscriptionState): Transition {
  switch (type) {
    case 'subscribe':
      return pass(state.to ? state : { ...state, ask: true });
    case 'unsubscribe':
      return pass({ ...state, to: false, ask: false });
    case 'subscribed':
      if (state.pendingIn) return pass({ ...state, from: true, pendingIn: false, approved: false });
      // RFC 6121 §3.4.2: an approval without a request is a pre-approval.
      return stay(state.from ? state : { ...state, approved: true });
    case 'unsubscribed':
      return {
        next: { ...state, from: false, pendingIn: false, approved: false },
        pass: state.from || state.pendingIn,
      };
  }
}

/** The contact's subscription stanza arrives for the owner (RFC 6121 §A.3). */
export function inbound(type: SubscriptionType, state: SubscriptionState): Transition {
  switch (type) {
    case 'subscribe':
      return inboundSubscribe(state);
    case 'unsubscribe':
      return { next: { ...state, from: false, pendingIn: false }, pass: state.from || state.pendingIn };
    case 'subscribed':
      return state.ask ? pass({ ...state, to: true, ask: false }) : stay(state);
    case 'unsubscribed':
      return { next: { ...state, to: false, ask: false }, pass: state.to || state.ask };
  }
}

/** The contact's request is accepted without a question to the owner, who wants the same of the contact (XEP-0379 §3.5). */
export function accepted(state: SubscriptionState): SubscriptionState {
  return { ...state, from: true, pendingIn: false, approved: false, ask: !state.to };
}

function inboundSubscribe(state: SubscriptionState): Transition {
  if (state.from) return { next: state, pass: false, approve: true };
  if (state.approved) {
    return { next: { ...state, from: true, pendingIn: false, approved: false }, pass: false, approve: true };
  }
  return state.pendingIn ? stay(state) : pass({ ...state, pendingIn: true });
}

/** Both see the presence of each other, and nothing is asked any more. */
export const mutualSubscription: SubscriptionState = { ...noSubscription, to: true, from: true };

/** The state of a roster item. */
export function stateOf(item: RosterItem): SubscriptionState {
  return {
    to: item.subscription === 'to' || item.subscription === 'both',
    from: item.subscription === 'from' || item.subscription === 'both',
    ask: item.ask,
    pendingIn: item.pendingIn !== undefined,
    approved: item.approved,
  };
}

/** Whether two states are the same. */
export function isSameState(a: SubscriptionState, b: SubscriptionState): boolean {
  return (
    a.to === b.to && a.from === b.from && a.ask === b.ask && a.pendingIn === b.pendingIn && a.approved === b.approved
  );
}

/** The 'subscription' attribute of a state (RFC 6121 §2.1.2.5). */
export function subscriptionOf(state: SubscriptionState): RosterItem['subscription'] {
  if (state.to) return state.from ? 'both' : 'to';
  return state.from ? 'from' : 'none';
}
