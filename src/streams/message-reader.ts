import { ns } from '../protocol/namespaces.ts';
import { bareContext } from '../xml/namespace-scope.ts';
import { parseFrame } from '../xml/parse-frame.ts';
import { type StreamHandler, StreamHeader } from '../xml/stream-reader.ts';
import { XmlError } from '../xml/xml-error.ts';
import type { XmlLimits } from '../xml/xml-limits.ts';
import type { FrameReader } from './framing.ts';

const lessThan = 0x3c;
const questionMark = 0x3f;

/** Reads a stream of messages, each of which is one whole element (RFC 7395 §3.3). A chunk is a message. */
export class MessageReader implements FrameReader {
  limits: XmlLimits;
  readonly #handler: StreamHandler;
  /** Messages that arrived while reading was paused. */
  readonly #waiting: Buffer[] = [];
  #paused = false;
  #reading = false;
  #opened = false;
  #lang: string | undefined;

  constructor(handler: StreamHandler, limits: XmlLimits) {
    this.#handler = handler;
    this.limits = limits;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Always 0: the connection gives whole messages only. */
  get pendingBytes(): number {
    return 0;
  }

  get idle(): boolean {
    return this.#waiting.length === 0;
  }

  push(message: Buffer): void {
    this.#waiting.push(message);
    this.#readWaiting();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#readWaiting();
  }

  restart(): void {
    this.#opened = false;
  }

  /** The handler may pause, resume or push more meanwhile. */
  #readWaiting(): void {
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (!this.#paused) {
        const message = this.#waiting.shift();
        if (!message) return;
        this.#read(message);
      }
    } finally {
      this.#reading = false;
    }
  }

  #read(message: Buffer): void {
    // RFC 7395 §3.3.3
    if (message[0] !== lessThan) throw new XmlError('not-well-formed', 'a message begins with an element');
    if (message[1] === questionMark) throw new XmlError('restricted-xml', 'a message has no XML declaration');
    const frame = parseFrame(message, this.limits, this.#lang);
    if (frame.ns === ns.framing && frame.name === 'close') return this.#handler.end();
    if (this.#opened && frame.ns === ns.framing) throw new XmlError('bad-format', 'the stream is open already');
    if (this.#opened) return this.#handler.frame(frame);
    const header = new StreamHeader(frame, bareContext);
    this.#opened = true;
    this.#lang = header.lang;
    this.#handler.header(header);
  }
}
