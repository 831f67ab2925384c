import { ResolutionError, type Resolver, type SrvRecord } from '../../src/federation/resolver.ts';

/** Says what a test wrote into it, and fails for the names that it shall not know. */
export class FakeResolver implements Resolver {
  readonly services = new Map<string, readonly SrvRecord[]>();
  readonly hosts = new Map<string, readonly string[]>();
  readonly failing = new Set<string>();
  readonly asked: string[] = [];

  srv(name: string): Promise<readonly SrvRecord[]> {
    return this.#answer(name, this.services);
  }

  addresses(host: string): Promise<readonly string[]> {
    return this.#answer(host, this.hosts);
  }

  async #answer<T>(name: string, from: ReadonlyMap<string, readonly T[]>): Promise<readonly T[]> {
    this.asked.push(name);
    if (this.failing.has(name)) throw new ResolutionError('temporary', `DNS does not answer for ${name}`);
    return from.get(name) ?? [];
  }
}
