import { connect, isIP, isIPv6, type Socket } from 'node:net';
import type { Clock, Timer } from '../support/clock.ts';
import type { Target } from './federation-options.ts';
import { isPrivateAddress } from './private-address.ts';
import { ResolutionError, type Resolver } from './resolver.ts';

/** Dependencies of connecting. */
export interface ConnectDeps {
  readonly resolver: Pick<Resolver, 'addresses'>;
  readonly clock: Pick<Clock, 'after'>;
  /** Whether all targets may be in private networks. A `fixed` target always may. */
  readonly allowPrivateAddresses: boolean;
  /** The limit for all addresses together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** No connection to a target. The message gives the reason for each address. */
export class ConnectError extends Error {
  /** Whether the limit on outgoing connections is the reason. */
  readonly crowded: boolean;

  constructor(message: string, crowded = false) {
    super(message);
    this.name = 'ConnectError';
    this.crowded = crowded;
  }
}

/** The delay before the next address is tried in parallel (RFC 8305 §5). */
const attemptDelayMs = 250;
/** How many addresses of a target are tried. */
const maxAddresses = 8;

/**
 * Opens a TCP connection to a target, trying addresses of both families as in RFC 8305. Rejects with `ConnectError`, with
 * `ResolutionError`, or with the reason of the signal.
 */
export async function connectTo(target: Target, deps: ConnectDeps, open: OpenSocket = openSocket): Promise<Socket> {
  deps.signal?.throwIfAborted();
  const addresses = await addressesOf(target, deps);
  const allowed = addresses.filter((address) => mayConnect(address, target, deps));
  if (addresses.length > 0 && allowed.length === 0)
    throw new ConnectError(
      `${target.host}: ${addresses.join(', ')} is in a private network (s2s.allowPrivateAddresses)`,
    );
  if (allowed.length === 0) throw new ResolutionError('no such domain', `${target.host} has no address`);
  deps.signal?.throwIfAborted();
  return new Race(interleaved(allowed).slice(0, maxAddresses), deps, (address) => open(address, target.port)).winner;
}

/** Starts a connection; undefined if the limit on outgoing connections is reached. */
type OpenSocket = (address: string, port: number) => Socket | undefined;

/** Starts a TCP connection. */
export function openSocket(address: string, port: number): Socket {
  return connect({ host: address, port, noDelay: true });
}

async function addressesOf(target: Target, { resolver }: ConnectDeps): Promise<readonly string[]> {
  if (target.addresses) return target.addresses;
  return isIP(target.host) === 0 ? resolver.addresses(target.host) : [target.host];
}

function mayConnect(address: string, target: Target, { allowPrivateAddresses }: ConnectDeps): boolean {
  return allowPrivateAddresses || target.fixed === true || !isPrivateAddress(address);
}

/** Alternates between the families, IPv6 first (RFC 8305 §4). */
function interleaved(addresses: readonly string[]): string[] {
  const six = addresses.filter((address) => isIPv6(address));
  const four = addresses.filter((address) => !isIPv6(address));
  const longer = Math.max(six.length, four.length);
  return Array.from({ length: longer }, (_, index) => [six[index], four[index]])
    .flat()
    .filter((address) => address !== undefined);
}

/** Tries addresses in parallel, each with a head start over the next. The first connection ends the other attempts. */
class Race {
  readonly #outcome = Promise.withResolvers<Socket>();
  readonly #waiting: string[];
  readonly #open: (address: string) => Socket | undefined;
  readonly #deps: ConnectDeps;
  readonly #running = new Set<Socket>();
  readonly #failures: string[] = [];
  readonly #deadline: Timer;
  #next: Timer | undefined;

  constructor(addresses: readonly string[], deps: ConnectDeps, open: (address: string) => Socket | undefined) {
    this.#waiting = [...addresses];
    this.#open = open;
    this.#deps = deps;
    this.#deadline = deps.clock.after(deps.timeoutMs, () => this.#giveUp(this.#error('no answer in time')));
    deps.signal?.addEventListener('abort', this.#aborted);
    this.#start();
  }

  get winner(): Promise<Socket> {
    return this.#outcome.promise;
  }

  #start(): void {
    this.#next?.cancel();
    const address = this.#waiting.shift();
    if (address === undefined) {
      if (this.#running.size === 0) this.#giveUp(this.#error());
      return;
    }
    const socket = this.#open(address);
    if (!socket) return this.#noRoom();
    this.#running.add(socket);
    socket.once('connect', () => this.#connected(socket));
    // The listener stays after the race: an 'error' event without a listener ends the process.
    socket.on('error', (error) => this.#failed(socket, `${address}: ${codeOf(error)}`));
    if (this.#waiting.length > 0) this.#next = this.#deps.clock.after(attemptDelayMs, () => this.#start());
  }

  /** Starts no further attempts. Those that are running may still succeed. */
  #noRoom(): void {
    this.#waiting.length = 0;
    if (this.#running.size === 0) this.#giveUp(new ConnectError('too many connections to other servers', true));
  }

  #connected(socket: Socket): void {
    this.#running.delete(socket);
    socket.removeAllListeners('error');
    this.#finish();
    this.#outcome.resolve(socket);
  }

  #failed(socket: Socket, failure: string): void {
    if (!this.#running.delete(socket)) return;
    this.#failures.push(failure);
    this.#start();
  }

  #giveUp(reason: unknown): void {
    this.#finish();
    this.#outcome.reject(reason);
  }

  #finish(): void {
    this.#next?.cancel();
    this.#deadline.cancel();
    this.#deps.signal?.removeEventListener('abort', this.#aborted);
    for (const socket of this.#running) socket.destroy();
    this.#running.clear();
  }

  readonly #aborted = (): void => this.#giveUp(this.#deps.signal?.reason);

  #error(...further: string[]): ConnectError {
    return new ConnectError([...this.#failures, ...further].join('; '));
  }
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message;
}
