import { ns } from '../../protocol/namespaces.ts';
import { el, serialize, type XmlElement } from './element.ts';

/** How a stream reaches the server. */
export interface Transport {
  readonly url: string;
  readonly open: (url: string, protocol: string) => WebSocket;
  readonly parse: (text: string) => XmlElement;
}

/** The connection has ended. */
export class StreamClosed extends Error {
  /** The condition of the stream error that the server sent, if it sent one. */
  readonly condition: string | undefined;

  constructor(condition?: string) {
    super(condition === undefined ? 'the connection was lost' : `the server has ended the stream: ${condition}`);
    this.name = 'StreamClosed';
    this.condition = condition;
  }
}

/** A stream through a WebSocket (RFC 7395). */
export class Stream {
  readonly #socket: WebSocket;
  readonly #parse: Transport['parse'];
  readonly #waiting: XmlElement[] = [];
  readonly #ended = Promise.withResolvers<StreamClosed>();
  #wake: (() => void) | undefined;
  #listener: ((element: XmlElement) => void) | undefined;
  #condition: string | undefined;
  #closed = false;

  private constructor(socket: WebSocket, parse: Transport['parse']) {
    this.#socket = socket;
    this.#parse = parse;
    socket.addEventListener('message', ({ data }) => this.#take(String(data)));
    socket.addEventListener('close', () => this.#end());
    // A close follows each error.
    socket.addEventListener('error', () => undefined);
  }

  /** Connects and opens a stream to a domain. Resolves with the stream and its features; rejects with `StreamClosed`. */
  static async open({ url, open, parse }: Transport, domain: string): Promise<[Stream, XmlElement]> {
    const socket = open(url, 'xmpp');
    const stream = new Stream(socket, parse);
    await Promise.race([
      new Promise((resolve) => {
        socket.addEventListener('open', resolve, { once: true });
      }),
      stream.ended.then((reason) => Promise.reject(reason)),
    ]);
    stream.send(el(ns.framing, 'open', { to: domain, version: '1.0' }));
    await stream.next('open');
    return [stream, await stream.next('features')];
  }

  /** Resolves with the reason when the connection has ended. */
  get ended(): Promise<StreamClosed> {
    return this.#ended.promise;
  }

  /** The next element, of one of these names. Rejects with `StreamClosed`. */
  async next(...names: readonly string[]): Promise<XmlElement> {
    while (this.#waiting.length === 0) {
      if (this.#closed) throw new StreamClosed(this.#condition);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const element = this.#waiting.shift();
    if (element && names.includes(element.name)) return element;
    this.close();
    throw new StreamClosed(`unexpected <${element?.name}/>`);
  }

  /** From now on, hands each element to `listener`. */
  listen(listener: (element: XmlElement) => void): void {
    this.#listener = listener;
    for (const element of this.#waiting.splice(0)) listener(element);
  }

  send(element: XmlElement): void {
    this.write(serialize(element));
  }

  /** Sends the text of one element. */
  write(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** Ends the stream for good: the server does not keep the session. */
  close(): void {
    this.send(el(ns.framing, 'close'));
    this.#socket.close();
  }

  /** Drops the connection; the server keeps the session. */
  drop(): void {
    this.#socket.close();
    this.#end();
  }

  #take(text: string): void {
    let element: XmlElement;
    try {
      element = this.#parse(text);
    } catch {
      return this.drop();
    }
    if (element.ns === ns.framing && element.name === 'close') return this.#socket.close();
    if (element.ns === ns.stream && element.name === 'error') {
      this.#condition = conditionOf(element, ns.streamErrors);
      return;
    }
    if (this.#listener) return this.#listener(element);
    this.#waiting.push(element);
    this.#wake?.();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ended.resolve(new StreamClosed(this.#condition));
    this.#wake?.();
  }
}

/** The defined condition in an error. */
export function conditionOf(error: XmlElement | undefined, namespace: string): string | undefined {
  const conditions = (error?.children ?? []).filter((child) => typeof child !== 'string');
  return conditions.find(({ ns: its, name }) => its === namespace && name !== 'text')?.name;
}
