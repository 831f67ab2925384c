import type { Connection } from '../streams/connection.ts';
import type { ConnectionUser, Pause, ReadRate } from '../streams/stream-connection.ts';
import { channelBindingRecord, encode, type StartTlsRecord, toCore } from './records.ts';
import type { ThreadLink } from './thread-link.ts';

/** A connection in an edge: passes input to the core, and reports unsent output. */
export class HeldConnection implements ConnectionUser {
  readonly #id: number;
  readonly #link: ThreadLink;
  readonly #forget: () => void;
  #connection!: Connection;
  /** The unsent bytes last reported to the core. */
  #toldBytes = 0;
  #watching = false;

  constructor(id: number, link: ThreadLink, forget: () => void) {
    this.#id = id;
    this.#link = link;
    this.#forget = forget;
  }

  open(connection: Connection): void {
    this.#connection = connection;
  }

  // --- called by the connection

  received(chunk: Buffer): void {
    this.#link.put(toCore.bytes, this.#id, chunk);
    if (this.#link.crowded) this.#connection.pause('link');
  }

  secured(): void {
    const bindings = this.#connection.channelBindings.map(channelBindingRecord);
    this.#link.put(toCore.secured, this.#id, encode('secured', bindings));
  }

  disconnected(): void {
    this.#forget();
    this.#link.put(toCore.gone, this.#id);
  }

  // --- commands of the core

  write(bytes: Buffer): void {
    this.#connection.write(bytes);
  }

  startTls({ start, host, goAhead }: StartTlsRecord): void {
    this.#connection.startTls(start, host, goAhead);
  }

  pause(reason: Pause): void {
    this.#connection.pause(reason);
  }

  resume(reason: Pause): void {
    this.#connection.resume(reason);
  }

  limitReading(rate: ReadRate): void {
    this.#connection.limitReading(rate);
  }

  end(): void {
    this.#connection.end();
  }

  destroy(): void {
    this.#connection.destroy();
  }

  /** Reports to the core when little output is left. */
  tellFlushed(): void {
    void this.#connection.flushed().then(() => this.#link.put(toCore.flushed, this.#id));
  }

  // --- called by the edge

  /** The link has room again. */
  goOn(): void {
    this.#connection.resume('link');
  }

  /** Reports to the core when the unsent output crosses a threshold, in either direction. */
  tellIfMuchWaits(): void {
    if (this.#connection.nearlyFlushed) return;
    this.#tell(this.#connection.outgoingBytes);
    if (this.#watching) return;
    this.#watching = true;
    void this.#connection.flushed().then(() => {
      this.#watching = false;
      this.#tell(this.#connection.outgoingBytes);
    });
  }

  /** Called about once a second. */
  tick(nowMs: number): void {
    this.#connection.checkStall(nowMs);
    this.#tell(this.#connection.outgoingBytes);
  }

  #tell(waitingBytes: number): void {
    if (waitingBytes === this.#toldBytes) return;
    this.#toldBytes = waitingBytes;
    this.#link.put(toCore.waiting, this.#id, encode('waiting', waitingBytes));
  }
}
