import { createHash, timingSafeEqual } from 'node:crypto';
import { refusingBadAddress } from '../c2s/stanza-intake.ts';
import { ns } from '../protocol/namespaces.ts';
import { randomId } from '../protocol/random-id.ts';
import { Stanza } from '../protocol/stanza.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { AckScope } from '../routing/ack-scope.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import { TcpFraming } from '../streams/framing.ts';
import type { StreamConnection } from '../streams/stream-connection.ts';
import type { StreamPhase } from '../streams/stream-deadlines.ts';
import { isStreamError, localDomain } from '../streams/stream-header.ts';
import type { AcceptedStream } from '../streams/stream-listener.ts';
import { StreamWire, type WireDeps, type WireUser } from '../streams/stream-wire.ts';
import { textOf, xml } from '../xml/element.ts';
import type { Frame } from '../xml/frame.ts';
import type { StreamHeader } from '../xml/stream-reader.ts';
import type { Component, ComponentLink } from './component.ts';

/** Dependencies of a component's stream. */
export interface ComponentStreamDeps extends WireDeps {
  readonly component: (domain: string) => Component | undefined;
  readonly route: (stanza: Stanza, ackScope: AckScope) => MaybePromise<void>;
}

/** The state of a component's stream. */
type ComponentState =
  /** Waiting for the stream header. */
  | { readonly name: 'opening' }
  /** Waiting for the handshake. */
  | { readonly name: 'handshaking'; readonly component: Component; readonly streamId: string }
  | { readonly name: 'bound'; readonly component: Component }
  | { readonly name: 'closing' }
  | { readonly name: 'closed' };

const phases: Readonly<Record<ComponentState['name'], StreamPhase>> = {
  opening: 'negotiating',
  handshaking: 'negotiating',
  bound: 'bound',
  closing: 'over',
  closed: 'ended',
};

/** Component streams have no acknowledgments. */
const unacknowledged: AckScope = { needsAck: false, ackAfter: () => undefined };

const overTcp = new TcpFraming(ns.componentAccept);

/** One connection of a component (XEP-0114 §3). */
export class ComponentStream implements AcceptedStream, WireUser, ComponentLink {
  readonly #deps: ComponentStreamDeps;
  readonly #authenticated: () => void;
  readonly #wire: StreamWire;
  #state: ComponentState = { name: 'opening' };
  #headerSent = false;

  constructor(deps: ComponentStreamDeps, authenticated: () => void) {
    this.#deps = deps;
    this.#authenticated = authenticated;
    this.#wire = new StreamWire(this, deps, overTcp);
  }

  open(connection: StreamConnection): void {
    this.#wire.attach(connection);
  }

