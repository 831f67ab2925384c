import type { AddressInfo, Socket } from 'node:net';
import type { Jid } from '../../protocol/jid.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import type { Carrier } from '../../routing/carrier.ts';
import type { Eventually } from '../../routing/eventually.ts';
import type { StreamStage } from '../../routing/extension.ts';
import type { Origin } from '../../routing/origin.ts';
import type { OutgoingRequests } from '../../routing/outgoing-requests.ts';
import { type Clock, type Timer, within } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import type { Element } from '../../xml/element.ts';
import { Connection } from '../connection.ts';
import type { Doorkeeper } from '../doorkeeper.ts';
import type { ManagementLimits } from '../management/management.ts';
import type { OutgoingCopies } from '../outgoing-copies.ts';
import { SocketGate } from '../socket-gate.ts';
import type { PeerConnection, TlsStart } from '../stream-connection.ts';
import { type ListenAddress, StreamListener } from '../stream-listener.ts';
import { answerPeerTls, askPeerTls } from '../tls/peer-tls.ts';
import type { ContextSource, LayTls } from '../tls/tls-options.ts';
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
import type { PeerStream, PeerStreamParts } from './peer-stream.ts';
import { RemoteLinks } from './remote-links.ts';
import type { Resolver } from './resolver.ts';
import { answerServer } from './server-stream-in.ts';
import type { Established } from './server-stream-out.ts';
import type { TrustAnchors } from './trust-anchors.ts';

/** What federation needs from the rest of the house. */
export interface FederationParts {
  readonly options: FederationOptions;
  readonly door: Doorkeeper;
  readonly contexts: ContextSource;
  readonly trust: TrustAnchors;
  readonly resolver: Resolver & { close(): void };
  /** The secret that dialback keys are made with. */
  readonly dialbackSecret: Buffer;
  /** Whether a domain is served here: by accounts, by a component, or by a part of this process. */
  readonly isHosted: (domain: string) => boolean;
  /** Whose share of new streams a stanza from an address counts as. */
  readonly sender: (from: Jid) => string;
  readonly fromPeer: (stanza: Stanza, origin: Origin) => Eventually<void>;
  readonly requests: OutgoingRequests;
  readonly copies: Pick<OutgoingCopies, 'add'>;
  /** Bounds of stream management. */
  readonly management: ManagementLimits;
  readonly notices: (stage: StreamStage, facts: { readonly host: string }) => readonly Element[];
  readonly clock: Clock;
  readonly log: Log;
}

const tickMs = 1000;

/** Everything between this server and others (RFC 6120 §8.1.2.2, §10.4). */
export class Federation {
  readonly #parts: FederationParts;
  readonly #policies: DomainPolicies;
  readonly #links: RemoteLinks;
  readonly #listener: StreamListener<PeerConnection>;
  readonly #dialler: Dialler;
  /** Streams of ours, and those of others. */
  readonly #streams = new Set<PeerStream>();
  readonly #answered = new Set<PeerStream>();
  #trust: TrustAnchors;
  #timer: Timer;

