import fc from 'fast-check';
import type { DiskMode } from './instant-disk.ts';
import { accountOf } from './ledger.ts';
import type { ClientKind } from './walk-client.ts';

/** The clients of a walk, by name. */
export const cast: Readonly<Record<string, ClientKind>> = {
  'alice/pen': 'resuming',
  'bob/quill': 'counting',
  'carol/solo': 'resuming',
  'dave/one': 'resuming',
  'dave/two': 'plain',
  'erin/solo': 'plain',
  'frank/solo': 'counting',
};

/** Accounts with one client, which gets the messages of each writer in order. */
export const solos = ['carol', 'erin', 'frank'] as const;

/** The settings of a walk. */
export interface Setting {
  readonly maxStanzas: number;
  readonly ackEveryStanzas: number;
  readonly paddingBytes: number;
  /** Whether the disk may refuse writes. */
  readonly diskFailures: boolean;
}

/** One step of a walk. */
export type Step =
  | { readonly does: 'connects' | 'begins anew' | 'resumes twice' | 'is cut off' | 'closes'; readonly who: string }
  | { readonly does: 'stops reading' | 'reads again' | 'stops answering' | 'answers again'; readonly who: string }
  | { readonly does: 'sends'; readonly who: string; readonly to: string; readonly count: number; readonly rest: Rest }
  | { readonly does: 'sends presence'; readonly who: string; readonly presence: string }
  | { readonly does: 'time passes'; readonly ms: number }
  | { readonly does: 'turns'; readonly count: number }
  | { readonly does: 'disk'; readonly mode: DiskMode }
  | { readonly does: 'disk fails'; readonly code: 'full' | 'busy' }
  | { readonly does: 'disk fills'; readonly nearlyFull: boolean }
  | { readonly does: 'crash' | 'restart' | 'reload' };

/** Further properties of a message. */
export interface Rest {
  readonly type: 'chat' | 'normal';
  readonly expiresInMs?: number | undefined;
}

const names = Object.keys(cast);
const who = fc.constantFrom(...names);
const accounts = [...new Set(names.map(accountOf))];
const to = fc.oneof(
  { arbitrary: fc.constantFrom(...accounts.slice(2)), weight: 5 },
  { arbitrary: fc.constantFrom(...names.slice(2)), weight: 1 },
);
const presence = fc.constantFrom(
  '<presence/>',
  '<presence><priority>5</priority></presence>',
  '<presence><priority>-1</priority></presence>',
  '<presence type="unavailable"/>',
);
const count = fc.oneof(
  { arbitrary: fc.integer({ min: 1, max: 6 }), weight: 6 },
  { arbitrary: fc.integer({ min: 30, max: 140 }), weight: 1 },
);
const rest: fc.Arbitrary<Rest> = fc.oneof(
  { arbitrary: fc.constant({ type: 'chat' } as const), weight: 6 },
  { arbitrary: fc.constant({ type: 'normal' } as const), weight: 1 },
  {
    arbitrary: fc.record({ type: fc.constant('chat' as const), expiresInMs: fc.constantFrom(500, 20_000, 9e9) }),
    weight: 1,
  },
);
const writer = fc.oneof(
  { arbitrary: fc.constantFrom('alice/pen', 'bob/quill'), weight: 4 },
  { arbitrary: who, weight: 1 },
);

function steps<Does extends Step['does']>(...does: Does[]) {
  return fc.constantFrom(...does);
}

/** Any single step. */
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ does: steps('sends'), who: writer, to, count, rest }), weight: 12 },
  { arbitrary: fc.record({ does: steps('connects'), who }), weight: 9 },
  { arbitrary: fc.record({ does: steps('is cut off'), who }), weight: 6 },
  { arbitrary: fc.record({ does: steps('begins anew', 'resumes twice', 'closes'), who }), weight: 3 },
  {
    arbitrary: fc.record({ does: steps('stops reading', 'reads again', 'stops answering', 'answers again'), who }),
    weight: 4,
  },
  { arbitrary: fc.record({ does: steps('sends presence'), who, presence }), weight: 3 },
  {
    arbitrary: fc.record({ does: steps('time passes'), ms: fc.constantFrom(300, 6000, 70_000, 4_000_000) }),
    weight: 3,
  },
  { arbitrary: fc.record({ does: steps('turns'), count: fc.integer({ min: 1, max: 12 }) }), weight: 8 },
  { arbitrary: fc.record({ does: steps('disk'), mode: fc.constantFrom('running', 'stalled', 'silent') }), weight: 5 },
  { arbitrary: fc.record({ does: steps('disk fails'), code: fc.constantFrom('full', 'busy') }), weight: 1 },
  { arbitrary: fc.record({ does: steps('disk fills'), nearlyFull: fc.boolean() }), weight: 1 },
  { arbitrary: fc.record({ does: steps('crash') }), weight: 4 },
  { arbitrary: fc.record({ does: steps('restart', 'reload') }), weight: 1 },
);

