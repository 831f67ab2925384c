import fc from 'fast-check';

/** The accounts of a history, and the devices of each. */
export const devices = ['alice/desk', 'alice/phone', 'bob/desk', 'bob/phone', 'carol/desk'] as const;
export const accounts = ['alice', 'bob', 'carol'] as const;

/** The name of a device: account and resource. */
export type Device = (typeof devices)[number];
/** The name of an account. */
export type AccountName = (typeof accounts)[number];

/**
 * What a message is: text, a marker (XEP-0333), a chat state, text that must not be stored (XEP-0334), or text with elements that only a
 * server may write: an id of the recipient's archive (XEP-0359) and a carbon (XEP-0280).
 */
export type Content = 'text' | 'marker' | 'state' | 'no-store' | 'forgery';

/** Messages of one device to one account, sent without a pause. */
export interface Burst {
  readonly from: Device;
  readonly to: AccountName;
  readonly contents: readonly Content[];
}

/** One step of a history. */
export type Step =
  | { readonly does: 'sends'; readonly bursts: readonly Burst[] }
  | {
      readonly does: 'pages';
      readonly account: AccountName;
      readonly max: number;
      readonly backwards: boolean;
      readonly burst: Burst;
    }
  | { readonly does: 'leaves' | 'comes'; readonly device: Device }
  | { readonly does: 'prefers'; readonly account: AccountName; readonly keeps: boolean }
  | { readonly does: 'takes back'; readonly from: Device; readonly which: number }
  | { readonly does: 'days pass'; readonly days: number }
  | { readonly does: 'restarts' | 'crashes' }
  | { readonly does: 'crashes while sending'; readonly burst: Burst; readonly turns: number };

const device = fc.constantFrom(...devices);
const account = fc.constantFrom(...accounts);
const content: fc.Arbitrary<Content> = fc.oneof(
  { arbitrary: fc.constant('text' as const), weight: 5 },
  { arbitrary: fc.constantFrom<Content>('marker', 'state', 'no-store', 'forgery'), weight: 2 },
);
const burst: fc.Arbitrary<Burst> = fc.record({
  from: device,
  to: account,
  contents: fc.array(content, { minLength: 1, maxLength: 5 }),
});

function steps<Does extends Step['does']>(...does: Does[]) {
  return fc.constantFrom(...does);
}

/** The steps of a history, in order. */
export const historySteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      arbitrary: fc.record({ does: steps('sends'), bursts: fc.array(burst, { minLength: 1, maxLength: 3 }) }),
      weight: 8,
    },
    {
      arbitrary: fc.record({
        does: steps('pages'),
        account,
        max: fc.integer({ min: 1, max: 6 }),
        backwards: fc.boolean(),
        burst,
      }),
      weight: 3,
    },
    { arbitrary: fc.record({ does: steps('leaves', 'comes'), device }), weight: 3 },
    { arbitrary: fc.record({ does: steps('prefers'), account, keeps: fc.boolean() }), weight: 1 },
    { arbitrary: fc.record({ does: steps('takes back'), from: device, which: fc.nat({ max: 30 }) }), weight: 2 },
    { arbitrary: fc.record({ does: steps('days pass'), days: fc.integer({ min: 1, max: 6 }) }), weight: 1 },
    { arbitrary: fc.record({ does: steps('restarts', 'crashes') }), weight: 1 },
    {
      arbitrary: fc.record({ does: steps('crashes while sending'), burst, turns: fc.integer({ min: 0, max: 12 }) }),
      weight: 1,
    },
  ),
  { minLength: 8, maxLength: 25, size: 'max' },
);
