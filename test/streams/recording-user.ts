import type { ConnectionUser } from '../../src/streams/stream-connection.ts';

/** What a stream would hear of its connection. */
export class RecordingUser implements ConnectionUser {
  readonly events: string[] = [];
  bytes = Buffer.alloc(0);
  #wake = () => {};

  received(chunk: Buffer): void {
    this.bytes = Buffer.concat([this.bytes, chunk]);
    this.#wake();
  }

  secured(): void {
    this.#happened('secured');
  }

  disconnected(): void {
    this.#happened('disconnected');
  }

  async until(done: () => boolean): Promise<void> {
    while (!done()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  hears(count: number): Promise<void> {
    return this.until(() => this.bytes.length >= count);
  }

  has(event: 'secured' | 'disconnected'): Promise<void> {
    return this.until(() => this.events.includes(event));
  }

  #happened(event: string): void {
    this.events.push(event);
    this.#wake();
  }
}
