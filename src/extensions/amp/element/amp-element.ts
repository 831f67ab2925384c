import { InternCache } from '../../../protocol/intern-cache.ts';
import { ns } from '../../../protocol/namespaces.ts';
import { attributeValue } from '../../../xml/frame.ts';
import type { Child, Payload } from '../../../xml/payload.ts';
import { Scanner, type ScannerSink } from '../../../xml/scanner.ts';
import type { StartTag } from '../../../xml/start-tag.ts';
import type { WrittenRule } from './written-rules.ts';

/** An `<amp/>` as received, unchecked (XEP-0079 §4.1). Immutable, and shared by all messages with the same bytes. */
interface AmpElement {
  /** Whether it is a report on a message, which has a 'status'. A request has none. */
  readonly isReport: boolean;
  readonly rules: readonly WrittenRule[];
  readonly perHop: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** The offset in bytes of the end of its start tag, `>` or `/>`, where more attributes can be inserted. */
  readonly roomAt: number;
}

/** An `<amp/>` and its position in a message. */
export interface PlacedAmp {
  readonly child: Child;
  readonly amp: AmpElement;
}

const keptElements = 1024;
const longestKept = 512;

// Clients repeat the same few elements, and the bytes of a child mean the same in every payload.
const known = new InternCache<AmpElement>(keptElements, longestKept);

/** Whether a child of a stanza is an `<amp/>`. */
export function isAmp({ name, ns: childNs }: Child): boolean {
  return childNs === ns.amp && name === 'amp';
}

/** All `<amp/>` elements of a message. */
export function ampsOf(payload: Payload): readonly PlacedAmp[] {
  const amps: PlacedAmp[] = [];
  for (const child of payload.children) if (isAmp(child)) amps.push({ child, amp: ampOf(payload, child) });
  return amps;
}

/** The first request among them. */
export function requestOf(amps: readonly PlacedAmp[]): PlacedAmp | undefined {
  return amps.find(({ amp }) => !amp.isReport);
}

function ampOf(payload: Payload, child: Child): AmpElement {
  const bytes = payload.bytes.toString('latin1', child.start, child.end);
  const before = known.get(bytes);
  if (before) return before;
  const amp = reader.read(payload, child);
  known.set(bytes, amp);
  return amp;
}

/** Reads an `<amp/>` from its tags, without building a tree. */
class AmpReader implements ScannerSink {
  readonly #scanner = new Scanner(this);
  #amp: AmpElement | undefined;
  #rules: WrittenRule[] = [];

  read(payload: Payload, child: Child): AmpElement {
    this.#rules = [];
    payload.scan(child, this.#scanner);
    return this.#amp!;
  }

  startTag(tag: StartTag, depth: number, _start: number, end: number): void {
    if (depth === 1) this.#readRoot(tag, end);
    else if (depth === 2 && tag.localName === 'rule' && tag.ns === ns.amp) this.#rules.push(this.#ruleOf(tag));
  }

  endTag(): void {
    // Start tags hold all the data.
  }

  text(): void {
    // Ignored.
  }

  cdata(): void {
    // Ignored.
  }

  #readRoot(tag: StartTag, end: number): void {
    const attributes = tag.attributes(this.#scanner.scope);
    this.#amp = {
      isReport: attributeValue(attributes, 'status') !== undefined,
      rules: this.#rules,
      perHop: attributeValue(attributes, 'per-hop'),
      from: attributeValue(attributes, 'from'),
      to: attributeValue(attributes, 'to'),
      roomAt: end - (tag.empty ? '/>' : '>').length,
    };
  }

  #ruleOf(tag: StartTag): WrittenRule {
    const attributes = tag.attributes(this.#scanner.scope);
    return {
      action: attributeValue(attributes, 'action'),
      condition: attributeValue(attributes, 'condition'),
      value: attributeValue(attributes, 'value'),
    };
  }
}

// Reading is synchronous and never re-entered, so one reader is enough.
const reader = new AmpReader();