const present: Step = { does: 'sends presence', who: '', presence: '<presence/>' };
const hidden: Step = { ...present, presence: '<presence><priority>-1</priority></presence>' };
const end = fc.constantFrom<readonly Step[]>(
  [{ does: 'crash' }],
  [{ does: 'crash' }],
  [{ does: 'restart' }],
  [{ does: 'time passes', ms: 4_000_000 }],
  [],
);
const pause = fc.integer({ min: 0, max: 40 });
const reader = fc.constantFrom(...names.slice(2));
const mode = fc.constantFrom<DiskMode>('running', 'stalled', 'silent');

/** Messages are sent, and the server ends before they are on the disk. */
const endsWhileSending = fc.record({ who: writer, to, count, rest, mode, pause, end }).map((part): readonly Step[] => {
  const { who, to, count, rest, mode, pause, end } = part;
  return [{ does: 'disk', mode }, { does: 'sends', who, to, count, rest }, { does: 'turns', count: pause }, ...end];
});

/** Stored messages are delivered to a reader that stops reading or answering, while more arrive. */
const endsWhileDelivering = fc
  .record({ who: writer, reader, count, mode, pause, end, silent: fc.boolean(), late: fc.boolean() })
  .map(({ who, reader, count, mode, pause, end, silent, late }): readonly Step[] => {
    const messages: Step = { does: 'sends', who, to: accountOf(reader), count, rest: { type: 'chat' } };
    return [
      { does: 'connects', who },
      { does: 'connects', who: reader },
      { ...hidden, who: reader },
      { does: 'turns', count: 20 },
      messages,
      { does: 'turns', count: 20 },
      { does: silent ? 'stops answering' : 'stops reading', who: reader },
      { ...present, who: reader },
      { does: 'disk', mode },
      { does: 'turns', count: pause },
      ...(late ? [messages, { does: 'turns', count: pause } as const] : []),
      ...(end.length > 0 ? end : [{ does: 'is cut off', who: reader } as const]),
      { does: 'answers again', who: reader },
      { does: 'connects', who: reader },
    ];
  });

/** After a crash, messages to one client of an account go to the other, which is cut off, and then to the first. */
const movesToOtherClient = fc
  .record({ who: writer, count, pause, end, late: fc.boolean() })
  .map((part): readonly Step[] => {
    const { who, count, pause, end, late } = part;
    const [first, second] = ['dave/one', 'dave/two'];
    const messages: Step = { does: 'sends', who, to: 'dave', count, rest: { type: 'chat' } };
    return [
      { does: 'is cut off', who: second },
      { does: 'connects', who },
      { does: 'connects', who: first },
      { ...hidden, who: first },
      { does: 'turns', count: 20 },
      messages,
      { does: 'turns', count: 20 },
      { does: 'stops reading', who: first },
      { ...present, who: first },
      { does: 'turns', count: pause },
      { does: 'crash' },
      { does: 'stops answering', who: second },
      { does: 'connects', who: second },
      { does: 'turns', count: pause },
      { does: 'is cut off', who: second },
      { does: 'answers again', who: second },
      { does: 'turns', count: 20 },
      { does: 'connects', who },
      ...(late ? [messages, { does: 'turns', count: pause } as const] : []),
      { does: 'connects', who: first },
      { does: 'turns', count: pause },
      ...end,
    ];
  });

/** The steps of a walk, in order. */
export const walkSteps: fc.Arbitrary<readonly Step[]> = fc
  .array(
    fc.oneof(
      { arbitrary: step.map((one) => [one]), weight: 12 },
      { arbitrary: endsWhileSending, weight: 2 },
      { arbitrary: endsWhileDelivering, weight: 1 },
      { arbitrary: movesToOtherClient, weight: 1 },
    ),
    { minLength: 8, maxLength: 40, size: 'max' },
  )
  .map((parts) => parts.flat());

/** Random settings. */
export const setting: fc.Arbitrary<Setting> = fc.record({
  maxStanzas: fc.constantFrom(1000, 1000, 40),
  ackEveryStanzas: fc.constantFrom(1, 5, 1000),
  paddingBytes: fc.constantFrom(0, 0, 2000),
  diskFailures: fc.constantFrom(false, false, true),
});
