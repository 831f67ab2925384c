import type { Jid } from '../../protocol/jid.ts';
import type { Claim, Extension } from '../../routing/extension.ts';
import type { BlobStore } from '../../storage/blobs.ts';
import type { Storage } from '../../storage/storage.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { UploadStore } from '../../storage/uploads.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import type { Metric } from '../../support/metric.ts';
import { Tidying } from '../../support/tidying.ts';
import { uploadOperations } from './upload-operations.ts';
import { uploadRoutes } from './upload-routes.ts';
import { uploadService } from './upload-service.ts';
import { type UploadLimits, Uploads } from './uploads.ts';

const dayMs = 86_400_000;
/** How long the id of a file that is gone is remembered, to answer 410 in place of 404. */
const rememberMs = 30 * dayMs;

/** What the operator decides about uploads. All but the domains is read at each use. */
export interface UploadOptions {
  /** The domains of the service. */
  readonly domains: readonly string[];
  /** The address at which clients upload and read files; undefined if they cannot: then nobody gets a slot. */
  readonly url: string | undefined;
  readonly limits: UploadLimits;
  readonly retention: {
    /** Days that files are kept; null for ever. */
    readonly keepDays: number | null;
  };
}

/** Dependencies of the extension. */
interface UploadDeps {
  readonly options: UploadOptions;
  readonly isLocalDomain: (domain: string) => boolean;
  readonly storage: Pick<Storage, 'uploads' | 'disk'>;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly log: Log;
}

const claims: readonly Claim[] = [
  { spec: 'XEP-0363', title: 'HTTP File Upload', version: '1.1.0', status: 'complete' },
];

/** HTTP File Upload (XEP-0363): files of users at addresses that only those know who are told. */
export function upload(deps: UploadDeps): Extension {
  const { options, isLocalDomain, storage, blobs, clock, log } = deps;
  const { limits } = options;
  const store = storage.uploads;
  const uploads = new Uploads({ store, blobs, disk: () => storage.disk, limits, clock, log });
  const tidying = retention(deps, uploads);
  let cleaning: Promise<void> | undefined;
  const services = options.domains.map((domain) => uploadService(domain, { uploads, isLocalDomain, options }));
  return {
    name: 'upload',
    claims,
    get services() {
      return options.url === undefined ? [] : services;
    },
    http: uploadRoutes({ uploads, store, blobs, options, log }),
    metrics: uploadMetrics(uploads, store),
    operations: uploadOperations.map(({ bind }) => bind({ store, clock, tidy: () => tidying.wake() })),
    opened: () => {
      cleaning = uploads
        .cleanUp()
        .catch((error: unknown) => log.error({ err: error }, 'the uploads were not cleaned up'));
      tidying.start();
    },
    closing: async () => {
      uploads.stop();
      await Promise.all([cleaning, tidying.stop()]);
    },
    accountRemoved: (account: Jid) => {
      uploads.slots.drop(account.toString());
      tidying.wake();
    },
  };
}

function uploadMetrics(uploads: Uploads, store: Pick<UploadStore, 'total'>): readonly Metric[] {
  const stored = (of: 'files' | 'bytes') => async () => [{ value: (await store.total())[of] }];
  return [
    { name: 'xmpp_upload_files', help: 'Stored uploaded files.', type: 'gauge', read: stored('files') },
    { name: 'xmpp_upload_bytes', help: 'Size of these files.', type: 'gauge', read: stored('bytes') },
    {
      name: 'xmpp_uploads_total',
      help: 'Files received from users.',
      type: 'counter',
      read: () => [{ value: uploads.received }],
    },
    {
      name: 'xmpp_uploads_refused_total',
      help: 'Requests to upload a file that were refused, by limit.',
      type: 'counter',
      labels: ['reason'],
      read: () => uploads.refused.read(),
    },
  ];
}

/** Removes old files, deletes the contents of all that are gone, and forgets them later. */
function retention({ options, storage, clock, log }: UploadDeps, uploads: Uploads): Tidying {
  const store = storage.uploads;
  return new Tidying({
    plan: (trustsClock) => {
      let isAgeChecked = !trustsClock;
      return async () => {
        if (isAgeChecked) return uploads.deleteSome();
        const nowMs = clock.nowMs();
        const { keepDays } = options.retention;
        if (keepDays !== null) await store.remove({ beforeMs: nowMs - keepDays * dayMs });
        await store.forget(nowMs - rememberMs);
        isAgeChecked = true;
        return true;
      };
    },
    failed: (error) => {
      const isPassing = error instanceof StorageError && error.isPassing;
      if (!isPassing) log.error({ err: error }, 'old files were not removed');
    },
    clock,
  });
}
