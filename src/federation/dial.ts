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
import { type Errand, type Established, type Opening, openingTo } from './server-stream-out.ts';

/** Dependencies of reaching other servers. */
interface DialDeps {
  readonly stream: PeerStreamDeps;
  /** Where the servers of a domain are, in the order they are to be tried. */
  readonly targets: (domain: string) => Promise<readonly Target[]>;
  readonly connect: (target: Target, signal: AbortSignal) => Promise<Socket>;
  readonly makeConnection: (socket: Socket, user: ConnectionUser, pair: DomainPair) => Connection;
  /** Told of every stream, before it can do anything. */
  readonly opened: (opening: Opening, errand: Errand) => void;
}

/** Sees how far attempts get. */
export interface DialWatch {
  found(targets: readonly Target[]): void;
  connected(target: Target, socket: Socket): void;
  secured(tls: TLSSocket, verdict: CertificateVerdict): void;
  failed(target: Target, failure: DialFailure): void;
}

/** What goes with all attempts of one dialling. */
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

  /** Tries the servers of the remote domain in their order. Rejects with DialFailure; an abort also ends the stream. */
  async dial(
    pair: DomainPair,
    purpose: Errand['purpose'],
    signal: AbortSignal,
    watch?: DialWatch,
  ): Promise<Established> {
    if (!this.#deps.stream.policies.allows(pair.remote)) throw DialFailure.forbidden(pair.remote);
    let last = DialFailure.notFound(`no server for ${pair.remote} is known`);
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

  /** Where our certificate is not taken, a stream of its own is opened for dialback: many servers close after a failure. */
  async #tryTarget(target: Target, errand: Errand, attempt: Attempt): Promise<Established> {
    try {
      return await this.#open(target, errand, attempt);
    } catch (error) {
      if (!(error instanceof DialFailure && error.certificateRefused && errand.external)) throw error;
      this.#failed(errand, target, error, attempt.watch);
      return this.#open(target, { ...errand, external: false }, attempt);
    }
  }

  async #open(target: Target, errand: Errand, { signal, watch }: Attempt): Promise<Established> {
    const socket = await this.#deps.connect(target, signal);
    watch?.connected(target, socket);
    const { begin, ...opening } = openingTo(errand, this.#deps.stream);
    const { stream, established } = opening;
    const start: TlsStart = target.tls;
    this.#deps.opened(opening, errand);
    const user = watch ? watched(stream, errand.remote, watch) : stream;
    stream.open(this.#deps.makeConnection(socket, user, errand), start);
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

/** A stream as the user of its connection, where somebody else sees the end of the handshake too. */
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

/** What went wrong before there was a stream. */
function failureOf(error: unknown): DialFailure {
  if (error instanceof DialFailure) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ConnectError && error.crowded) return new DialFailure(message, StanzaError.resourceConstraint());
  if (error instanceof ResolutionError && error.failure !== 'temporary') return DialFailure.notFound(message);
  return new DialFailure(message, StanzaError.remoteServerTimeout());
}
