import type { DiskSpace } from '../support/disk-space.ts';
import type { AccountStore } from './accounts.ts';
import type { AdministrationStore } from './administrations.ts';
import type { ArchiveStore } from './archive.ts';
import type { BlocklistStore } from './blocklists.ts';
import type { DeviceStore } from './devices.ts';
import type { InvitationStore } from './invitations.ts';
import type { ModerationStore } from './moderation.ts';
import type { OfflineStore } from './offline.ts';
import type { OutboxStore } from './outbox.ts';
import type { OutgoingStore } from './outgoing.ts';
import type { PepStore } from './pep.ts';
import type { PrivateXmlStore } from './private-xml.ts';
import type { PushStore } from './push.ts';
import type { ReportStore } from './reports.ts';
import type { ResumptionStore } from './resumption.ts';
import type { RoomStore } from './rooms.ts';
import type { RosterStore } from './rosters.ts';
import type { SecretStore } from './secrets.ts';
import type { UploadStore } from './uploads.ts';
import type { VcardStore } from './vcards.ts';

/** The disk of the store at the last check. */
export interface DiskState extends DiskSpace {
  /** Whether writes that add data are rejected with `full`, so that all others can continue. */
  readonly refusing: boolean;
}

/** How busy the store is. */
export interface StorageLoad {
  /** The number of committed transactions. With group commit, it is less than the number of writes. */
  readonly commits: number;
  /** Operations that have not been answered. */
  readonly waiting: number;
  /** Calls `took` with the duration of each batch of operations from now on. At most one function follows them. */
  followBatches(took: (durationMs: number) => void): void;
}

/**
 * Everything that survives a restart. A write resolves only when it is durable: a power cut cannot undo it. Operations take effect in
 * the order of their calls. Owners are bare JIDs, already prepared. A write for an account that does not exist rejects with
 * `not-found`; a read finds nothing. Every rejection is a `StorageError`.
 */
export interface Storage {
  readonly accounts: AccountStore;
  readonly rosters: RosterStore;
  readonly offline: OfflineStore;
  readonly outbox: OutboxStore;
  readonly outgoing: OutgoingStore;
  readonly privateXml: PrivateXmlStore;
  readonly vcards: VcardStore;
  readonly uploads: UploadStore;
  readonly blocklists: BlocklistStore;
  readonly secrets: SecretStore;
  readonly resumption: ResumptionStore;
  readonly devices: DeviceStore;
  readonly pep: PepStore;
  readonly archive: ArchiveStore;
  readonly rooms: RoomStore;
  readonly push: PushStore;
  readonly reports: ReportStore;
  readonly administrations: AdministrationStore;
  readonly moderation: ModerationStore;
  readonly invitations: InvitationStore;
  readonly schemaVersion: number;
  readonly disk: DiskState;
  readonly load: StorageLoad;
  /** Writes a complete, checked copy to a new file without stopping work. It holds everything that was durable at the call. */
  backup(file: string): Promise<void>;
  /** Finishes the operations called before, then closes. Later operations reject with `closed`. */
  close(): Promise<void>;
}
