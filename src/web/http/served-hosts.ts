import type { IncomingMessage } from 'node:http';
import { type BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { clientAddressOf } from '../../streams/proxy-protocol.ts';
import { isIn } from '../../support/network-list.ts';

/** The parts of a request that tell for which host it is, and from whom. */
type Addressed = Pick<IncomingMessage, 'url' | 'headers' | 'socket'>;

/**
 * Decides whether the server answers for the host of a request (RFC 9110 §7.4): for the names in `names` and all below them, `localhost`,
 * and addresses. A page of a stranger whose name leads to this server (DNS rebinding) has its own name there. A trusted proxy has made
 * that decision, and may name the server in its own way.
 */
export function hostCheck(names: readonly string[], trustedProxies: BlockList): (request: Addressed) => boolean {
  const served = ['localhost', ...names].map((name) => domainToASCII(name).toLowerCase()).filter((name) => name !== '');
  return (request) => {
    const host = hostOf(request);
    if (host === undefined || isIP(host.replace(/^\[|\]$/g, '')) !== 0) return true;
    if (served.some((name) => host === name || host.endsWith(`.${name}`))) return true;
    return isIn(trustedProxies, clientAddressOf(request.socket));
  };
}

/** The host in the request target (RFC 9112 §3.2.2), or else in the header. Undefined in a request of HTTP/1.0 without one. */
function hostOf({ url = '', headers }: Addressed): string | undefined {
  const [, inTarget] = /^https?:\/\/([^/?#]+)/i.exec(url) ?? [];
  const authority = inTarget ?? headers.host;
  return authority?.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
}
