import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Connection } from '../streams/connection.ts';
import type { ConnectionUser } from '../streams/stream-connection.ts';
import type { TlsStart } from '../tls/tls-options.ts';
import { ConnectError } from './connect.ts';
import { DialFailure } from './dial-failure.ts';
import type { DomainPair } from './domain-pairs.ts';
import type { Target } from './federation-options.ts';
import type { CertificateVerdict } from './peer-certificate.ts';
import type { PeerStream, PeerStreamDeps } from './peer-stream.ts';
import { ResolutionError } from './resolver.ts';
import { type Established, type Opening, openingTo, type StreamRequest } from './server-stream-out.ts';

/** Dependencies of {@link Dialler}. */
interface DialDeps {
  readonly stream: PeerStreamDeps;
  /** The servers of a domain, in the order in which to try them. */
  readonly targets: (domain: string) => Promise<readonly Target[]>;
  readonly connect: (target: Target, signal: AbortSignal) => Promise<Socket>;
  readonly makeConnection: (socket: Socket, user: ConnectionUser, pair: DomainPair) => Connection;
  /** Called for every stream before it starts. */
  readonly opened: (opening: Opening, request: StreamRequest) => void;
}

/** Observes the progress of attempts. */
export interface DialWatch {
  found(targets: readonly Target[]): void;
  connected(target: Target, socket: Socket): void;
  secured(tls: TLSSocket, verdict: CertificateVerdict): void;
  failed(target: Target, failure: DialFailure): void;
}

/** Common to all attempts of one call of `dial`. */
interface Attempt {
  readonly signal: AbortSignal;
  readonly watch: DialWatch | undefined;
}

/** Opens streams to other servers. */
export class Dialler {
  readonly #deps: DialDeps;

  constructor(deps: DialDeps) {
    this.#deps = deps;
  }

  /** Tries the servers of the remote domain in order. Rejects with DialFailure. Aborting `signal` also ends the stream. */
  async dial(
    pair: DomainPair,
    purpose: StreamRequest['purpose'],
    signal: AbortSignal,
    watch?: DialWatch,
  ): Promise<Established> {
    if (!this.#deps.stream.policies.allows(pair.remote)) throw DialFailure.forbidden(pair.remote);
    let last = DialFailure.notFound(`found no server for ${pair.remote}`);
    const targets = await this.#targets(pair.remote);
    watch?.found(targets);
    for (const target of targets) {
      try {
        return await this.#tryTarget(target, { ...pair, purpose, external: true }, { signal, watch });
      } catch (error) {
        last = failureOf(error);
        this.#failed(pair, target, last, watch);
        if (signal.aborted) throw last;
      }
    }
    throw last;
  }

  async #targets(domain: string): Promise<readonly Target[]> {
    try {
      return await this.#deps.targets(domain);
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** If the peer refuses our certificate, opens another stream for dialback, because many servers close after a failure. */
  async #tryTarget(target: Target, request: StreamRequest, attempt: Attempt): Promise<Established> {
    try {
      return await this.#open(target, request, attempt);
    } catch (error) {
      if (!(error instanceof DialFailure && error.certificateRefused && request.external)) throw error;
      this.#failed(request, target, error, attempt.watch);
      return this.#open(target, { ...request, external: false }, attempt);
    }
  }

  async #open(target: Target, request: StreamRequest, { signal, watch }: Attempt): Promise<Established> {
    const socket = await this.#deps.connect(target, signal);
    watch?.connected(target, socket);
    const { begin, ...opening } = openingTo(request, this.#deps.stream);
    const { stream, established } = opening;
    const start: TlsStart = target.tls;
    this.#deps.opened(opening, request);
    const user = watch ? watched(stream, request.remote, watch) : stream;
    stream.open(this.#deps.makeConnection(socket, user, request), start);
    signal.addEventListener('abort', () => opening.giveUp(failureOf(signal.reason)));
    begin();
    return established;
  }

  #failed(pair: DomainPair, target: Target, failure: DialFailure, watch: DialWatch | undefined): void {
    watch?.failed(target, failure);
    const { local, remote } = pair;
    const { host, port } = target;
    this.#deps.stream.log.info(
      { local, remote, host, port, reason: failure.message },
      'cannot establish a stream to a server',
    );
  }
}

/** Passes connection events to the stream, and tells `watch` about the end of the handshake. */
function watched(stream: PeerStream, remote: string, watch: DialWatch): ConnectionUser {
  return {
    received: (chunk) => stream.received(chunk),
    secured: () => {
      const { tls } = stream.wire.connection;
      if (tls) watch.secured(tls, stream.certificateFor(remote));
      stream.secured();
    },
    disconnected: () => stream.disconnected(),
  };
}

/** The failure for an error that occurred before there was a stream. */
function failureOf(error: unknown): DialFailure {
  if (error instanceof DialFailure) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ConnectError && error.crowded) return new DialFailure(message, StanzaError.resourceConstraint());
  if (error instanceof ResolutionError && error.failure !== 'temporary') return DialFailure.notFound(message);
  return new DialFailure(message, StanzaError.remoteServerTimeout());
}
