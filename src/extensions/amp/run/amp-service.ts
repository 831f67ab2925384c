import type { Stanza } from '../../../protocol/stanza.ts';
import type { Accounts } from '../../../routing/accounts.ts';
import type { Mailboxes } from '../../../routing/mailboxes.ts';
import type { MaybePromise } from '../../../routing/maybe-promise.ts';
import type { RouteOptions } from '../../../routing/passage.ts';
import type { SessionDirectory } from '../../../routing/session-directory.ts';
import type { StanzaFilters } from '../../../routing/stanza-filters.ts';
import type { OfflineStore } from '../../../storage/offline.ts';
import type { OutboxStore } from '../../../storage/outbox.ts';
import type { Clock } from '../../../support/clock.ts';
import type { Log } from '../../../support/log.ts';
import type { Rate } from '../../../support/token-buckets.ts';
import { type AmpOptions, type AmpSettings, ampSettings } from '../settings.ts';
import { AmpCounters } from './amp-counters.ts';
import { AmpJudge } from './amp-judge.ts';
import { Expiry } from './expiry.ts';
import { Outbox } from './outbox.ts';
import { ReplyLimit } from './reply-limit.ts';
import { Reporter } from './reporter.ts';

/** The tables that AMP reads and writes. */
export interface AmpStore {
  readonly offline: Pick<OfflineStore, 'due' | 'nextDueMs' | 'settle'>;
  readonly outbox: OutboxStore;
}

/** Dependencies of AMP as a whole. */
interface AmpServiceDeps {
  readonly options: AmpOptions;
  readonly store: AmpStore;
  readonly accounts: Pick<Accounts, 'peek'>;
  readonly sessions: Pick<SessionDirectory, 'find'>;
  readonly mailboxes: Pick<Mailboxes, 'has'>;
  readonly filters: Pick<StanzaFilters, 'refusesInbound'>;
  readonly isLocalDomain: (domain: string) => boolean;
  /** Whether a domain is one of ours, or that of a service of ours. */
  readonly isHosted: (domain: string) => boolean;
  readonly route: (stanza: Stanza, way?: RouteOptions) => MaybePromise<void>;
  readonly isInFlight: (owner: string, id: number) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** The parts of AMP, joined. */
export class AmpService {
  readonly settings: AmpSettings;
  readonly judge: AmpJudge;
  readonly counters = new AmpCounters();
  /** New allowances have this rate. */
  readonly #replies: Rate;
  readonly #outbox: Outbox;
  readonly #expiry: Expiry;

  constructor(deps: AmpServiceDeps) {
    const { options, store, clock } = deps;
    this.settings = ampSettings(options);
    this.#replies = { ...options.replies };
    const { settings, counters } = this;
    const reporter = new Reporter({ ...deps, counters, limit: new ReplyLimit(this.#replies, clock) });
    const outbox = new Outbox({ ...deps, store: store.outbox, reporter });
    const expiry = new Expiry({
      ...deps,
      store: store.offline,
      get vocabulary() {
        return settings.limits.vocabulary;
      },
      reporter,
      outbox,
    });
    this.judge = new AmpJudge({ ...deps, settings, reporter, outbox, expiry });
    this.#outbox = outbox;
    this.#expiry = expiry;
  }

  /** Puts changed options into effect, for messages that arrive later. */
  reload(options: AmpOptions): void {
    Object.assign(this.settings, ampSettings(options));
    Object.assign(this.#replies, options.replies);
  }

  /** Settles the messages of an account that have expired. */
  async settleDue(account: string): Promise<void> {
    await this.#expiry.settleDue(account);
  }

  /** Does what is due since the server ended. */
  start(): void {
    this.#outbox.flush();
    this.#expiry.start();
  }

  /** Finishes what is under way. */
  async stop(): Promise<void> {
    await this.#expiry.stop();
    await this.#outbox.stop();
  }
}
