import { isIP } from 'node:net';
import { asciiDomain } from '../tls/certificate-files.ts';
import type { Target } from './federation-options.ts';
import { ResolutionError, type Resolver, type SrvRecord } from './resolver.ts';
import { inOrder } from './srv-order.ts';

/** Dependencies of {@link ServerFinder}. */
interface FinderDeps {
  readonly resolver: Resolver;
  /** The servers of single domains, used instead of DNS. */
  readonly overrides: (domain: string) => readonly Target[] | undefined;
  /** From 0 (inclusive) to 1 (exclusive), for choosing among records of the same priority. */
  readonly random: () => number;
}

/** Limits the work that one domain with many records can cause. */
const maxTargets = 10;
const serverPort = 5269;

/** Finds the servers of domains (RFC 6120 §3.2, XEP-0368 §3). */
export class ServerFinder {
  readonly #deps: FinderDeps;

  constructor(deps: FinderDeps) {
    this.#deps = deps;
  }

  /** The targets to try, in order; never empty. Rejects with `ResolutionError`. */
  async targets(domain: string): Promise<readonly Target[]> {
    const fixed = this.#deps.overrides(domain);
    if (fixed) return fixed;
    const address = domain.replace(/^\[|\]$/g, '');
    if (isIP(address) !== 0) return [{ host: address, port: serverPort, tls: 'starttls', addresses: [address] }];
    const name = asciiDomain(domain);
    return (await this.#named(name)) ?? this.#unnamed(name);
  }

  /** The targets of both kinds of SRV records in one order (XEP-0368 §3); undefined without records. */
  async #named(name: string): Promise<readonly Target[] | undefined> {
    const { resolver, random } = this.#deps;
    const [starttls, direct] = await Promise.allSettled([
      resolver.srv(`_xmpp-server._tcp.${name}`),
      resolver.srv(`_xmpps-server._tcp.${name}`),
    ]);
    const records = [...tagged(starttls, 'starttls'), ...tagged(direct, 'direct')];
    const usable = records.filter(({ record }) => isUsable(record));
    if (usable.length > 0) return inOrder(usable, random).slice(0, maxTargets).map(toTarget);
    // Without an answer a record may exist, so the domain's own address must not be used.
    if (starttls.status === 'rejected') throw starttls.reason;
    if (direct.status === 'rejected') throw direct.reason;
    if (starttls.value.length === 0) return undefined;
    throw new ResolutionError('not offered', `${name} offers no service to servers`);
  }

  /** Without SRV records, the server is at the domain's own address (RFC 6120 §3.2.2). */
  async #unnamed(name: string): Promise<readonly Target[]> {
    const addresses = await this.#deps.resolver.addresses(name);
    if (addresses.length === 0) throw new ResolutionError('no such domain', `${name} has no address`);
    return [{ host: name, port: serverPort, tls: 'starttls', addresses }];
  }
}

interface Tagged {
  readonly record: SrvRecord;
  readonly tls: Target['tls'];
}

function tagged(answer: PromiseSettledResult<readonly SrvRecord[]>, tls: Target['tls']): Tagged[] {
  return answer.status === 'fulfilled' ? answer.value.map((record) => ({ record, tls })) : [];
}

/** An empty host means that the service is not offered (RFC 2782). Port 0 cannot be connected to. */
function isUsable({ host, port }: SrvRecord): boolean {
  return port > 0 && host.length <= 253 && /^[a-z\d_-]+(\.[a-z\d_-]+)*$/i.test(host);
}

function toTarget({ record: { host, port }, tls }: Tagged): Target {
  return { host, port, tls };
}
