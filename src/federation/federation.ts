import type { AddressInfo, Socket } from 'node:net';
import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { AckScope } from '../routing/ack-scope.ts';
import type { BarredUsers, StreamStage } from '../routing/extension.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import type { Outbound } from '../routing/outbound.ts';
import type { OutgoingRequests } from '../routing/outgoing-requests.ts';
import type { AcknowledgmentLimits } from '../streams/acknowledgment/ack-requests.ts';
import { Connection } from '../streams/connection.ts';
import type { ConnectionLimiter } from '../streams/connection-limiter.ts';
import type { OutgoingCopies } from '../streams/outgoing-copies.ts';
import { SocketAcceptor } from '../streams/socket-acceptor.ts';
import type { PeerConnection } from '../streams/stream-connection.ts';
import { type ListenAddress, StreamListener } from '../streams/stream-listener.ts';
import type { StreamTraffic } from '../streams/stream-traffic.ts';
import { type Clock, type Timer, within } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { answerPeerTls, askPeerTls } from '../tls/peer-tls.ts';
import type { ContextSource, LayTls, TlsStart } from '../tls/tls-options.ts';
import type { Element } from '../xml/element.ts';
import { connectTo, openSocket } from './connect.ts';
import { Dialler } from './dial.ts';
import { DialbackKeys } from './dialback-keys.ts';
import type { DomainPair } from './domain-pairs.ts';
import { DomainPolicies } from './domain-policies.ts';
import type { FederationOptions } from './federation-options.ts';
import { ServerFinder } from './find-server.ts';
import { KeyVerifier } from './key-verifier.ts';
import { KnownFeatures } from './known-features.ts';
import { type LinkTestReport, testLink } from './link-test.ts';
import { objectionTo } from './objection.ts';
import { type CertificateVerdict, judgeCertificate } from './peer-certificate.ts';
import { PeerHop } from './peer-hop.ts';
import { PeerIntake } from './peer-intake.ts';
import type { PeerStreamReport } from './peer-report.ts';
import type { PeerStream, PeerStreamDeps } from './peer-stream.ts';
import { RemoteLinks } from './remote-links.ts';
import type { Resolver } from './resolver.ts';
import { answerServer } from './server-stream-in.ts';
import type { Established } from './server-stream-out.ts';
import type { TrustAnchors } from './trust-anchors.ts';

/** Dependencies of federation. */
interface FederationDeps {
  readonly options: FederationOptions;
  readonly limiter: ConnectionLimiter;
  readonly contexts: ContextSource;
  readonly trust: TrustAnchors;
  readonly resolver: Resolver & { close(): void };
  /** The secret that dialback keys are made with. */
  readonly dialbackSecret: Buffer;
  /** Whether this server serves the domain: accounts, a component, or an in-process service. */
  readonly isHosted: (domain: string) => boolean;
  /** The key of the share in which a new stream for a stanza from this address counts. */
  readonly sender: (from: Jid) => string;
  readonly fromPeer: (stanza: Stanza, ackScope: AckScope) => MaybePromise<void>;
  readonly requests: OutgoingRequests;
  readonly copies: Pick<OutgoingCopies, 'add'>;
  /** A stream with the server of a domain has broken. */
  readonly broken: (remote: string) => void;
  /** Nothing is exchanged with these users any more. Resolves when they were told. */
  readonly barred: (users: BarredUsers) => Promise<void>;
  /** The limits of stream management. */
  readonly management: AcknowledgmentLimits;
  readonly notices: (stage: StreamStage, facts: { readonly host: string }) => readonly Element[];
  readonly traffic: StreamTraffic;
  readonly clock: Clock;
  readonly log: Log;
}

const tickMs = 1000;
/** How long streams with a domain that is no longer allowed stay open, so that its users can be told. */
const farewellMs = 2000;

/** Streams between this server and others (RFC 6120 §8.1.2.2, §10.4). */
export class Federation {
  readonly #deps: FederationDeps;
  readonly #policies: DomainPolicies;
  readonly #links: RemoteLinks;
  readonly #listener: StreamListener<PeerConnection>;
  readonly #dialler: Dialler;
  /** Outgoing and incoming streams. */
  readonly #outgoing = new Set<PeerStream>();
  readonly #incoming = new Set<PeerStream>();
  #trust: TrustAnchors;
  #timer: Timer;
  #stopping = false;