  get phase(): StreamPhase {
    return phases[this.#state.name];
  }

  get remoteAddress(): string {
    return this.#wire.connection.remoteAddress;
  }

  get peer(): string {
    return 'component' in this.#state ? this.#state.component.domain : this.remoteAddress;
  }

  // --- called by the connection

  received(chunk: Buffer): void {
    this.#wire.received(chunk);
  }

  secured(): void {
    throw new Error('there is no TLS on the streams of components');
  }

  disconnected(): void {
    this.#wire.disconnected();
  }

  lost(): void {
    this.#leave({ name: 'closed' });
  }

  // --- called by the server

  sendStanza(stanza: Stanza): void {
    this.#wire.sendStanza(stanza);
  }

  relieved(): MaybePromise<void> {
    const { connection } = this.#wire;
    if (connection.congested) return connection.flushed();
  }

  close(error?: StreamError): void {
    if (this.phase === 'over' || this.phase === 'ended') return;
    if (!this.#headerSent) this.#sendHeader(randomId(), undefined);
    this.#leave({ name: 'closing' });
    if (error) this.#wire.send(error.element());
    this.#wire.close();
  }

  finish(): Promise<void> {
    this.#wire.connection.pause('shutdown');
    return Promise.resolve();
  }

  abandon(): void {
    this.#wire.connection.destroy();
  }

  tick(nowMs: number): void {
    this.#wire.tick(nowMs);
  }

  /** Sends white space, which needs no answer (RFC 6120 §4.6.1), so that a dead connection is detected. */
  keepAlive(): void {
    this.#wire.deadlines.read();
    this.#wire.connection.write(' ');
  }

  // --- called by the wire, for the component

  opened(header: StreamHeader): void {
    if (this.#state.name !== 'opening') throw StreamError.badFormat('unexpected stream header');
    const streamId = randomId();
    const component = this.#addressed(header.attribute('to'));
    this.#sendHeader(streamId, component?.domain);
    this.#wire.framing.check(header);
    if (!component) throw StreamError.hostUnknown();
    this.#state = { name: 'handshaking', component, streamId };
  }

  took(frame: Frame): MaybePromise<void> {
    if (isStreamError(frame)) return this.close();
    switch (this.#state.name) {
      case 'handshaking':
        return this.#handshake(frame, this.#state.component, this.#state.streamId);
      case 'bound':
        return this.#takeStanza(frame, this.#state.component.domain);
      case 'opening':
      case 'closing':
      case 'closed':
    }
  }

  peerClosed(): void {
    this.close();
  }

  #addressed(to: string | undefined): Component | undefined {
    const { component } = this.#deps;
    const domain = to === undefined ? undefined : localDomain(to, (name) => component(name) !== undefined);
    return domain === undefined ? undefined : component(domain);
  }

  #handshake(frame: Frame, component: Component, streamId: string): void {
    if (frame.name !== 'handshake' || frame.ns !== ns.componentAccept) {
      throw StreamError.notAuthorized('complete the handshake first');
    }
    if (!isProof(textOf(frame.element()), streamId, component.secret)) {
      this.#deps.log.warn(
        { component: component.domain, remote: this.remoteAddress },
        'a component sent a wrong secret',
      );
      throw StreamError.notAuthorized();
    }
    component.admit();
    const { limits, log } = this.#deps;
    this.#wire.trust(limits.xml, limits.rate);
    this.#authenticated();
    this.#wire.send(xml('handshake'));
    this.#state = { name: 'bound', component };
    component.attach(this);
    log.info({ component: component.domain, remote: this.remoteAddress }, 'component connected');
  }

  #takeStanza(frame: Frame, domain: string): MaybePromise<void> {
    if (frame.ns !== ns.componentAccept) throw StreamError.unsupportedStanzaType(`unknown element <${frame.name}/>`);
    const take = () => {
      const stanza = Stanza.fromFrame(frame);
      // XEP-0114 §3: both addresses are required, and 'from' must be at the component's domain.
      if (stanza.from?.domain !== domain) throw StreamError.invalidFrom(`'from' must be an address at ${domain}`);
      if (!stanza.to) throw StreamError.improperAddressing("a stanza from a component needs a 'to'");
      return this.#deps.route(stanza, unacknowledged);
    };
    return refusingBadAddress(frame, take, (reply) => this.sendStanza(reply));
  }

  #sendHeader(id: string, from: string | undefined): void {
    this.#headerSent = true;
    this.#wire.sendHeader({ id, from, to: undefined });
  }

  #leave(next: { readonly name: 'closing' | 'closed' }): void {
    const before = this.#state;
    this.#state = next;
    if (before.name !== 'bound') return;
    before.component.detach(this);
    this.#deps.log.info({ component: before.component.domain, remote: this.remoteAddress }, 'component disconnected');
  }
}

/** SHA-1 of the stream's id and the secret, in lowercase hexadecimal (XEP-0114 §3). */
function isProof(handshake: string, streamId: string, secret: string): boolean {
  const expected = Buffer.from(createHash('sha1').update(streamId).update(secret).digest('hex'));
  const actual = Buffer.from(handshake);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
