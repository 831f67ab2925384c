import { expect } from 'chai';
import {
  inbound,
  outbound,
  type SubscriptionState,
  type SubscriptionType,
} from '../../src/routing/subscription-states.ts';

/** The nine states of RFC 6121 §A.1, under the names it gives them. */
const states = {
  None: state({}),
  'None + Pending Out': state({ ask: true }),
  'None + Pending In': state({ pendingIn: true }),
  'None + Pending Out+In': state({ ask: true, pendingIn: true }),
  To: state({ to: true }),
  'To + Pending In': state({ to: true, pendingIn: true }),
  From: state({ from: true }),
  'From + Pending Out': state({ from: true, ask: true }),
  Both: state({ to: true, from: true }),
} as const;

type StateName = keyof typeof states;
/** Existing state; whether the stanza is routed or delivered; new state, or a dash for no change. */
type Row = readonly [StateName, 'MUST' | 'MUST NOT', StateName | '-'];

const outboundTables: Record<SubscriptionType, readonly Row[]> = {
  // RFC 6121 §A.2.1
  subscribe: [
    ['None', 'MUST', 'None + Pending Out'],
    ['None + Pending Out', 'MUST', '-'],
    ['None + Pending In', 'MUST', 'None + Pending Out+In'],
    ['None + Pending Out+In', 'MUST', '-'],
    ['To', 'MUST', '-'],
    ['To + Pending In', 'MUST', '-'],
    ['From', 'MUST', 'From + Pending Out'],
    ['From + Pending Out', 'MUST', '-'],
    ['Both', 'MUST', '-'],
  ],
  // RFC 6121 §A.2.2
  unsubscribe: [
    ['None', 'MUST', '-'],
    ['None + Pending Out', 'MUST', 'None'],
    ['None + Pending In', 'MUST', '-'],
    ['None + Pending Out+In', 'MUST', 'None + Pending In'],
    ['To', 'MUST', 'None'],
    ['To + Pending In', 'MUST', 'None + Pending In'],
    ['From', 'MUST', '-'],
    ['From + Pending Out', 'MUST', 'From'],
    ['Both', 'MUST', 'From'],
  ],
  // RFC 6121 §A.2.3; what a pre-approval changes is below
  subscribed: [
    ['None', 'MUST NOT', '-'],
    ['None + Pending Out', 'MUST NOT', '-'],
    ['None + Pending In', 'MUST', 'From'],
    ['None + Pending Out+In', 'MUST', 'From + Pending Out'],
    ['To', 'MUST NOT', '-'],
    ['To + Pending In', 'MUST', 'Both'],
    ['From', 'MUST NOT', '-'],
    ['From + Pending Out', 'MUST NOT', '-'],
    ['Both', 'MUST NOT', '-'],
  ],
  // RFC 6121 §A.2.4
  unsubscribed: [
    ['None', 'MUST NOT', '-'],
    ['None + Pending Out', 'MUST NOT', '-'],
    ['None + Pending In', 'MUST', 'None'],
    ['None + Pending Out+In', 'MUST', 'None + Pending Out'],
    ['To', 'MUST NOT', '-'],
    ['To + Pending In', 'MUST', 'To'],
    ['From', 'MUST', 'None'],
    ['From + Pending Out', 'MUST', 'None + Pending Out'],
    ['Both', 'MUST', 'To'],
  ],
};

