/**
 * The outcomes for a message, row by row as in docs/amp-requirements.md. This is independent of the server's code: the tests
 * compare the server's plans and its engine with it.
 */

export type MessageKind = 'chat' | 'normal' | 'groupchat' | 'headline' | 'error';
export type Deliver = 'direct' | 'forward' | 'gateway' | 'none' | 'stored';

export interface Row {
  readonly row: number;
  readonly deliver: Deliver | 'undecided';
  /** The values of 'match-resource' that are met. */
  readonly matches: readonly ('any' | 'exact' | 'other')[];
  /** What happens if no rule fires. */
  readonly otherwise: 'goes on' | 'service-unavailable' | 'silence';
}

/** Juliet's resources: a number is a priority, `mute` a session without presence. Messages go to 'balcony' or to the bare JID. */
export interface RecipientState {
  /** `blocks`: she has an account and blocks the sender. */
  readonly account?: 'none' | 'blocks';
  readonly resources: Readonly<Record<string, number | 'mute'>>;
  readonly content?: '<no-store/>' | 'chat state';
}

export const states: Readonly<Record<string, RecipientState>> = {
  'no such account': { account: 'none', resources: {} },
  'blocks the sender, the resource online': { account: 'blocks', resources: { balcony: 0 } },
  'blocks the sender, no resource': { account: 'blocks', resources: {} },
  'the resource, priority 0': { resources: { balcony: 0 } },
  'the resource, negative': { resources: { balcony: -1 } },
  'the resource, without presence': { resources: { balcony: 'mute' } },
  'the resource, and one of higher priority': { resources: { balcony: 0, garden: 5 } },
  'the resource, and one of the same priority': { resources: { balcony: 3, garden: 3 } },
  'the resource negative, and another': { resources: { balcony: -1, garden: 0 } },
  'another resource': { resources: { garden: 0 } },
  'other resources': { resources: { garden: 1, hall: 1 } },
  'another resource, negative': { resources: { garden: -1 } },
  'another resource, without presence': { resources: { garden: 'mute' } },
  'no resource': { resources: {} },
  'no resource, and the message is not to be stored': { resources: {}, content: '<no-store/>' },
  'no resource, and the message is only a chat state': { resources: {}, content: 'chat state' },
};

const row = (number: number, deliver: Deliver, matches: string, otherwise: Row['otherwise']): Row => ({
  row: number,
  deliver,
  matches: matches.split(' ').filter(Boolean) as Row['matches'][number][],
  otherwise,
});

/** Table 1. Undeliverable headlines never cause an error; RFC 6121 leaves the choice. Undefined: rules are ignored (row 17). */
export function localRow(state: RecipientState, full: boolean, type: MessageKind): Row | undefined {
  const nowhere = full ? 'other' : '';
  const lost = type === 'headline' ? 'silence' : 'service-unavailable';
  if (type === 'error') return undefined;
  // The same answer for both, so that a blocked sender cannot tell them apart.
  if (state.account) return row(state.account === 'blocks' ? 14 : 1, 'none', nowhere, lost);
  if (full && 'balcony' in state.resources) return row(2, 'direct', 'any exact', 'goes on');
  const isReady = Object.values(state.resources).some((priority) => priority !== 'mute' && priority >= 0);
  if (isReady) return withResources(full, type, lost);
  if (type === 'headline') return row(10, 'none', nowhere, 'silence');
  if (type === 'groupchat') return row(11, 'none', nowhere, 'service-unavailable');
  if (full && type === 'normal') return row(9, 'none', 'other', 'service-unavailable');
  if (state.content === 'chat state') return row(12, 'none', nowhere, 'silence');
  if (state.content === '<no-store/>') return row(12, 'none', nowhere, 'service-unavailable');
  return full ? row(8, 'stored', 'other', 'goes on') : row(7, 'stored', 'exact', 'goes on');
}

function withResources(full: boolean, type: MessageKind, lost: Row['otherwise']): Row {
  if (!full) {
    return type === 'groupchat' ? row(4, 'none', '', 'service-unavailable') : row(3, 'direct', 'any other', 'goes on');
  }
  return type === 'chat' ? row(5, 'direct', 'any other', 'goes on') : row(6, 'none', 'other', lost);
}

/** The expected result of a single rule in a row of the tables, in words. */
export function expected(rule: string, { deliver, matches, otherwise }: Row): string {
  const [action = '', condition, value = ''] = rule.split(' ');
  const isMet =
    (condition === 'deliver' && deliver === value) ||
    (condition === 'match-resource' && matches.some((match) => match === value)) ||
    (condition === 'expire-at' && value <= '2026-03-01T12:00:00Z');
  if (!isMet) return otherwise;
  if (action === 'drop') return 'stopped';
  if (action !== 'notify') return `stopped, ${action} now`;
  return deliver === 'none' ? `notify now, then ${otherwise}` : `${otherwise}, then notify`;
}

export const conditionValues = [
  ...['direct', 'forward', 'gateway', 'none', 'stored'].map((value) => `deliver ${value}`),
  ...['any', 'exact', 'other'].map((value) => `match-resource ${value}`),
  // Before, at and after the time of the tests, in an order that equals that of their texts.
  ...['2026-03-01T11:00:00Z', '2026-03-01T12:00:00Z', '2026-03-01T13:00:00Z'].map((value) => `expire-at ${value}`),
];

export const actions = ['alert', 'drop', 'error', 'notify'];

/** Every action with every value of every condition. */
export const allRules = actions.flatMap((action) => conditionValues.map((condition) => `${action} ${condition}`));
