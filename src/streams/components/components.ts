import type { AddressInfo } from 'node:net';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import type { Doorkeeper } from '../doorkeeper.ts';
import { SocketGate } from '../socket-gate.ts';
import type { StreamLimits } from '../stream-limits.ts';
import { type ListenAddress, StreamListener } from '../stream-listener.ts';
import { Component, type ComponentOptions, type ComponentParts, type ComponentReport } from './component.ts';
import { ComponentStream, type ComponentStreamParts } from './component-stream.ts';

/** What the connections of components need from the rest of the house. */
export interface ComponentsEntrance {
  /** Takes a stanza of a component that may speak for its 'from'. */
  readonly take: ComponentStreamParts['route'];
  readonly limits: StreamLimits;
  readonly door: Doorkeeper;
  readonly clock: Clock;
  readonly log: Log;
}

/** All components of the configuration, and the way in for them. */
export class Components {
  readonly #byDomain: ReadonlyMap<string, Component>;
  #listener: StreamListener | undefined;

  constructor(options: readonly ComponentOptions[], parts: ComponentParts) {
    this.#byDomain = new Map(options.map((one) => [one.domain, new Component(one, parts)]));
  }

  get all(): readonly Component[] {
    return [...this.#byDomain.values()];
  }

  report(): readonly ComponentReport[] {
    return this.all.map((component) => component.report());
  }

  /** Opens the ports, if there is anybody to open them for; answers where it listens. */
  async listen(addresses: readonly ListenAddress[], entrance: ComponentsEntrance): Promise<readonly AddressInfo[]> {
    if (this.#byDomain.size === 0) return [];
    const { take, limits, door, clock, log } = entrance;
    const parts = { component: (domain: string) => this.#byDomain.get(domain), route: take, limits, clock, log };
    const connection = { rate: limits.unauthenticatedRate, limits: limits.connection, layTls: refuseTls, clock };
    const listener = new StreamListener({
      newStream: (authenticated) => new ComponentStream(parts, authenticated),
      gate: new SocketGate({ connection, backlog: door.backlog, log }),
      door,
      clock,
      log,
    });
    this.#listener = listener;
    const found = await Promise.all(addresses.map((address) => listener.listen(address, 'starttls')));
    return found.filter((address) => address !== undefined);
  }

  /** Ends every connection; what components may not have got stays on the disk for the next start. */
  async stop(drainMs: number): Promise<void> {
    await this.#listener?.stop(drainMs);
  }
}

function refuseTls(): never {
  throw new Error('there is no TLS on the streams of components');
}
