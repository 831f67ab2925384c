import type { AddressInfo } from 'node:net';
import type { ConnectionLimiter } from '../streams/connection-limiter.ts';
import { SocketAcceptor } from '../streams/socket-acceptor.ts';
import type { StreamLimits } from '../streams/stream-limits.ts';
import { type ListenAddress, StreamListener } from '../streams/stream-listener.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { Component, type ComponentDeps, type ComponentOptions, type ComponentReport } from './component.ts';
import { ComponentStream, type ComponentStreamDeps } from './component-stream.ts';

/** Dependencies of the connections of components. */
interface ComponentsEntrance {
  readonly addresses: readonly ListenAddress[];
  /** Takes a stanza of a component that may speak for its 'from'. */
  readonly take: ComponentStreamDeps['route'];
  readonly limits: StreamLimits;
  readonly limiter: ConnectionLimiter;
  readonly clock: Clock;
  readonly log: Log;
}

/** All components of the configuration, and the way in for them. */
export class Components {
  readonly #deps: ComponentDeps;
  readonly #byDomain = new Map<string, Component>();
  #entrance: ComponentsEntrance | undefined;
  #listener: StreamListener | undefined;
  #addresses: readonly AddressInfo[] = [];

  constructor(options: readonly ComponentOptions[], deps: ComponentDeps) {
    this.#deps = deps;
    this.reload(options);
  }

  get all(): readonly Component[] {
    return [...this.#byDomain.values()];
  }

  /** Where they may connect, by the kernel's word. */
  get addresses(): readonly AddressInfo[] {
    return this.#addresses;
  }

  at(domain: string): Component | undefined {
    return this.#byDomain.get(domain);
  }

  report(): readonly ComponentReport[] {
    return this.all.map((component) => component.report());
  }

  /** Opens the ports, if there is anybody to open them for, now or after a reload. */
  async listen(entrance: ComponentsEntrance): Promise<void> {
    this.#entrance = entrance;
    await this.prepare(this.all);
  }

  /** Opens the ports if there is to be somebody to open them for; they stay open until the end. */
  async prepare(expected: readonly unknown[]): Promise<void> {
    if (expected.length === 0 || this.#listener || !this.#entrance) return;
    const listener = this.#newListener(this.#entrance);
    const found: AddressInfo[] = [];
    try {
      for (const address of this.#entrance.addresses) {
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

  /** Who is not there any more is disconnected, who is new may come. */
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

  /** Ends every connection; what components may not have got stays on the disk for the next start. */
  async stop(drainMs: number): Promise<void> {
    for (const component of this.all) component.end();
    await this.#listener?.stop(drainMs);
  }

  #newListener({ take, limits, limiter, clock, log }: ComponentsEntrance): StreamListener {
    const deps = { component: (domain: string) => this.at(domain), route: take, limits, clock, log };
    const connection = { rate: limits.unauthenticatedRate, limits: limits.connection, layTls: refuseTls, clock };
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
