import { promises as dns, type SrvRecord as NodeSrvRecord } from 'node:dns';
import { isIP } from 'node:net';
import type { Clock } from '../support/clock.ts';
import { type Answer, AnswerCache } from './answer-cache.ts';
import { ResolutionError, type Resolver, type SrvRecord } from './resolver.ts';

/** The DNS servers to query, and the limits on queries. */
export interface ResolverOptions {
  /** IP addresses, with the port unless it is 53: `192.0.2.1`, `[2001:db8::1]:5353`. If empty, the system's servers. */
  readonly servers: readonly string[];
  /** Per try. */
  readonly timeoutMs: number;
  readonly tries: number;
}

const maxSrvRecords = 100;
const maxAddresses = 16;
const longestTtlMs = 3_600_000;
/** Node.js does not expose the TTL of SRV records. */
const srvTtlMs = 60_000;

/** Errors that mean an empty answer: the name or record type does not exist, or the name is invalid. */
const absent: ReadonlySet<unknown> = new Set([dns.NOTFOUND, dns.NODATA, dns.BADNAME]);

/** DNS through the resolver of Node.js, with a cache. */
export class SystemResolver implements Resolver {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #dns: dns.Resolver;
  #services: AnswerCache<SrvRecord>;
  #hosts: AnswerCache<string>;

  constructor(options: ResolverOptions, clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
    this.#dns = resolverOf(options);
    this.#services = new AnswerCache(clock);
    this.#hosts = new AnswerCache(clock);
  }

  /** Uses new options from now on, and empties the cache. Running queries continue. */
  reload(options: ResolverOptions): void {
    this.#dns = resolverOf(options);
    this.#services = new AnswerCache(this.#clock);
    this.#hosts = new AnswerCache(this.#clock);
  }

  srv(name: string): Promise<readonly SrvRecord[]> {
    return this.#services.records(name, async () => {
      const found = await this.#ask(name, () => this.#dns.resolveSrv(name));
      const first = found.toSorted((one, other) => one.priority - other.priority).slice(0, maxSrvRecords);
      return { records: first.map(toSrvRecord), ttlMs: srvTtlMs };
    });
  }

  async addresses(host: string): Promise<readonly string[]> {
    return isIP(host) === 0 ? this.#hosts.records(host, () => this.#bothFamilies(host)) : [host];
  }

  /** Cancels running queries. */
  close(): void {
    this.#dns.cancel();
  }

  /** Addresses of one family are enough. A failure for the other counts only if there are none. */
  async #bothFamilies(host: string): Promise<Answer<string>> {
    const families = await Promise.allSettled([
      this.#ask(host, () => this.#dns.resolve6(host, { ttl: true })),
      this.#ask(host, () => this.#dns.resolve4(host, { ttl: true })),
    ]);
    const found = families.flatMap((family) =>
      family.status === 'fulfilled' ? family.value.slice(0, maxAddresses) : [],
    );
    const failed = families.find((family) => family.status === 'rejected');
    if (found.length === 0 && failed) throw failed.reason;
    const ttlMs = failed ? 0 : Math.min(longestTtlMs, ...found.map(({ ttl }) => ttl * 1000));
    return { records: found.map(({ address }) => address), ttlMs };
  }

  async #ask<T>(name: string, query: () => Promise<T[]>): Promise<T[]> {
    try {
      return await query();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (absent.has(code)) return [];
      throw new ResolutionError('temporary', `DNS does not answer for ${name} (${String(code ?? error)})`, error);
    }
  }
}

function resolverOf({ servers, timeoutMs, tries }: ResolverOptions): dns.Resolver {
  const resolver = new dns.Resolver({ timeout: timeoutMs, tries });
  if (servers.length > 0) resolver.setServers(servers);
  return resolver;
}

function toSrvRecord({ priority, weight, port, name }: NodeSrvRecord): SrvRecord {
  return { priority, weight, port, host: name.replace(/\.$/, '') };
}
