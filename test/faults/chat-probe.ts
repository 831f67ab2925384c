import { setTimeout as pause } from 'node:timers/promises';
import { TestClient } from '../support/test-client.ts';
import { childOf } from '../support/xml-tree.ts';

const pauseMs = 2;

/** Two users who chat, to measure the latency of messages while other clients load or attack the server. */
export class ChatProbe {
  readonly #port: number;
  readonly #names: readonly [string, string];
  #one!: TestClient;
  #other!: TestClient;
  #sent = 0;

  constructor(port: number, names: readonly [string, string] = ['romeo', 'juliet']) {
    this.#port = port;
    this.#names = names;
  }

  /** Logs both in. */
  async logIn(): Promise<void> {
    this.#one = await logIn(this.#port, this.#names[0]);
    this.#other = await logIn(this.#port, this.#names[1]);
  }

  /** Lets them write to each other in turn until `event` has happened, and at least `atLeast` times. */
  async chatUntil(event: Promise<unknown>, atLeast = 100): Promise<Latencies> {
    let happened = false;
    const watched = event.finally(() => {
      happened = true;
    });
    // A rejection is awaited below.
    watched.catch(() => undefined);
    const took: number[] = [];
    while (!happened || took.length < atLeast) {
      took.push(await this.#timeOf(this.#one, this.#other));
      took.push(await this.#timeOf(this.#other, this.#one));
      // Without a pause the probe would be a load of its own.
      await pause(pauseMs);
    }
    await watched;
    return new Latencies(took);
  }

  disconnect(): void {
    this.#one.disconnects();
    this.#other.disconnects();
  }

  async #timeOf(from: TestClient, to: TestClient): Promise<number> {
    const body = String(++this.#sent);
    const began = performance.now();
    from.sends(`<message to="${to.jid}" type="chat"><body>${body}</body></message>`);
    const arrival = await to.connection.next('a message of the other');
    if (arrival.kind !== 'element' || childOf(arrival.tree, 'body')?.text !== body) throw new Error(`${body} was lost`);
    return performance.now() - began;
  }
}

/** The latencies of messages. */
export class Latencies {
  readonly #sorted: readonly number[];

  constructor(tookMs: readonly number[]) {
    this.#sorted = tookMs.toSorted((one, other) => one - other);
  }

  toString(): string {
    return `${this.#sorted.length} messages, p50 ${this.#at(0.5)} ms, p99 ${this.#at(0.99)} ms`;
  }

  #at(part: number): string {
    return (this.#sorted[Math.floor((this.#sorted.length - 1) * part)] ?? 0).toFixed(2);
  }
}

/** Logs a user in, with the password that follows from the name, and sends presence. */
export async function logIn(port: number, username: string, localAddress = '127.0.0.1'): Promise<TestClient> {
  const client = await TestClient.connect({ host: '127.0.0.1', port, localAddress }, 'localhost');
  await client.opens();
  await client.authenticates({ username, password: `${username}-password` });
  await client.binds('home');
  await client.appears();
  return client;
}
