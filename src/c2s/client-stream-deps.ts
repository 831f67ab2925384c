import type { StreamStage } from '../routing/extension.ts';
import type { OutgoingRequests } from '../routing/outgoing-requests.ts';
import type { StreamLimits } from '../streams/stream-limits.ts';
import type { StreamTraffic } from '../streams/stream-traffic.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import type { Element } from '../xml/element.ts';
import type { ClientSessions } from './client-sessions.ts';
import type { StreamFeature } from './negotiation/stream-feature.ts';
import type { Registrar } from './registrar.ts';
import type { StanzaIntake } from './stanza-intake.ts';

/** Dependencies of a client's stream. */
export interface ClientStreamDeps {
  readonly isLocalDomain: (domain: string) => boolean;
  /** The stream features, in the order in which they are offered. */
  readonly features: readonly StreamFeature[];
  /** Informational elements of the stream features. */
  readonly notices: (stage: StreamStage, facts: { readonly host: string }) => readonly Element[];
  readonly intake: StanzaIntake;
  readonly sessions: ClientSessions;
  readonly registrar: Pick<Registrar, 'changes' | 'hasChangedSince'>;
  readonly requests: OutgoingRequests;
  readonly limits: StreamLimits;
  readonly traffic: StreamTraffic;
  readonly clock: Clock;
  readonly log: Log;
}
