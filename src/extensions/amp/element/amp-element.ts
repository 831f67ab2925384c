import { InternCache } from '../../../protocol/intern-cache.ts';
import { ns } from '../../../protocol/namespaces.ts';
import { attributeValue } from '../../../xml/frame.ts';
import type { Child, Payload } from '../../../xml/payload.ts';
import { Scanner, type ScannerSink } from '../../../xml/scanner.ts';
import type { StartTag } from '../../../xml/start-tag.ts';
import type { WrittenRule } from './written-rules.ts';

/** An `<amp/>` as its sender wrote it, whatever it is good for (XEP-0079 §4.1). Immutable, and shared by all messages with the same. */
interface AmpElement {
  /** Whether it reports what has become of a message; one that asks for something has no status. */
  readonly isReport: boolean;
  readonly rules: readonly WrittenRule[];
  readonly perHop: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** How many of its bytes come before the end of its start tag, `>` or `/>`: there is room for more attributes. */
  readonly roomAt: number;
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
  const amp = reader.read(payload, child);
  known.set(bytes, amp);
  return amp;
}

/** Reads an `<amp/>` from its tags: no tree is made. */
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
    // Its tags say all there is.
  }

  text(): void {
    // Means nothing.
  }

  cdata(): void {
    // Means nothing.
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

// Reading calls nobody back, so one reader serves all.
const reader = new AmpReader();
