import { escapedForm, plainForm, type Source, type TextForm, wideForm } from './source.ts';

/** The numbers of a span: the offsets of a name and its value, and flags. */
export const spanLength = 6;
export const nameStart = 0;
/** The offset of the colon, or -1. */
export const nameColon = 1;
export const nameEnd = 2;
export const valueStart = 3;
export const valueEnd = 4;
const flags = 5;

/** Further flags of a span. The lowest two bits are the form of its value. */
const formMask = 3;
export const declaresFlag = 4;
export const wideNameFlag = 8;

const initialSpans = 8;

/**
 * The offsets of the names and values of a start tag: a span for the element's own name, then one for each attribute. They
 * are numbers in one array, because objects take twice the time.
 */
export class TagSpans {
  readonly source: Source;
  numbers = new Int32Array(initialSpans * spanLength);
  /** The start of the last span. The first span starts at 0. */
  last = 0;

  constructor(source: Source) {
    this.source = source;
  }

  /** Starts again with the element's name. */
  begin(start: number): void {
    this.last = -spanLength;
    this.add(start);
  }

  /** Adds a span for a name that starts here. */
  add(start: number): void {
    this.last += spanLength;
    const at = this.last;
    if (at === this.numbers.length) this.#grow();
    const { numbers } = this;
    numbers[at + nameStart] = start;
    numbers[at + nameColon] = -1;
    numbers[at + flags] = 0;
  }

  setFlag(flag: number): void {
    this.numbers[this.last + flags]! |= flag;
  }

  declares(at: number): boolean {
    return (this.numbers[at + flags]! & declaresFlag) !== 0;
  }

  prefix(at: number): string {
    const colonAt = this.numbers[at + nameColon]!;
    return colonAt < 0 ? '' : this.#name(at, this.numbers[at + nameStart]!, colonAt);
  }

  local(at: number): string {
    const { numbers } = this;
    const colonAt = numbers[at + nameColon]!;
    return this.#name(at, colonAt < 0 ? numbers[at + nameStart]! : colonAt + 1, numbers[at + nameEnd]!);
  }

  qualified(at: number): string {
    return this.#name(at, this.numbers[at + nameStart]!, this.numbers[at + nameEnd]!);
  }

  value(at: number): string {
    const { numbers } = this;
    return this.source.value(numbers[at + valueStart]!, numbers[at + valueEnd]!, this.#form(at));
  }

  /** The value of a namespace declaration. */
  namespace(at: number): string {
    if (this.#form(at) !== plainForm) return this.value(at);
    return this.source.name(this.numbers[at + valueStart]!, this.numbers[at + valueEnd]!, true);
  }

  #name(at: number, start: number, end: number): string {
    return this.source.name(start, end, (this.numbers[at + flags]! & wideNameFlag) === 0);
  }

  #form(at: number): TextForm {
    const form = this.numbers[at + flags]! & formMask;
    if (form === plainForm) return plainForm;
    return form === wideForm ? wideForm : escapedForm;
  }

  #grow(): void {
    const larger = new Int32Array(2 * this.numbers.length);
    larger.set(this.numbers);
    this.numbers = larger;
  }
}
