import type { AddressInfo } from 'node:net';
import type { ConnectionLimiter } from '../streams/connection-limiter.ts';
import { SocketAcceptor } from '../streams/socket-acceptor.ts';
import type { StreamLimits } from '../streams/stream-limits.ts';
import { type ListenAddress, StreamListener } from '../streams/stream-listener.ts';
import type { StreamTraffic } from '../streams/stream-traffic.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { Component, type ComponentDeps, type ComponentOptions, type ComponentReport } from './component.ts';
import { ComponentStream, type ComponentStreamDeps } from './component-stream.ts';

/** Dependencies of the listener for components. */
interface ComponentListenerDeps {
  readonly addresses: readonly ListenAddress[];
  /** Takes a stanza of a component that may speak for its 'from'. */
  readonly take: ComponentStreamDeps['route'];
  readonly limits: StreamLimits;
  readonly traffic: StreamTraffic;
  readonly limiter: ConnectionLimiter;
  readonly clock: Clock;
  readonly log: Log;
}

/** All configured components, and the listener for them. */
export class Components {
  readonly #deps: ComponentDeps;
  readonly #byDomain = new Map<string, Component>();
  #listenerDeps: ComponentListenerDeps | undefined;
  #listener: StreamListener | undefined;
  #addresses: readonly AddressInfo[] = [];

  constructor(options: readonly ComponentOptions[], deps: ComponentDeps) {
    this.#deps = deps;
    this.reload(options);
  }

  get all(): readonly Component[] {
    return [...this.#byDomain.values()];
  }

  /** The addresses that the listener is bound to. */
  get addresses(): readonly AddressInfo[] {
    return this.#addresses;
  }

  get connections(): number {
    return this.#listener?.connections ?? 0;
  }

  get unauthenticated(): number {
    return this.#listener?.unauthenticated ?? 0;
  }

  at(domain: string): Component | undefined {
    return this.#byDomain.get(domain);
  }

  report(): readonly ComponentReport[] {
    return this.all.map((component) => component.report());
  }

  /** Opens the ports if there are components, now or after a reload. */
  async listen(listenerDeps: ComponentListenerDeps): Promise<void> {
    this.#listenerDeps = listenerDeps;
    await this.prepare(this.all);
  }

  /** Opens the ports if components are `expected`. They stay open until the server stops. */
  async prepare(expected: readonly unknown[]): Promise<void> {
    if (expected.length === 0 || this.#listener || !this.#listenerDeps) return;
    const listener = this.#newListener(this.#listenerDeps);
    const found: AddressInfo[] = [];
    try {
      for (const address of this.#listenerDeps.addresses) {
        const got = await listener.listen(address, 'starttls');
        if (got) found.push(got);
      }
    } catch (error) {
      await listener.stop(0);
      throw error;
    }
    this.#listener = listener;
    this.#addresses = found;
  }

  /** Disconnects removed components, and admits new ones. */
  reload(options: readonly ComponentOptions[]): void {
    const wanted = new Map(options.map((one) => [one.domain, one]));
    for (const [domain, component] of this.#byDomain) {
      if (wanted.has(domain)) continue;
      this.#byDomain.delete(domain);
      component.remove();
    }
    for (const [domain, one] of wanted) {
      const known = this.#byDomain.get(domain);
      if (known) known.change(one);
      else this.#byDomain.set(domain, new Component(one, this.#deps));
    }
  }

  /** Ends every connection. Unconfirmed stanzas stay on the disk for the next start. */
  async stop(drainMs: number): Promise<void> {
    for (const component of this.all) component.end();
    await this.#listener?.stop(drainMs);
  }

  #newListener({ take, limits, traffic, limiter, clock, log }: ComponentListenerDeps): StreamListener {
    const deps = { component: (domain: string) => this.at(domain), route: take, limits, traffic, clock, log };
    const connection = {
      get rate() {
        return limits.unauthenticatedRate;
      },
      get limits() {
        return limits.connection;
      },
      layTls: refuseTls,
      clock,
    };
    return new StreamListener({
      newStream: (authenticated) => new ComponentStream(deps, authenticated),
      acceptor: new SocketAcceptor({ connection, backlog: limiter.backlog, log }),
      limiter,
      clock,
      log,
    });
  }
}

function refuseTls(): never {
  throw new Error('there is no TLS on the streams of components');
}