const inboundTables: Record<SubscriptionType, readonly Row[]> = {
  // RFC 6121 §A.3.1
  subscribe: [
    ['None', 'MUST', 'None + Pending In'],
    ['None + Pending Out', 'MUST', 'None + Pending Out+In'],
    ['None + Pending In', 'MUST NOT', '-'],
    ['None + Pending Out+In', 'MUST NOT', '-'],
    ['To', 'MUST', 'To + Pending In'],
    ['To + Pending In', 'MUST NOT', '-'],
    ['From', 'MUST NOT', '-'],
    ['From + Pending Out', 'MUST NOT', '-'],
    ['Both', 'MUST NOT', '-'],
  ],
  // RFC 6121 §A.3.2
  unsubscribe: [
    ['None', 'MUST NOT', '-'],
    ['None + Pending Out', 'MUST NOT', '-'],
    ['None + Pending In', 'MUST', 'None'],
    ['None + Pending Out+In', 'MUST', 'None + Pending Out'],
    ['To', 'MUST NOT', '-'],
    ['To + Pending In', 'MUST', 'To'],
    ['From', 'MUST', 'None'],
    ['From + Pending Out', 'MUST', 'None + Pending Out'],
    ['Both', 'MUST', 'To'],
  ],
  // RFC 6121 §A.3.3
  subscribed: [
    ['None', 'MUST NOT', '-'],
    ['None + Pending Out', 'MUST', 'To'],
    ['None + Pending In', 'MUST NOT', '-'],
    ['None + Pending Out+In', 'MUST', 'To + Pending In'],
    ['To', 'MUST NOT', '-'],
    ['To + Pending In', 'MUST NOT', '-'],
    ['From', 'MUST NOT', '-'],
    ['From + Pending Out', 'MUST', 'Both'],
    ['Both', 'MUST NOT', '-'],
  ],
  // RFC 6121 §A.3.4
  unsubscribed: [
    ['None', 'MUST NOT', '-'],
    ['None + Pending Out', 'MUST', 'None'],
    ['None + Pending In', 'MUST NOT', '-'],
    ['None + Pending Out+In', 'MUST', 'None + Pending In'],
    ['To', 'MUST', 'None'],
    ['To + Pending In', 'MUST', 'None + Pending In'],
    ['From', 'MUST NOT', '-'],
    ['From + Pending Out', 'MUST', 'From'],
    ['Both', 'MUST', 'From'],
  ],
};

/** Where the server itself answers an inbound 'subscribe' with 'subscribed' (RFC 6121 §A.3.1, note 3). */
const alreadyApproved: readonly StateName[] = ['From', 'From + Pending Out', 'Both'];
/** Where an outbound 'subscribed' approves a request that has not come (RFC 6121 §3.4.2). */
const preApprovable: readonly StateName[] = ['None', 'None + Pending Out', 'To'];

describe('Subscription states (RFC 6121 §A)', () => {
  for (const type of typesOf(outboundTables)) {
    describe(`the owner sends '${type}' (RFC 6121 §A.2)`, () => {
      for (const [from, routed, to] of outboundTables[type]) {
        it(`${from}: ${routed} be routed, then ${to === '-' ? 'no change' : to}`, () => {
          const next = states[to === '-' ? from : to];
          const approves = type === 'subscribed' && preApprovable.includes(from);
          const expected = { next: approves ? { ...next, approved: true } : next, pass: routed === 'MUST' };
          expect(outbound(type, states[from])).to.deep.equal(expected);
        });
      }
    });
  }

  for (const type of typesOf(inboundTables)) {
    describe(`'${type}' arrives for the owner (RFC 6121 §A.3)`, () => {
      for (const [from, delivered, to] of inboundTables[type]) {
        it(`${from}: ${delivered} be delivered, then ${to === '-' ? 'no change' : to}`, () => {
          const next = states[to === '-' ? from : to];
          const answers = type === 'subscribe' && alreadyApproved.includes(from);
          const expected = { next, pass: delivered === 'MUST', ...(answers && { approve: true }) };
          expect(inbound(type, states[from])).to.deep.equal(expected);
        });
      }
    });
  }

  describe('pre-approval (RFC 6121 §3.4.2)', () => {
    const rows: readonly (readonly [StateName, StateName])[] = [
      ['None', 'From'],
      ['None + Pending Out', 'From + Pending Out'],
      ['To', 'Both'],
    ];
    for (const [from, to] of rows) {
      const approved = { ...states[from], approved: true };

      it(`${from}, approved: 'subscribe' is answered and not delivered, then ${to}`, () => {
        expect(inbound('subscribe', approved)).to.deep.equal({ next: states[to], pass: false, approve: true });
      });

      it(`${from}, approved: 'unsubscribed' from the owner takes the approval back and is not routed`, () => {
        expect(outbound('unsubscribed', approved)).to.deep.equal({ next: states[from], pass: false });
      });

      it(`${from}, approved: 'subscribed' again changes nothing`, () => {
        expect(outbound('subscribed', approved)).to.deep.equal({ next: approved, pass: false });
      });

      it(`${from}, approved: 'unsubscribe' from the contact does not touch the approval`, () => {
        expect(inbound('unsubscribe', approved)).to.deep.equal({ next: approved, pass: false });
      });
    }
  });
});

function state(facts: Partial<SubscriptionState>): SubscriptionState {
  return { to: false, from: false, ask: false, pendingIn: false, approved: false, ...facts };
}

function typesOf(tables: Record<SubscriptionType, unknown>): SubscriptionType[] {
  return Object.keys(tables) as SubscriptionType[];
}