  constructor(deps: FederationDeps) {
    this.#deps = deps;
    const { clock } = deps;
    const policies = new DomainPolicies(deps.options);
    this.#policies = policies;
    this.#trust = deps.trust;
    const stream = this.#streamParts((key, source) => verifier.verify(key, source));
    const dialler = this.#makeDialler(stream);
    this.#dialler = dialler;
    const known = new KnownFeatures(deps.requests, clock);
    this.#links = new RemoteLinks({
      ...deps,
      options: () => policies.options,
      policies,
      dialler,
      bidirectional: (pair) => this.#bidirectionalStream(pair),
      hop: (pair, { stream, features }) => new PeerHop(pair, stream, features, known),
    });
    const streamTo = (pair: DomainPair) => this.#links.find(pair)?.stream;
    const timeoutMs = () => policies.options.establishMs;
    const shares = () => policies.options.shares;
    const verifier = new KeyVerifier({ dialler, streamTo, clock, timeoutMs, shares });
    this.#listener = this.#makeListener(stream);
    this.#timer = clock.after(tickMs, () => this.#tick());
  }

  /** The outbound for other servers. */
  get remotes(): Outbound {
    return this.#links;
  }

  listen(address: ListenAddress, start: TlsStart): Promise<AddressInfo | undefined> {
    return this.#listener.listen(address, start);
  }

  /** Closes a port. The streams that came through it stay. */
  closePort(address: AddressInfo): void {
    this.#listener.closePort(address);
  }

  /** Tests the connection to another server, step by step. */
  test(pair: DomainPair): Promise<LinkTestReport> {
    const timeoutMs = this.#policies.options.establishMs;
    return testLink(pair, { dialler: this.#dialler, clock: this.#deps.clock, timeoutMs });
  }

  /** Applies new settings. Closes the streams that they no longer permit. */
  async reload(options: FederationOptions, trust: TrustAnchors): Promise<void> {
    this.#policies.replace(options);
    this.#trust = trust;
    await this.#applyPolicies();
  }

  /** Exchanges nothing with these domains from now on, in addition to those that the settings deny. Closes their streams. */
  async block(domains: readonly string[]): Promise<void> {
    this.#policies.block(domains);
    await this.#applyPolicies();
  }

  /** Ends the presence of users here whose domains are not allowed. Resolves when they were told. */
  bar(): Promise<void> {
    const { isHosted, barred } = this.#deps;
    const known = new Map<string, boolean>();
    const isBarred = (domain: string) => {
      const found = known.get(domain) ?? (!isHosted(domain) && !this.#policies.allows(domain));
      known.set(domain, found);
      return found;
    };
    const reason = 'this server does not communicate with the server of the user';
    return barred({ has: ({ domain }) => isBarred(domain), sparesMembers: false, reason });
  }

  async #applyPolicies(): Promise<void> {
    const { isHosted, clock } = this.#deps;
    await within(clock, farewellMs, this.bar());
    for (const stream of new Set([...this.#outgoing, ...this.#incoming])) {
      const objection = objectionTo(stream, { isHosted, policies: this.#policies });
      if (objection) stream.close(objection);
    }
    this.#links.tryAgain();
    // Some may have come back before their stream was closed.
    await this.bar();
  }

  /** Connections with other servers, by whether the peer has authenticated. One that we have opened counts as authenticated. */
  get connections(): { readonly authenticated: number; readonly unauthenticated: number } {
    const { connections, unauthenticated } = this.#listener;
    return { authenticated: this.#outgoing.size + connections - unauthenticated, unauthenticated };
  }

  /** The links and the authenticated incoming streams, for operators. */
  report(): readonly PeerStreamReport[] {
    const links = this.#links.all();
    const carrying = new Set(links.map((link) => link.stream));
    const others = [...this.#incoming].filter((stream) => !carrying.has(stream));
    return [...links.map((link) => link.report()), ...others.map((stream) => stream.report(0))];
  }

  /** Sends the waiting stanzas, then closes all streams. Takes little more than `drainMs`. */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    await within(this.#deps.clock, drainMs, this.#links.drained());
    this.#links.end();
    await within(this.#deps.clock, drainMs, Promise.all([...this.#outgoing].map((stream) => stream.finish())));
    for (const stream of [...this.#outgoing]) stream.close(StreamError.systemShutdown());
    await this.#listener.stop(drainMs);
    for (const stream of [...this.#outgoing]) stream.abandon();
    this.#deps.resolver.close();
    this.#timer.cancel();
  }

  #streamParts(verify: PeerStreamDeps['verify']): PeerStreamDeps {
    const { isHosted, fromPeer, notices, requests, management, dialbackSecret, traffic, clock, log } = this.#deps;
    const policies = this.#policies;
    const judge = ({ tls }: PeerConnection, domain: string): CertificateVerdict =>
      tls ? judgeCertificate(tls, domain, this.#trust, clock.nowMs()) : { trusted: false, reason: 'no TLS' };
    return {
      verify,
      isHosted,
      policies,
      keys: new DialbackKeys(dialbackSecret),
      intake: new PeerIntake({ isHosted, route: fromPeer, limits: policies.options.limits }),
      judge,
      notices,
      requests,
      management,
      get idleCloseMs() {
        return policies.options.idleCloseMs;
      },
      get limits() {
        return policies.options.limits;
      },
      traffic,
      clock,
      log,
    };
  }

  #makeDialler(stream: PeerStreamDeps): Dialler {
    const { resolver, contexts, limiter, clock } = this.#deps;
    const policies = this.#policies;
    const overrides = (domain: string) => policies.options.overrides.get(domain);
    const finder = new ServerFinder({ resolver, overrides, random: Math.random });
    return new Dialler({
      stream,
      targets: (domain) => finder.targets(domain),
      connect: (target, signal) => {
        const { connectMs, allowPrivateAddresses } = policies.options;
        const deps = { resolver, clock, allowPrivateAddresses, timeoutMs: connectMs, signal };
        return connectTo(target, deps, (address, port) => openCounted(limiter, address, port));
      },
      makeConnection: (socket, user, pair) => {
        const layTls: LayTls = (plain, start) => askPeerTls(plain, contexts, pair, start);
        const { limits } = policies.options;
        return new Connection(socket, user, {
          rate: limits.unauthenticatedRate,
          limits: limits.connection,
          layTls,
          clock,
        });
      },
      opened: ({ stream }) => {
        this.#outgoing.add(stream);
        void stream.ended.then(() => {
          this.#outgoing.delete(stream);
          if (stream.role.remote !== undefined) this.#ended(stream, [stream.role.remote]);
        });
      },
    });
  }

  #makeListener(deps: PeerStreamDeps): StreamListener<PeerConnection> {
    const { limiter, contexts, clock, log } = this.#deps;
    const policies = this.#policies;
    return new StreamListener({
      newStream: (authenticated) => this.#answer(deps, authenticated),
      acceptor: new SocketAcceptor({
        connection: {
          rate: policies.options.limits.unauthenticatedRate,
          get limits() {
            return policies.options.limits.connection;
          },
          layTls: (plain, start, host) => answerPeerTls(plain, contexts, start, host),
          clock,
        },
        backlog: limiter.backlog,
        log,
      }),
      limiter,
      clock,
      log,
    });
  }

  #answer(deps: PeerStreamDeps, authenticated: () => void): PeerStream {
    const stream = answerServer(deps, {
      authenticated,
      proved: () => this.#incoming.add(stream),
    });
    void stream.ended.then(() => {
      if (this.#incoming.delete(stream)) this.#ended(stream, stream.proven.remotes);
    });
    return stream;
  }

  #ended(stream: PeerStream, remotes: Iterable<string>): void {
    if (stream.broken && !this.#stopping) for (const remote of remotes) this.#deps.broken(remote);
  }

  #bidirectionalStream(pair: DomainPair): Established | undefined {
    for (const stream of this.#incoming) {
      const usable = stream.role.bidirectional && !stream.over && stream.proven.has(pair);
      if (usable) return { stream, proof: stream.role.proof, features: [] };
    }
    return undefined;
  }

  #tick(): void {
    this.#timer = this.#deps.clock.after(tickMs, () => this.#tick());
    const nowMs = this.#deps.clock.monotonicMs();
    this.#links.tick(nowMs);
    for (const stream of this.#outgoing) stream.tick(nowMs);
  }
}

/** Starts a connection to another server, unless the limiter refuses it. */
function openCounted(limiter: ConnectionLimiter, address: string, port: number): Socket | undefined {
  if (!limiter.admitOutgoing()) return undefined;
  return openSocket(address, port).once('close', () => limiter.releaseOutgoing());
}
