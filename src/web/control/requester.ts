import type { IncomingHttpHeaders } from 'node:http';

/** The person or program that asks for an operation. */
export interface Requester {
  /** The name of a user of the machine, or a JID. */
  readonly operator: string;
  /** The way of asking, such as `command line`. */
  readonly origin: string;
}

/** The header in which a client of the control socket names its user. */
export const operatorHeader = 'x-ampere-operator';

/** The requester as the client names itself. Only the owner of the socket and root can connect, and they could change the records anyway. */
export function requesterOf(headers: IncomingHttpHeaders): Requester {
  return { operator: decoded(String(headers[operatorHeader] ?? '')) || 'unknown', origin: 'command line' };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
