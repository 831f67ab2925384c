import type { DiscoItem } from '../protocol/disco.ts';
import type { Service } from './service.ts';

/** Services that come and go, such as the components of a configuration that is reloaded. */
export interface ServiceSource {
  readonly all: readonly Service[];
  at(domain: string): Service | undefined;
}

/** All services. Routing, service discovery and federation find them here. */
export class Services {
  readonly #isLocalDomain: (domain: string) => boolean;
  readonly #own = new Map<string, Service>();
  readonly #sources: ServiceSource[] = [];

  constructor(isLocalDomain: (domain: string) => boolean) {
    this.#isLocalDomain = isLocalDomain;
  }

  /** Adds a service of the server itself. Throws an Error if its domain is taken. */
  add(service: Service): void {
    this.checkFree([service]);
    for (const { all } of this.#sources) checkApart(all, service.domain);
    this.#own.set(service.domain, service);
  }

  remove({ domain }: Pick<Service, 'domain'>): void {
    this.#own.delete(domain);
  }

  /** Adds services that can change; call {@link checkFree} before the source grows. Throws an Error if a domain is taken. */
  join(source: ServiceSource): void {
    this.checkFree(source.all);
    this.#sources.push(source);
  }

  /** Throws an Error if one of the domains has accounts or a service of the server itself. */
  checkFree(wanted: readonly Pick<Service, 'domain'>[]): void {
    for (const { domain } of wanted) {
      if (this.#isLocalDomain(domain)) throw new Error(`${domain} is a domain of accounts: no service can have it`);
      checkApart([...this.#own.values()], domain);
    }
  }

  at(domain: string): Service | undefined {
    const own = this.#own.get(domain);
    if (own) return own;
    for (const source of this.#sources) {
      const found = source.at(domain);
      if (found) return found;
    }
    return undefined;
  }

  /** The services below a domain, for its disco#items (XEP-0030 §4.1). */
  itemsOf(domain: string): DiscoItem[] {
    const all = [...this.#own.values(), ...this.#sources.flatMap((source) => source.all)];
    const below = all.filter((service) => service.domain.endsWith(`.${domain}`));
    return below.map(({ domain: jid, name }) => ({ jid, ...(name !== undefined && { name }) }));
  }
}

function checkApart(services: readonly Pick<Service, 'domain'>[], domain: string): void {
  if (services.some((one) => one.domain === domain)) throw new Error(`two services have the domain ${domain}`);
}
