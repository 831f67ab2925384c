import { lessThan, skipSpace } from './char-class.ts';
import { Frame } from './frame.ts';
import { FrameIndexer } from './frame-index.ts';
import { bareContext } from './namespace-scope.ts';
import { PartialFrame } from './partial-frame.ts';
import { StreamHeader } from './stream-header.ts';
import { tooMuch, XmlError } from './xml-error.ts';
import type { XmlLimits } from './xml-limits.ts';

export { StreamHeader } from './stream-header.ts';
export type { XmlLimits } from './xml-limits.ts';

/** What becomes of a stream, piece by piece and in order. */
export interface StreamHandler {
  header(header: StreamHeader): void;
  frame(frame: Frame): void;
  /** The stream has been closed by its end tag; nothing comes after it. */
  end(): void;
  /** White space between frames: a sign of life (RFC 6120 §4.6.1). */
  whitespace?(): void;
}

const noName: Buffer = Buffer.alloc(0);

/**
 * Reads one direction of an XML stream from chunks of bytes, cut anywhere. A frame that lies in one chunk is handed out
 * without copying; between frames no buffer is held. What is accepted, and when it is refused, does not depend on where
 * the chunks are cut.
 */
export class StreamReader {
  /** For the next frame. */
  limits: XmlLimits;
  readonly #handler: StreamHandler;
  readonly #indexer = new FrameIndexer();
  #header: StreamHeader | undefined;
  #streamName = noName;
  #partial: PartialFrame | undefined;
  #unread: Buffer[] = [];
  #paused = false;
  #busy = false;
  #ended = false;
  #failure: unknown;

  constructor(handler: StreamHandler, limits: XmlLimits) {
    this.#handler = handler;
    this.limits = limits;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Bytes taken in that are not part of a finished frame. */
  get pendingBytes(): number {
    let count = this.#partial?.length ?? 0;
    for (const chunk of this.#unread) count += chunk.length;
    return count;
  }

  /** Takes in more bytes; they must not change afterwards. Throws `XmlError`, and from then on always the same one. */
  push(chunk: Buffer): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended || chunk.length === 0) return;
    this.#unread.push(chunk);
    this.#drain();
  }

  /** Stops handing out, also from within the handler; what comes meanwhile is kept. */
  pause(): void {
    this.#paused = true;
  }

  /** Goes on with what was kept. Throws as `push` does. */
  resume(): void {
    this.#paused = false;
    if (this.#failure !== undefined) throw this.#failure;
    this.#drain();
  }

  /** Expects a new stream header next (RFC 6120 §4.3.3). */
  restart(): void {
    this.#header = undefined;
    this.#streamName = noName;
    this.#indexer.root = undefined;
  }

  #drain(): void {
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (!this.#paused && !this.#ended && this.#unread.length > 0) this.#consume();
    } catch (failure) {
      this.#failure = failure;
      this.#stop();
      throw failure;
    } finally {
      this.#busy = false;
      this.#indexer.scanner.source.release();
    }
  }

  #stop(): void {
    this.#unread = [];
    this.#partial = undefined;
  }

  /** Reads the first unread chunk, to its end or until paused. */
  #consume(): void {
    const chunk = this.#unread.shift()!;
    let at = 0;
    while (at < chunk.length && !this.#paused && !this.#ended) {
      at = this.#partial === undefined ? this.#next(chunk, at) : this.#continue(this.#partial, chunk, at);
    }
    if (this.#ended) this.#stop();
    else if (at < chunk.length) this.#unread.unshift(chunk.subarray(at));
  }

  /** Reads what begins at `at`; the answer is where to go on. */
  #next(chunk: Buffer, at: number): number {
    const { scanner } = this.#indexer;
    const { maxBytes } = this.limits;
    if (this.#header === undefined) scanner.beginDocument(bareContext, this.limits, true);
    else {
      const first = skipSpace(chunk, at, chunk.length);
      if (first > at) {
        this.#handler.whitespace?.();
        return first;
      }
      if (chunk[at] !== lessThan) throw new XmlError('bad-format', 'text between stanzas');
      scanner.beginFrame(this.#header, this.limits, this.#streamName);
    }
    scanner.source.bytes = chunk;
    scanner.source.base = at;
    const end = Math.min(chunk.length, at + maxBytes);
    const scanned = scanner.scan(at, end);
    if (scanner.complete) {
      this.#handOut(chunk, at, scanned);
      return scanned;
    }
    if (end - at >= maxBytes) tooMuch('too many bytes');
    this.#partial = new PartialFrame(maxBytes);
    this.#partial.append(chunk, at, chunk.length);
    this.#partial.scanned = scanned - at;
    return chunk.length;
  }

  #continue(partial: PartialFrame, chunk: Buffer, at: number): number {
    const { scanner } = this.#indexer;
    const next = at + partial.append(chunk, at);
    scanner.source.bytes = partial.bytes;
    scanner.source.base = 0;
    partial.scanned = scanner.scan(partial.scanned, partial.length);
    if (scanner.complete) {
      this.#partial = undefined;
      this.#handOut(partial.bytes, 0, partial.scanned);
      return next - (partial.length - partial.scanned);
    }
    if (partial.full) tooMuch('too many bytes');
    return next;
  }

  #handOut(bytes: Buffer, start: number, end: number): void {
    const index = this.#indexer.take();
    if (index === undefined) this.#end();
    else if (this.#header !== undefined) this.#handler.frame(new Frame(bytes, start, end, index, this.#header));
    else {
      const { scope, depth } = this.#indexer.scanner;
      this.#header = new StreamHeader(index, { defaultNs: scope.defaultNs, prefixes: scope.prefixes() });
      this.#streamName = this.#indexer.scanner.elementName();
      this.#indexer.root = this.#header;
      this.#handler.header(this.#header);
      if (depth === 0) this.#end();
    }
  }

  #end(): void {
    this.#ended = true;
    this.#handler.end();
  }
}
