import { isWhiteSpace, lessThan, skipSpace } from './char-class.ts';
import { Frame } from './frame.ts';
import { FrameIndexer } from './frame-index.ts';
import { bareContext } from './namespace-scope.ts';
import { PartialFrame } from './partial-frame.ts';
import { rootOf, StreamHeader, type StreamRoot } from './stream-header.ts';
import { tooMuch, XmlError } from './xml-error.ts';
import type { XmlLimits } from './xml-limits.ts';

export { StreamHeader } from './stream-header.ts';
export type { XmlLimits } from './xml-limits.ts';

/** Receives the parts of a stream in order. */
export interface StreamHandler {
  header(header: StreamHeader): void;
  frame(frame: Frame): void;
  /** The stream's end tag was read. Nothing follows it. */
  end(): void;
  /** White space between frames, which keeps a stream alive (RFC 6120 §4.6.1). */
  whitespace?(): void;
}

const noName: Buffer = Buffer.alloc(0);
/** The name that all known clients give their stream (RFC 6120 §4.8.5): kept once instead of for every stream. */
const usualName: Buffer = Buffer.from('stream:stream');
/** Indexers that are not in use, and how many of them are kept. */
const spareIndexers: FrameIndexer[] = [];
const maxSpareIndexers = 64;

/**
 * Reads one direction of an XML stream from chunks of bytes, cut anywhere. A frame within one chunk is handed out without
 * copying. Between frames a stream holds neither a buffer nor an indexer: streams share an indexer, which stays in the
 * processor's cache. The result does not depend on where the chunks are cut.
 */
export class StreamReader {
  /** For the next frame. */
  limits: XmlLimits;
  readonly #handler: StreamHandler;
  /** Set while there is data to read. */
  #indexer: FrameIndexer | undefined;
  #root: StreamRoot | undefined;
  #streamName = noName;
  /** Whether the stream has been restarted and only white space has arrived since. */
  #restarted = false;
  #partial: PartialFrame | undefined;
  /** Data that arrived while paused, if any. */
  #unread: Buffer[] | undefined;
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

  /** The number of received bytes that are not part of a finished frame. */
  get pendingBytes(): number {
    let count = this.#partial?.length ?? 0;
    if (this.#unread !== undefined) for (const chunk of this.#unread) count += chunk.length;
    return count;
  }

  /** Whether all received data has been handed out, except white space between frames. */
  get idle(): boolean {
    return this.#partial === undefined && (this.#unread === undefined || this.#unread.every(isWhiteSpace));
  }

  /** Reads more bytes, which must not change afterwards. Throws `XmlError`, and from then on always the same one. */
  push(chunk: Buffer): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended || chunk.length === 0) return;
    if (!this.#busy && !this.#paused) return this.#drain(chunk);
    this.#unread ??= [];
    this.#unread.push(chunk);
  }

  /** Stops handing out, even from within the handler. Data that arrives meanwhile is kept. */
  pause(): void {
    this.#paused = true;
  }

  /** Continues with the kept data. Throws like `push`. */
  resume(): void {
    this.#paused = false;
    if (this.#failure !== undefined) throw this.#failure;
    const chunk = this.#busy ? undefined : this.#unread?.shift();
    if (chunk !== undefined) this.#drain(chunk);
  }

  /**
   * Expects a new stream header next (RFC 6120 §4.3.3). White space before it belongs to the previous stream: some clients
   * write a line end after their last element.
   */
  restart(): void {
    this.#restarted = true;
    this.#root = undefined;
    this.#streamName = noName;
  }

  #drain(first: Buffer): void {
    this.#busy = true;
    this.#indexer ??= spareIndexers.pop() ?? new FrameIndexer();
    const indexer = this.#indexer;
    try {
      for (let chunk: Buffer | undefined = first; chunk !== undefined; ) {
        this.#consume(indexer, chunk);
        chunk = this.#paused || this.#ended ? undefined : this.#unread?.shift();
      }
      if (this.#partial === undefined) this.#giveBack(indexer);
    } catch (failure) {
      this.#failure = failure;
      this.#stop();
      throw failure;
    } finally {
      this.#busy = false;
      indexer.scanner.source.release();
    }
  }

  #giveBack(indexer: FrameIndexer): void {
    this.#indexer = undefined;
    if (spareIndexers.length < maxSpareIndexers) spareIndexers.push(indexer);
  }

  /** A failed indexer is in the middle of a frame and cannot be reused. */
  #stop(): void {
    this.#unread = undefined;
    this.#partial = undefined;
    this.#indexer = undefined;
  }

  /** Reads a chunk to its end, or until paused. */
  #consume(indexer: FrameIndexer, chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#paused && !this.#ended) {
      at =
        this.#partial === undefined
          ? this.#next(indexer, chunk, at)
          : this.#continue(indexer, this.#partial, chunk, at);
    }
    if (this.#ended) this.#stop();
    else if (at < chunk.length) {
      this.#unread ??= [];
      this.#unread.unshift(chunk.subarray(at));
    }
  }

  /** Reads the part that begins at `at`. Returns the offset at which to continue. */
  #next(indexer: FrameIndexer, chunk: Buffer, at: number): number {
    const { scanner } = indexer;
    const { maxBytes } = this.limits;
    indexer.root = this.#root;
    if (this.#root !== undefined || this.#restarted) {
      const first = skipSpace(chunk, at, chunk.length);
      if (first > at) {
        this.#handler.whitespace?.();
        return first;
      }
    }
    if (this.#root === undefined) {
      this.#restarted = false;
      scanner.beginDocument(bareContext, this.limits, true);
    } else {
      if (chunk[at] !== lessThan) throw new XmlError('bad-format', 'text between stanzas');
      scanner.beginFrame(this.#root, this.limits, this.#streamName);
    }
    scanner.source.bytes = chunk;
    scanner.source.base = at;
    const end = Math.min(chunk.length, at + maxBytes);
    const scanned = scanner.scan(at, end);
    if (scanner.complete) {
      this.#handOut(indexer, chunk, at, scanned);
      return scanned;
    }
    if (end - at >= maxBytes) tooMuch('too many bytes');
    this.#partial = new PartialFrame(maxBytes);
    this.#partial.append(chunk, at, chunk.length);
    this.#partial.scanned = scanned - at;
    return chunk.length;
  }

  #continue(indexer: FrameIndexer, partial: PartialFrame, chunk: Buffer, at: number): number {
    const { scanner } = indexer;
    const next = at + partial.append(chunk, at);
    scanner.source.bytes = partial.bytes;
    scanner.source.base = 0;
    partial.scanned = scanner.scan(partial.scanned, partial.length);
    if (scanner.complete) {
      this.#partial = undefined;
      this.#handOut(indexer, partial.bytes, 0, partial.scanned);
      return next - (partial.length - partial.scanned);
    }
    if (partial.full) tooMuch('too many bytes');
    return next;
  }

  #handOut(indexer: FrameIndexer, bytes: Buffer, start: number, end: number): void {
    const index = indexer.take();
    if (index === undefined) this.#end();
    else if (this.#root !== undefined) this.#handler.frame(new Frame(bytes, start, end, index, this.#root));
    else {
      const { scope, depth } = indexer.scanner;
      const header = new StreamHeader(index, { defaultNs: scope.defaultNs, prefixes: scope.prefixes() });
      this.#root = rootOf(header);
      const name = indexer.scanner.elementName();
      this.#streamName = name.equals(usualName) ? usualName : name;
      this.#handler.header(header);
      if (depth === 0) this.#end();
    }
  }

  #end(): void {
    this.#ended = true;
    this.#handler.end();
  }
}
