import { InternCache } from '../../protocol/intern-cache.ts';
import { ns } from '../../protocol/namespaces.ts';
import { attribute, childElements, type Element, nsOf } from '../../xml/element.ts';
import { type Child, contentNs, type Payload } from '../../xml/payload.ts';
import { serialise } from '../../xml/serialise.ts';
import type { WrittenRule } from './written-rules.ts';

/** An `<amp/>` as its sender wrote it, whatever it is good for (XEP-0079 §4.1). Immutable, and shared by all messages with the same. */
export interface AmpElement {
  /** Whether it reports what has become of a message; one that asks for something has no status. */
  readonly isReport: boolean;
  readonly rules: readonly WrittenRule[];
  readonly perHop: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** The same element in two halves without the ends: up to the last of its other attributes, and from there on. */
  readonly halves: readonly [head: string, tail: string];
}

/** An `<amp/>` in its place in a message. */
export interface PlacedAmp {
  readonly child: Child;
  readonly amp: AmpElement;
}

const keptElements = 1024;
const longestKept = 512;

// Clients say the same few things again and again, and the bytes of a child of a payload mean the same in every other.
const known = new InternCache<AmpElement>(keptElements, longestKept);

/** Whether a child of a stanza is an `<amp/>`. */
export function isAmp({ name, ns: childNs }: Child): boolean {
  return childNs === ns.amp && name === 'amp';
}

/** All that a message has. */
export function ampsOf(payload: Payload): readonly PlacedAmp[] {
  const amps: PlacedAmp[] = [];
  for (const child of payload.children) if (isAmp(child)) amps.push({ child, amp: ampOf(payload, child) });
  return amps;
}

/** The first that asks for something. */
export function requestOf(amps: readonly PlacedAmp[]): PlacedAmp | undefined {
  return amps.find(({ amp }) => !amp.isReport);
}

function ampOf(payload: Payload, child: Child): AmpElement {
  const bytes = payload.bytes.toString('latin1', child.start, child.end);
  const before = known.get(bytes);
  if (before) return before;
  const amp = readAmp(payload.element(child));
  known.set(bytes, amp);
  return amp;
}

function readAmp(element: Element): AmpElement {
  const from = attribute(element, 'from');
  const to = attribute(element, 'to');
  const isReport = attribute(element, 'status') !== undefined;
  const perHop = attribute(element, 'per-hop');
  return { isReport, rules: readRules(element), perHop, from, to, halves: halvesOf(element) };
}

function readRules(amp: Element): WrittenRule[] {
  return childElements(amp)
    .filter((child) => child.getName() === 'rule' && nsOf(child) === ns.amp)
    .map((rule) => ({
      action: attribute(rule, 'action'),
      condition: attribute(rule, 'condition'),
      value: attribute(rule, 'value'),
    }));
}

/** Uses the element up. */
function halvesOf(element: Element): [head: string, tail: string] {
  Object.assign(element.attrs, { from: undefined, to: undefined });
  const whole = serialise(element, contentNs);
  element.children = [];
  const head = serialise(element, contentNs).slice(0, -'/>'.length);
  return [head, whole.slice(head.length)];
}
