import fc from 'fast-check';
import type { Manner } from './actor.ts';
import type { DiskMood } from './instant-disk.ts';
import { accountOf } from './ledger.ts';

/** Who takes part, and how. */
export const cast: Readonly<Record<string, Manner>> = {
  'alice/pen': 'resuming',
  'bob/quill': 'counting',
  'carol/solo': 'resuming',
  'dave/one': 'resuming',
  'dave/two': 'plain',
  'erin/solo': 'plain',
  'frank/solo': 'counting',
};

/** Accounts with one client, which gets what each writer wrote to it in order. */
export const solos = ['carol', 'erin', 'frank'] as const;

/** What the server of a walk is told. */
export interface Setting {
  readonly maxStanzas: number;
  readonly ackEveryStanzas: number;
  readonly paddingBytes: number;
  /** Whether the disk may refuse something. */
  readonly trouble: boolean;
}

/** One thing that happens. */
export type Step =
  | { readonly does: 'comes' | 'comes anew' | 'comes twice' | 'is cut' | 'says goodbye'; readonly who: string }
  | { readonly does: 'dozes' | 'wakes' | 'falls silent' | 'speaks'; readonly who: string }
  | { readonly does: 'writes'; readonly who: string; readonly to: string; readonly count: number; readonly rest: Rest }
  | { readonly does: 'shows'; readonly who: string; readonly presence: string }
  | { readonly does: 'time passes'; readonly ms: number }
  | { readonly does: 'turns'; readonly count: number }
  | { readonly does: 'disk'; readonly mood: DiskMood }
  | { readonly does: 'disk fails'; readonly code: 'full' | 'busy' }
  | { readonly does: 'disk fills'; readonly nearlyFull: boolean }
  | { readonly does: 'crash' | 'restart' | 'reload' };

/** What else a letter is. */
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

/** Anything that may happen next. */
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ does: steps('writes'), who: writer, to, count, rest }), weight: 12 },
  { arbitrary: fc.record({ does: steps('comes'), who }), weight: 9 },
  { arbitrary: fc.record({ does: steps('is cut'), who }), weight: 6 },
  { arbitrary: fc.record({ does: steps('comes anew', 'comes twice', 'says goodbye'), who }), weight: 3 },
  { arbitrary: fc.record({ does: steps('dozes', 'wakes', 'falls silent', 'speaks'), who }), weight: 4 },
  { arbitrary: fc.record({ does: steps('shows'), who, presence }), weight: 3 },
  {
    arbitrary: fc.record({ does: steps('time passes'), ms: fc.constantFrom(300, 6000, 70_000, 4_000_000) }),
    weight: 3,
  },
  { arbitrary: fc.record({ does: steps('turns'), count: fc.integer({ min: 1, max: 12 }) }), weight: 8 },
  { arbitrary: fc.record({ does: steps('disk'), mood: fc.constantFrom('running', 'stalled', 'mute') }), weight: 5 },
  { arbitrary: fc.record({ does: steps('disk fails'), code: fc.constantFrom('full', 'busy') }), weight: 1 },
  { arbitrary: fc.record({ does: steps('disk fills'), nearlyFull: fc.boolean() }), weight: 1 },
  { arbitrary: fc.record({ does: steps('crash') }), weight: 4 },
  { arbitrary: fc.record({ does: steps('restart', 'reload') }), weight: 1 },
);

const present: Step = { does: 'shows', who: '', presence: '<presence/>' };
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
const mood = fc.constantFrom<DiskMood>('running', 'stalled', 'mute');

/** Something is written, and before the disk has it all is over. */
const diesWriting = fc.record({ who: writer, to, count, rest, mood, pause, end }).map((scene): readonly Step[] => {
  const { who, to, count, rest, mood, pause, end } = scene;
  return [{ does: 'disk', mood }, { does: 'writes', who, to, count, rest }, { does: 'turns', count: pause }, ...end];
});

/** Something waits for a reader, who is given it and reads nothing or says nothing, and more comes meanwhile. */
const diesHandingOver = fc
  .record({ who: writer, reader, count, mood, pause, end, silent: fc.boolean(), late: fc.boolean() })
  .map(({ who, reader, count, mood, pause, end, silent, late }): readonly Step[] => {
    const letters: Step = { does: 'writes', who, to: accountOf(reader), count, rest: { type: 'chat' } };
    return [
      { does: 'comes', who },
      { does: 'comes', who: reader },
      { ...hidden, who: reader },
      { does: 'turns', count: 20 },
      letters,
      { does: 'turns', count: 20 },
      { does: silent ? 'falls silent' : 'dozes', who: reader },
      { ...present, who: reader },
      { does: 'disk', mood },
      { does: 'turns', count: pause },
      ...(late ? [letters, { does: 'turns', count: pause } as const] : []),
      ...(end.length > 0 ? end : [{ does: 'is cut', who: reader } as const]),
      { does: 'speaks', who: reader },
      { does: 'comes', who: reader },
    ];
  });

/** What was on its way to one client of an account at a crash is given to the other, which goes without a word, and then to the first. */
const passedOn = fc.record({ who: writer, count, pause, end, late: fc.boolean() }).map((scene): readonly Step[] => {
  const { who, count, pause, end, late } = scene;
  const [first, second] = ['dave/one', 'dave/two'];
  const letters: Step = { does: 'writes', who, to: 'dave', count, rest: { type: 'chat' } };
  return [
    { does: 'is cut', who: second },
    { does: 'comes', who },
    { does: 'comes', who: first },
    { ...hidden, who: first },
    { does: 'turns', count: 20 },
    letters,
    { does: 'turns', count: 20 },
    { does: 'dozes', who: first },
    { ...present, who: first },
    { does: 'turns', count: pause },
    { does: 'crash' },
    { does: 'falls silent', who: second },
    { does: 'comes', who: second },
    { does: 'turns', count: pause },
    { does: 'is cut', who: second },
    { does: 'speaks', who: second },
    { does: 'turns', count: 20 },
    { does: 'comes', who },
    ...(late ? [letters, { does: 'turns', count: pause } as const] : []),
    { does: 'comes', who: first },
    { does: 'turns', count: pause },
    ...end,
  ];
});

/** What happens, one after the other. */
export const story: fc.Arbitrary<readonly Step[]> = fc
  .array(
    fc.oneof(
      { arbitrary: step.map((one) => [one]), weight: 12 },
      { arbitrary: diesWriting, weight: 2 },
      { arbitrary: diesHandingOver, weight: 1 },
      { arbitrary: passedOn, weight: 1 },
    ),
    { minLength: 8, maxLength: 40, size: 'max' },
  )
  .map((scenes) => scenes.flat());

/** What a walk is told before it begins. */
export const setting: fc.Arbitrary<Setting> = fc.record({
  maxStanzas: fc.constantFrom(1000, 1000, 40),
  ackEveryStanzas: fc.constantFrom(1, 5, 1000),
  paddingBytes: fc.constantFrom(0, 0, 2000),
  trouble: fc.constantFrom(false, false, true),
});
