import { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import type { Handoff } from '../routing/outbound.ts';
import type { OutgoingRequests } from '../routing/outgoing-requests.ts';
import type { Service } from '../routing/service.ts';
import { storabilityOf } from '../routing/storability.ts';
import { PingConfirmedQueue, type PingLimits } from '../streams/acknowledgment/ping-confirmed-queue.ts';
import type { OutgoingCopies } from '../streams/outgoing-copies.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { attribute, childElements, xml } from '../xml/element.ts';
import { type QueueBounds, type QueuedStanza, WaitingQueue } from './waiting-queue.ts';

/** How the operator wants a component treated. */
export interface ComponentOptions {
  readonly domain: string;
  /** What the component proves itself with (XEP-0114 §3). */
  readonly secret: string;
  /** Whether messages leave XMPP there; if it is not said, the component's service discovery says it. */
  readonly gateway?: boolean | undefined;
  /** When it connects a second time: the new connection ends the old one, or is refused. */
  readonly conflict: 'replace' | 'refuse';
  /** What becomes of messages while it is not connected. */
  readonly whileAway: 'bounce' | 'queue';
  readonly queue: QueueBounds;
}

/** Dependencies of a component. */
export interface ComponentDeps {
  /** Who asks it something in the name of the server. */
  readonly server: Jid;
  readonly requests: Pick<OutgoingRequests, 'ask'>;
  readonly copies: Pick<OutgoingCopies, 'add'>;
  readonly limits: PingLimits;
  readonly clock: Clock;
  readonly log: Log;
}

/** A connection of a component. */
export interface ComponentLink {
  readonly remoteAddress: string;
  sendStanza(stanza: Stanza): void;
  /** A promise if too much waits to leave: resolves when there is little, or the connection is gone. */
  relieved(): MaybePromise<void>;
  close(error: StreamError): void;
}

/** How a component is doing. */
export interface ComponentReport {
  readonly domain: string;
  readonly gateway: boolean;
  /** The IP address it is connected from. */
  readonly remoteAddress?: string | undefined;
  /** Messages that wait for it. */
  readonly waiting: number;
}

interface Connected {
  readonly link: ComponentLink;
  readonly pingConfirmed: PingConfirmedQueue;
}

const discoTimeoutMs = 30_000;
/** Connections a stanza is written to in vain before it is given up. */
const maxAttempts = 3;

/** A domain that a program of its own answers for (XEP-0114), connected or not. */
export class Component implements Service {
  #options: ComponentOptions;
  readonly #deps: ComponentDeps;
  readonly #waiting: WaitingQueue;
  #connected: Connected | undefined;
  /** What waits is being handed out, and goes first. */
  #catchingUp = false;
  #discovered = false;
  #removed = false;
  #ended = false;
  /** The entry with which a stanza that was written goes back to the queue, if the connection ends first. */
  readonly #sent = new WeakMap<Stanza, QueuedStanza>();

  constructor(options: ComponentOptions, deps: ComponentDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#waiting = new WaitingQueue(
      () => this.#options.queue,
      deps.clock,
      (expired) => this.#fail(expired, this.#timeout()),
    );
  }

  get domain(): string {
    return this.#options.domain;
  }

  get secret(): string {
    return this.#options.secret;
  }

  get gateway(): boolean {
    return this.#options.gateway ?? this.#discovered;
  }

  get absence(): StanzaError | undefined {
    if (this.#connected || this.#options.whileAway === 'queue') return undefined;
    return this.#away();
  }

  report(): ComponentReport {
    const remoteAddress = this.#connected?.link.remoteAddress;
    return { domain: this.domain, gateway: this.gateway, remoteAddress, waiting: this.#waiting.length };
  }

  send(stanza: Stanza, departure: Handoff): void {
    const connected = this.#connected;
    if (connected && !this.#catchingUp) return this.#sendTo(connected, stanza, departure);
    if (!connected && !this.#mayWait(stanza)) throw this.#away();
    this.#enqueue(stanza, departure);
  }

  /** The operator wants it treated otherwise from now on; who has proved itself by another secret must do it again. */
  change(options: ComponentOptions): void {
    const { secret } = this.#options;
    this.#options = options;
    if (options.secret !== secret) this.#connected?.link.close(StreamError.reset('the secret was changed'));
  }

  /** The operator does not want it any more. */
  remove(): void {
    this.#removed = true;
    this.#connected?.link.close(StreamError.hostGone());
    this.#dismiss(() => false, StanzaError.remoteServerNotFound(`${this.domain} is no longer served here`));
  }

  /** The server stops: what the component may not have got stays on the disk. */
  end(): void {
    this.#ended = true;
  }

  /** Throws the stream error with which one more connection is turned away (RFC 6120 §4.9.3.3). */
  admit(): void {
    if (this.#removed) throw StreamError.hostGone();
    const taken = this.#connected && this.#options.conflict === 'refuse';
    if (taken) throw StreamError.conflict('the component is already connected');
  }

  /** A connection has proved itself: it is given what waits, and what comes. */
  attach(link: ComponentLink): void {
    const before = this.#connected;
    this.#connected = { link, pingConfirmed: this.#newPingConfirmed(link) };
    if (before) {
      before.link.close(StreamError.conflict('replaced by a new connection'));
      this.#requeue(before);
    }
    void this.#catchUp();
    if (this.#options.gateway === undefined) void this.#discover(link);
  }

  /** A connection is over; what it may not have got waits for the next one, if it may. */
  detach(link: ComponentLink): void {
    const before = this.#connected;
    if (before?.link !== link) return;
    this.#connected = undefined;
    if (this.#ended) return void before.pingConfirmed.end();
    this.#requeue(before);
    this.#dismiss(({ stanza }) => this.#mayWait(stanza), this.#away());
  }

  #mayWait(stanza: Stanza): boolean {
    return this.#options.whileAway === 'queue' && stanza.kind === 'message' && storabilityOf(stanza) === 'keep';
  }

  /** In the order in which it was written, and before what has waited behind it (RFC 6120 §10.1). */
  #requeue({ pingConfirmed }: Connected): void {
    const returned = pingConfirmed.end().flatMap(({ stanza }) => this.#sent.get(stanza) ?? []);
    this.#waiting.putFirst(returned.filter(({ attempts }) => attempts < maxAttempts));
    for (const queued of returned)
      if (queued.attempts >= maxAttempts) this.#fail(queued, StanzaError.remoteServerTimeout());
  }

  #dismiss(mayStay: (queued: QueuedStanza) => boolean, error: StanzaError): void {
    for (const queued of this.#waiting.dismiss(mayStay)) this.#fail(queued, error);
  }

  #sendTo(connected: Connected, stanza: Stanza, departure: Handoff): void {
    if (departure.ackScope) {
      const queued = this.#newQueued(stanza, departure);
      departure.ackScope.ackAfter(queued.copy.durable);
      this.#remember(connected, stanza, queued);
    }
    connected.link.sendStanza(stanza);
    departure.left?.();
  }

  #remember({ pingConfirmed }: Connected, stanza: Stanza, queued: QueuedStanza): void {
    this.#sent.set(stanza, { ...queued, stanza, attempts: queued.attempts + 1 });
    void pingConfirmed.add(stanza, queued.copy);
  }

  #newQueued(stanza: Stanza, departure: Handoff): QueuedStanza {
    const sinceMs = this.#deps.clock.monotonicMs();
    return { stanza, departure, copy: this.#deps.copies.add(stanza), sinceMs, attempts: 0 };
  }

  /** With a copy, whether or not the sender waits for an acknowledgment: an operator who configures a queue wants it to last. */
  #enqueue(stanza: Stanza, departure: Handoff): void {
    if (!this.#waiting.hasRoomFor(stanza)) throw StanzaError.resourceConstraint(`the queue for ${this.domain} is full`);
    const queued = this.#newQueued(stanza, departure);
    this.#waiting.push(queued);
    departure.ackScope?.ackAfter(queued.copy.durable);
  }

  async #catchUp(): Promise<void> {
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    while (this.#connected && this.#waiting.head) {
      await this.#handOut(this.#waiting.head, this.#connected);
      // What is away for long may wait for more than a connection can hold.
      await this.#connected?.link.relieved();
    }
    this.#catchingUp = false;
  }

  /** It stays at the head until it may leave: whatever changes meanwhile, it is asked about again. */
  async #handOut(head: QueuedStanza, connected: Connected): Promise<void> {
    const { departure, attempts, copy } = head;
    const unchanged = () => this.#waiting.head === head && this.#connected === connected;
    try {
      // One that goes again has been asked about before.
      const stanza = departure.leaving && attempts === 0 ? await departure.leaving() : head.stanza;
      if (!unchanged()) return;
      this.#waiting.shift();
      if (!stanza) return copy.release();
      this.#remember(connected, stanza, head);
      connected.link.sendStanza(stanza);
      if (attempts === 0) departure.left?.();
    } catch (error) {
      // Or it has been too late for it meanwhile.
      if (this.#waiting.remove(head))
        this.#fail(head, error instanceof StanzaError ? error : StanzaError.internalServerError());
    }
  }

  /** The copy stays until what becomes of the stanza instead is durable. */
  #fail({ departure, copy }: QueuedStanza, error: StanzaError): void {
    const settled = Promise.resolve(departure.failed(error));
    settled.then(
      () => copy.release(),
      (fault: unknown) => this.#deps.log.error({ err: fault, component: this.domain }, 'unhandled failure'),
    );
  }

  #newPingConfirmed(link: ComponentLink): PingConfirmedQueue {
    const { copies, limits, clock } = this.#deps;
    const ping = xml('ping', { xmlns: ns.ping });
    const recipient = {
      keep: (stanza: Stanza) => copies.add(stanza),
      hasEnded: () => this.#connected?.link !== link,
      ping: (timeoutMs: number) => this.#ask(link, ping, timeoutMs),
    };
    return new PingConfirmedQueue(recipient, limits, clock);
  }

  async #discover(link: ComponentLink): Promise<void> {
    const answer = await this.#ask(link, xml('query', { xmlns: ns.discoInfo }), discoTimeoutMs);
    const query = answer?.payload.find('query', ns.discoInfo);
    if (!answer || !query) return;
    const children = childElements(answer.payload.element(query));
    this.#discovered = children.some((one) => one.name === 'identity' && attribute(one, 'category') === 'gateway');
    if (this.#discovered) this.#deps.log.info({ component: this.domain }, 'the component is a gateway');
  }

  #ask(link: ComponentLink, question: ReturnType<typeof xml>, timeoutMs: number): Promise<Stanza | undefined> {
    const { requests, server } = this.#deps;
    const send = (request: Stanza) => link.sendStanza(request);
    return requests.ask(server, Jid.from('', this.domain), question, timeoutMs, send);
  }

  #away(): StanzaError {
    return new StanzaError('service-unavailable', { type: 'wait', text: `${this.domain} is not connected` });
  }

  #timeout(): StanzaError {
    return StanzaError.remoteServerTimeout(`${this.domain} did not connect in time`);
  }
}
