import { isIP } from 'node:net';
import { asciiDomain } from '../tls/certificate-files.ts';
import type { Target } from './federation-options.ts';
import { ResolutionError, type Resolver, type SrvRecord } from './resolver.ts';
import { inOrder } from './srv-order.ts';

/** What finding a server needs. */
interface FinderDeps {
  readonly resolver: Resolver;
  /** Where the servers of some domains are, in place of what DNS says. */
  readonly overrides: (domain: string) => readonly Target[] | undefined;
  /** From 0 to below 1, for the choice among records of the same priority. */
  readonly random: () => number;
}

/** Who names a thousand targets does not keep us busy with all of them. */
const maxTargets = 10;
const serverPort = 5269;

/** Finds the servers of domains (RFC 6120 §3.2, XEP-0368 §3). */
export class ServerFinder {
  readonly #deps: FinderDeps;

  constructor(deps: FinderDeps) {
    this.#deps = deps;
  }

  /** Where to try, in this order; never empty. Rejects with `ResolutionError`. */
  async targets(domain: string): Promise<readonly Target[]> {
    const fixed = this.#deps.overrides(domain);
    if (fixed) return fixed;
    const address = domain.replace(/^\[|\]$/g, '');
    if (isIP(address) !== 0) return [{ host: address, port: serverPort, tls: 'starttls', addresses: [address] }];
    const name = asciiDomain(domain);
    return (await this.#named(name)) ?? this.#unnamed(name);
  }

  /** The targets of SRV records, those of both kinds in one order (XEP-0368 §3); undefined if there are none. */
  async #named(name: string): Promise<readonly Target[] | undefined> {
    const { resolver, random } = this.#deps;
    const [starttls, direct] = await Promise.allSettled([
      resolver.srv(`_xmpp-server._tcp.${name}`),
      resolver.srv(`_xmpps-server._tcp.${name}`),
    ]);
    const records = [...tagged(starttls, 'starttls'), ...tagged(direct, 'direct')];
    const usable = records.filter(({ record }) => isUsable(record));
    if (usable.length > 0) return inOrder(usable, random).slice(0, maxTargets).map(toTarget);
    // What was not answered could have been a record: its absence must not lead to the domain's own address.
    if (starttls.status === 'rejected') throw starttls.reason;
    if (direct.status === 'rejected') throw direct.reason;
    if (starttls.value.length === 0) return undefined;
    throw new ResolutionError('not offered', `${name} offers no service to servers`);
  }

  /** Without SRV records the server is where the domain's name leads (RFC 6120 §3.2.2). */
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

/** An empty host says that the service is not offered (RFC 2782), and nobody listens on port 0. */
function isUsable({ host, port }: SrvRecord): boolean {
  return port > 0 && host.length <= 253 && /^[a-z\d_-]+(\.[a-z\d_-]+)*$/i.test(host);
}

function toTarget({ record: { host, port }, tls }: Tagged): Target {
  return { host, port, tls };
}
