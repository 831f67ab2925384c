import type { ComponentReport } from '../../components/component.ts';
import type { DomainPair } from '../../federation/domain-pairs.ts';
import type { LinkTestReport } from '../../federation/link-test.ts';
import type { PeerStreamReport } from '../../federation/peer-report.ts';
import type { StatusSection } from '../../routing/extension.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import type { Storage } from '../../storage/storage.ts';
import type { History } from '../console/history.ts';
import type { Person } from '../console/logins.ts';
import type { Watches } from '../watch/watches.ts';
import type { OperatedStorage, ServedDomains } from './served-domains.ts';

/** An address the server listens on. */
export interface ListenedAddress {
  readonly address: string;
  readonly port: number;
}

/** The status that the composition reports. */
export interface ServerStatus {
  readonly version: string;
  readonly startedAtMs: number;
  /** By kind of listener, as in `listen` of the configuration. */
  readonly addresses: Readonly<Record<string, readonly ListenedAddress[]>>;
  /** Connections of clients, authenticated or not. */
  readonly connections: number;
  /** When the certificate of each domain expires, in milliseconds since 1970. */
  readonly certificates: readonly { readonly domain: string; readonly atMs: number }[];
  /** The status of extensions, by name. */
  readonly extensions: Readonly<Record<string, StatusSection>>;
}

/** A link to the console. */
interface ConsoleLink {
  readonly url: string;
  /** Milliseconds for which it is good. */
  readonly forMs: number;
}

/** The configuration of a running server. Secrets are left out. */
export interface ConfigurationReport {
  /** The file; absent if the defaults apply. */
  readonly file?: string | undefined;
  readonly effective: object;
  /** The settings that were changed in the file and take effect after a restart. */
  readonly waiting: readonly string[];
}

/** A result of a check. */
export interface CheckFinding {
  readonly level: 'ok' | 'warning' | 'error';
  readonly topic: string;
  readonly message: string;
}

/** A running server, as operations see it. */
export interface RunningServer extends ServedDomains {
  readonly storage: OperatedStorage & Pick<Storage, 'disk'>;
  readonly sessions: Pick<SessionDirectory, 'of' | 'find' | 'all' | 'size'>;
  status(): ServerStatus;
  /** The streams between this server and others. */
  peers(): readonly PeerStreamReport[];
  readonly watches: Pick<Watches, 'open'>;
  components(): readonly ComponentReport[];
  /** Opens a test stream to another server. Absent if federation is off. */
  readonly testPeer?: ((pair: DomainPair) => Promise<LinkTestReport>) | undefined;
  /** Absent if the console is off. */
  readonly console?: { newLink(person: Person): Promise<ConsoleLink> } | undefined;
  /** The figures of the last day; absent if the console is off. */
  readonly history?: Pick<History, 'read'> | undefined;
  configuration(): ConfigurationReport;
  check(): Promise<readonly CheckFinding[]>;
  /** Rejects with all problems of an invalid configuration. */
  reload(): Promise<void>;
}
