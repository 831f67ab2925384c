import type { Stanza } from '../../src/protocol/stanza.ts';
import type { Service } from '../../src/routing/service.ts';

/** A service in this process, which takes everything at once or throws a StanzaError. */
export function serviceOf(domain: string, gateway: boolean, take: (stanza: Stanza) => void): Service {
  return {
    domain,
    gateway,
    send: (stanza, { left }) => {
      take(stanza);
      left?.();
    },
  };
}
