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

/** The operator's settings for a component. */
export interface ComponentOptions {
  readonly domain: string;
  /** The shared secret of the handshake (XEP-0114 §3). */
  readonly secret: string;
  /** Whether the component is a gateway out of XMPP; if undefined, its service discovery decides. */
  readonly gateway?: boolean | undefined;
  /** If it connects again: whether the new connection replaces the old one or is refused. */
  readonly conflict: 'replace' | 'refuse';
  /** Messages while it is not connected: return an error, or queue them. */
  readonly whileAway: 'bounce' | 'queue';
  readonly queue: QueueBounds;
}

/** Dependencies of a component. */
export interface ComponentDeps {
  /** The sender of the server's own requests. */
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
  /** A promise while too much output is buffered. It resolves when the buffer is small, or the connection is gone. */
  relieved(): MaybePromise<void>;
  close(error: StreamError): void;
}

/** The state of a component, for operators. */
export interface ComponentReport {
  readonly domain: string;
  readonly gateway: boolean;
  /** The IP address of its connection. */
  readonly remoteAddress?: string | undefined;
  /** Messages in its queue. */
  readonly waiting: number;
}

interface Connected {
  readonly link: ComponentLink;
  readonly pingConfirmed: PingConfirmedQueue;
}

const discoTimeoutMs = 30_000;
/** How many connections a stanza is written to, without confirmation, before it fails. */
const maxAttempts = 3;

/** A domain served by a separate program (XEP-0114), connected or not. */
export class Component implements Service {
  #options: ComponentOptions;
  readonly #deps: ComponentDeps;
  readonly #waiting: WaitingQueue;
  #connected: Connected | undefined;
  /** The queue is being sent, before new stanzas. */
  #catchingUp = false;
  #discovered = false;
  #removed = false;
  #ended = false;
  /** For each sent stanza, the entry to put back into the queue if the connection ends before it is confirmed. */
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

  send(stanza: Stanza, handoff: Handoff): void {
    const connected = this.#connected;
    if (connected && !this.#catchingUp) return this.#sendTo(connected, stanza, handoff);
    if (!connected && !this.#mayWait(stanza)) throw this.#away();
    this.#enqueue(stanza, handoff);
  }

  /** Applies new settings. If the secret has changed, the component must authenticate again. */
  change(options: ComponentOptions): void {
    const { secret } = this.#options;
    this.#options = options;
    if (options.secret !== secret) this.#connected?.link.close(StreamError.reset('the secret was changed'));
  }

  /** The component was removed from the configuration. */
  remove(): void {
    this.#removed = true;
    this.#connected?.link.close(StreamError.hostGone());
    this.#failUnless(() => false, StanzaError.remoteServerNotFound(`${this.domain} is no longer served here`));
  }

  /** The server stops: unconfirmed stanzas stay on the disk. */
  end(): void {
    this.#ended = true;
  }

  /** Throws StreamError if another connection must be refused (RFC 6120 §4.9.3.3). */
  admit(): void {
    if (this.#removed) throw StreamError.hostGone();
    const taken = this.#connected && this.#options.conflict === 'refuse';
    if (taken) throw StreamError.conflict('the component is already connected');
  }

  /** Takes an authenticated connection: sends it the queue, then new stanzas. */
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

  /** A connection has ended. Its unconfirmed stanzas wait for the next one or fail. */
  detach(link: ComponentLink): void {
    const before = this.#connected;
    if (before?.link !== link) return;
    this.#connected = undefined;
    if (this.#ended) return void before.pingConfirmed.end();
    this.#requeue(before);
    this.#failUnless(({ stanza }) => this.#mayWait(stanza), this.#away());
  }

  #mayWait(stanza: Stanza): boolean {
    return this.#options.whileAway === 'queue' && stanza.kind === 'message' && storabilityOf(stanza) === 'keep';
  }

  /** Puts unconfirmed stanzas back in their order, before the queue (RFC 6120 §10.1). */
  #requeue({ pingConfirmed }: Connected): void {
    const returned = pingConfirmed.end().flatMap(({ stanza }) => this.#sent.get(stanza) ?? []);
    this.#waiting.putFirst(returned.filter(({ attempts }) => attempts < maxAttempts));
    for (const queued of returned)
      if (queued.attempts >= maxAttempts) this.#fail(queued, StanzaError.remoteServerTimeout());
  }

  #failUnless(mayStay: (queued: QueuedStanza) => boolean, error: StanzaError): void {
    for (const queued of this.#waiting.removeUnless(mayStay)) this.#fail(queued, error);
  }

  #sendTo(connected: Connected, stanza: Stanza, handoff: Handoff): void {
    if (handoff.ackScope) {
      const queued = this.#newQueued(stanza, handoff);
      handoff.ackScope.ackAfter(queued.copy.durable);
      this.#remember(connected, stanza, queued);
    }
    connected.link.sendStanza(stanza);
    handoff.left?.();
  }

  #remember({ pingConfirmed }: Connected, stanza: Stanza, queued: QueuedStanza): void {
    this.#sent.set(stanza, { ...queued, stanza, attempts: queued.attempts + 1 });
    void pingConfirmed.add(stanza, queued.copy);
  }

  #newQueued(stanza: Stanza, handoff: Handoff): QueuedStanza {
    const sinceMs = this.#deps.clock.monotonicMs();
    return { stanza, handoff, copy: this.#deps.copies.add(stanza), sinceMs, attempts: 0 };
  }

  /** Keeps a copy of each queued stanza, whether or not its sender needs an acknowledgment: a configured queue must survive a restart. */
  #enqueue(stanza: Stanza, handoff: Handoff): void {
    if (!this.#waiting.hasRoomFor(stanza)) throw StanzaError.resourceConstraint(`the queue for ${this.domain} is full`);
    const queued = this.#newQueued(stanza, handoff);
    this.#waiting.push(queued);
    handoff.ackScope?.ackAfter(queued.copy.durable);
  }

  async #catchUp(): Promise<void> {
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    while (this.#connected && this.#waiting.head) {
      await this.#handOut(this.#waiting.head, this.#connected);
      // A long queue can exceed the buffer of a connection.
      await this.#connected?.link.relieved();
    }
    this.#catchingUp = false;
  }

  /** Sends the head of the queue, after `leaving` if this is the first attempt. If the head or the connection changes meanwhile, does nothing. */
  async #handOut(head: QueuedStanza, connected: Connected): Promise<void> {
    const { handoff, attempts, copy } = head;
    const unchanged = () => this.#waiting.head === head && this.#connected === connected;
    try {
      const stanza = handoff.leaving && attempts === 0 ? await handoff.leaving() : head.stanza;
      if (!unchanged()) return;
      this.#waiting.shift();
      if (!stanza) return copy.release();
      this.#remember(connected, stanza, head);
      connected.link.sendStanza(stanza);
      if (attempts === 0) handoff.left?.();
    } catch (error) {
      // The head may have expired meanwhile.
      if (this.#waiting.remove(head))
        this.#fail(head, error instanceof StanzaError ? error : StanzaError.internalServerError());
    }
  }

  /** Fails a stanza. Its copy stays until the outcome is durable. */
  #fail({ handoff, copy }: QueuedStanza, error: StanzaError): void {
    const settled = Promise.resolve(handoff.failed(error));
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
