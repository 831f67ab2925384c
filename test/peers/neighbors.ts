import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../src/support/clock.ts';
import { addressRecord, DnsServer, srvRecord } from '../federation/dns-server.ts';
import { FederatedServer } from '../support/federated-server.ts';
import type { Settings } from '../support/test-server.ts';
import type { PeerKind, PeerPlace, Way } from './peer-kind.ts';
import { type PeerGround, PeerServer, peerGround } from './peer-server.ts';

/** How Ampere and the other server are set up. */
export interface NeighborOptions {
  readonly way: Way;
  readonly bidi: boolean;
  /** Further keys of Ampere's configuration. */
  readonly settings?: Settings;
  readonly clock?: Clock;
}

/** Ampere and another server, each of which can find the other one. */
export class Neighbors {
  readonly ampere: FederatedServer;
  readonly peer: PeerServer;
  readonly #dns: DnsServer;

  private constructor(ampere: FederatedServer, peer: PeerServer, dns: DnsServer) {
    this.ampere = ampere;
    this.peer = peer;
    this.#dns = dns;
  }

  /** Starts both; by certificate they trust each other's authority, and nothing else will do. */
  static async start(kind: PeerKind, options: NeighborOptions): Promise<Neighbors> {
    const core = await peerGround(`${kind.name.toLowerCase()}.example`);
    const dns = new DnsServer();
    const ampere = await startAmpere(core, options);
    try {
      const given = {
        ...options,
        dns: await tellOf(ampere, dns),
        trustedFile: await trustedBy(core, ampere, options.way),
      };
      return new Neighbors(ampere, await PeerServer.start(kind, core, given), dns);
    } catch (error) {
      dns.stop();
      await ampere.stop();
      throw error;
    }
  }

  /** What both said last, for the report of a failed test. */
  get said(): string {
    return [this.peer.said, ...this.ampere.log.lines.slice(-60)].join('\n');
  }

  async stop(): Promise<void> {
    await this.ampere.stop();
    await this.peer.stop();
    this.#dns.stop();
  }
}

/** Puts records of Ampere into the DNS; returns where that is. The name is one that the system's resolver knows too, which ejabberd asks. */
async function tellOf({ domain, port }: FederatedServer, dns: DnsServer): Promise<PeerPlace['dns']> {
  for (const name of [domain, `conference.${domain}`])
    dns.answers.set(`SRV _xmpp-server._tcp.${name}`, [srvRecord(0, 0, port, 'localhost')]);
  dns.answers.set('A localhost', [addressRecord('127.0.0.1')]);
  const [host = '', dnsPort] = (await dns.start()).split(':');
  return { host, port: Number(dnsPort) };
}

async function startAmpere(core: PeerGround, { way, settings, clock }: NeighborOptions): Promise<FederatedServer> {
  const trusted = way === 'certificate' ? { trustedAuthorities: core.authorityFile } : {};
  const [server] = await FederatedServer.startAll(['ampere.example'], way, {
    others: new Map(['', 'conference.', 'pubsub.'].map((prefix) => [`${prefix}${core.domain}`, core.ports.s2s])),
    settings: { authentication: way, ...trusted },
    ...(settings && { more: settings }),
    ...(clock && { clock }),
  });
  if (!server) throw new Error('Ampere has not started');
  return server;
}

async function trustedBy({ directory, authorityFile }: PeerGround, ampere: FederatedServer, way: Way): Promise<string> {
  const file = join(directory, 'trusted.pem');
  await writeFile(file, await readFile(way === 'certificate' ? ampere.authorityFile : authorityFile));
  return file;
}