  constructor(parts: FederationParts) {
    this.#parts = parts;
    const { clock } = parts;
    const policies = new DomainPolicies(parts.options);
    this.#policies = policies;
    this.#trust = parts.trust;
    const stream = this.#streamParts((question, asking) => verifier.verify(question, asking));
    const dialler = this.#makeDialler(stream);
    this.#dialler = dialler;
    const known = new KnownFeatures(parts.requests, clock);
    this.#links = new RemoteLinks({
      ...parts,
      options: () => policies.options,
      policies,
      dialler,
      answered: (pair) => this.#goingBothWays(pair),
      hop: (pair, { stream, features }) => new PeerHop(pair, stream, features, known),
    });
    const streamTo = (pair: DomainPair) => this.#links.find(pair)?.stream;
    const timeoutMs = () => policies.options.establishMs;
    const shares = () => policies.options.shares;
    const verifier = new KeyVerifier({ dialler, streamTo, clock, timeoutMs, shares });
    this.#listener = this.#makeListener(stream);
    this.#timer = clock.after(tickMs, () => this.#tick());
  }

  /** What takes stanzas for other servers. */
  get remotes(): Carrier {
    return this.#links;
  }

  listen(address: ListenAddress, start: TlsStart): Promise<AddressInfo | undefined> {
    return this.#listener.listen(address, start);
  }

  /** Opens a stream to another server only to see how far it gets. */
  test(pair: DomainPair): Promise<LinkTestReport> {
    const timeoutMs = this.#policies.options.establishMs;
    return testLink(pair, { dialler: this.#dialler, clock: this.#parts.clock, timeoutMs });
  }

  /** Other decisions hold from now on. A stream stays, unless it would not be allowed any more. */
  reload(options: FederationOptions, trust: TrustAnchors): void {
    this.#policies.replace(options);
    this.#trust = trust;
    const { isHosted } = this.#parts;
    for (const stream of new Set([...this.#streams, ...this.#answered])) {
      const objection = objectionTo(stream, { isHosted, policies: this.#policies });
      if (objection) stream.close(objection);
    }
    this.#links.tryAgain();
  }

  /** The streams that somebody is proven on, and the links of ours, for operators. */
  report(): readonly PeerStreamReport[] {
    const links = this.#links.all();
    const carrying = new Set(links.map((link) => link.stream));
    const others = [...this.#answered].filter((stream) => !carrying.has(stream));
    return [...links.map((link) => link.report()), ...others.map((stream) => stream.report(0))];
  }

  /** Lets what waits leave, then says goodbye to every server; all of it within `drainMs`, or little more. */
  async stop(drainMs: number): Promise<void> {
    await within(this.#parts.clock, drainMs, this.#links.drained());
    this.#links.end();
    await within(this.#parts.clock, drainMs, Promise.all([...this.#streams].map((stream) => stream.finish())));
    for (const stream of [...this.#streams]) stream.close(StreamError.systemShutdown());
    await this.#listener.stop(drainMs);
    for (const stream of [...this.#streams]) stream.abandon();
    this.#parts.resolver.close();
    this.#timer.cancel();
  }

  #streamParts(verify: PeerStreamParts['verify']): PeerStreamParts {
    const { isHosted, fromPeer, notices, requests, management, dialbackSecret, clock, log } = this.#parts;
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
      clock,
      log,
    };
  }

  #makeDialler(stream: PeerStreamParts): Dialler {
    const { resolver, contexts, door, clock } = this.#parts;
    const policies = this.#policies;
    const overrides = (domain: string) => policies.options.overrides.get(domain);
    const finder = new ServerFinder({ resolver, overrides, random: Math.random });
    return new Dialler({
      stream,
      targets: (domain) => finder.targets(domain),
      connect: (target, signal) => {
        const { connectMs, allowPrivateAddresses } = policies.options;
        const parts = { resolver, clock, allowPrivateAddresses, timeoutMs: connectMs, signal };
        return connectTo(target, parts, (address, port) => openCounted(door, address, port));
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
        this.#streams.add(stream);
        void stream.ended.then(() => this.#streams.delete(stream));
      },
    });
  }

  #makeListener(parts: PeerStreamParts): StreamListener<PeerConnection> {
    const { door, contexts, clock, log } = this.#parts;
    const policies = this.#policies;
    return new StreamListener({
      newStream: (authenticated) => this.#answer(parts, authenticated),
      gate: new SocketGate({
        connection: {
          rate: policies.options.limits.unauthenticatedRate,
          get limits() {
            return policies.options.limits.connection;
          },
          layTls: (plain, start, host) => answerPeerTls(plain, contexts, start, host),
          clock,
        },
        backlog: door.backlog,
        log,
      }),
      door,
      clock,
      log,
    });
  }

  #answer(parts: PeerStreamParts, authenticated: () => void): PeerStream {
    const stream = answerServer(parts, {
      authenticated,
      proved: () => this.#answered.add(stream),
    });
    void stream.ended.then(() => this.#answered.delete(stream));
    return stream;
  }

  #goingBothWays(pair: DomainPair): Established | undefined {
    for (const stream of this.#answered) {
      const usable = stream.role.bidirectional && !stream.over && stream.proven.has(pair);
      if (usable) return { stream, proof: stream.role.proof, features: [] };
    }
    return undefined;
  }

  #tick(): void {
    this.#timer = this.#parts.clock.after(tickMs, () => this.#tick());
    const nowMs = this.#parts.clock.monotonicMs();
    this.#links.tick(nowMs);
    for (const stream of this.#streams) stream.tick(nowMs);
  }
}

/** Begins a connection to another server, if the doorkeeper lets it out. */
function openCounted(door: Doorkeeper, address: string, port: number): Socket | undefined {
  if (!door.admitOutgoing()) return undefined;
  return openSocket(address, port).once('close', () => door.releaseOutgoing());
}
