import type { ExtensionHooks } from '../../routing/extension-hooks.ts';
import type { Session } from '../../routing/session.ts';
import type { ScramHash } from '../../storage/accounts.ts';
import type { Storage } from '../../storage/storage.ts';
import type { StreamLimits } from '../../streams/stream-limits.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import type { Approvals } from '../approvals.ts';
import type { ClientSessions } from '../client-sessions.ts';
import type { Devices } from '../devices.ts';
import type { StreamManagement } from '../management/stream-management.ts';
import type { Redemption } from '../redemption.ts';
import type { Registrar } from '../registrar.ts';
import type { Suspensions } from '../suspensions.ts';
import { AddressGuard, type AuthenticationTally } from './address-guard.ts';
import { advertisedLimits } from './advertised-limits.ts';
import { bind } from './bind.ts';
import { Bind2 } from './bind2.ts';
import { channelBindingTypes } from './channel-binding-types.ts';
import { Fast } from './fast/fast.ts';
import { FastTokens } from './fast/fast-tokens.ts';
import { type RegistrationOptions, registration } from './registration.ts';
import { StoredCredentials } from './sasl/credential-source.ts';
import { type FailureOptions, failureLimiter } from './sasl/failure-limiter.ts';
import type { Pbkdf2Queue } from './sasl/pbkdf2-queue.ts';
import { sasl } from './sasl.ts';
import type { SaslServices } from './sasl-services.ts';
import { sasl2 } from './sasl2.ts';
import { ScramUpgrades } from './scram-upgrades.ts';
import { starttls } from './starttls.ts';
import type { StreamFeature } from './stream-feature.ts';

/** The settings that concern negotiation. All but `tls` are read at each use. */
interface NegotiationOptions {
  readonly tls: { readonly required: boolean };
  readonly authentication: {
    readonly mechanisms: SaslServices['enabled'];
    readonly channelBindings: SaslServices['bindingTypes'];
    readonly scramIterations: number;
    readonly scramUpgrades: readonly ScramHash[];
    readonly fast: { readonly enabled: boolean; readonly tokenDays: number; readonly rotateHours: number };
  };
  readonly limits: {
    readonly authentication: FailureOptions;
    readonly registration: { readonly perIp: number; readonly windowSeconds: number };
  };
}

/** Dependencies of the stream features. */
interface ClientFeatureDeps {
  readonly options: NegotiationOptions;
  readonly storage: Pick<Storage, 'accounts' | 'devices' | 'secrets'>;
  readonly sessions: ClientSessions;
  readonly devices: Devices;
  readonly management: StreamManagement;
  readonly hooks: Pick<ExtensionHooks, 'sessionFeatures' | 'boundInline'>;
  readonly registrar: Registrar;
  readonly approvals: Pick<Approvals, 'register'>;
  readonly registration: RegistrationOptions;
  readonly redemption: Redemption;
  readonly pbkdf2: Pbkdf2Queue;
  readonly authentications: AuthenticationTally;
  readonly suspensions: Suspensions;
  readonly streamLimits: StreamLimits;
  readonly clock: Clock;
  readonly log: Log;
}

const hourMs = 3_600_000;

/** The stream features for clients, in the order in which they are offered. */
export async function clientFeatures(deps: ClientFeatureDeps): Promise<readonly StreamFeature[]> {
  const { options, storage, sessions, devices, management, hooks, log } = deps;
  const services = await saslServices(deps);
  const fast = await makeFast(deps);
  const secret = await storage.secrets.get('resource');
  const failed = (error: unknown) => log.error({ err: error }, 'an answer to Bind 2 is incomplete');
  const bound = (session: Session) => hooks.boundInline(session, failed);
  const bind2 = new Bind2({ sessions, management, features: hooks.sessionFeatures, bound, secret });
  return [
    starttls({ required: options.tls.required }),
    channelBindingTypes(services),
    sasl2(services, {
      bind: bind2,
      management,
      upgrades: scramUpgrades(deps),
      fast: () => (options.authentication.fast.enabled ? fast : undefined),
      seen: (account, device, passwordVersion) => devices.seen(account, device, passwordVersion),
    }),
    sasl(services),
    registrationFeature(deps),
    bind(sessions),
    management.feature(),
    advertisedLimits(deps.streamLimits),
  ];
}

function scramUpgrades({ options, storage }: ClientFeatureDeps): ScramUpgrades {
  return new ScramUpgrades({ options: options.authentication, store: storage.accounts });
}

async function makeFast({ options, storage, devices, clock, log }: ClientFeatureDeps): Promise<Fast> {
  const { authentication } = options;
  const tokens = new FastTokens({
    get lifetimeMs() {
      return authentication.fast.tokenDays * 24 * hourMs;
    },
    get rotateAfterMs() {
      return authentication.fast.rotateHours * hourMs;
    },
    store: storage.devices,
    record: (account, device, keepUntilMs) => devices.record(account, device, keepUntilMs),
    key: await storage.secrets.get('fast-tokens'),
    clock,
    log,
  });
  return new Fast(tokens);
}

/** Registration, offered while anybody can register. */
function registrationFeature({
  options,
  registration: open,
  approvals,
  redemption,
  clock,
}: ClientFeatureDeps): StreamFeature {
  const limits = options.limits.registration;
  const register = approvals.register.bind(approvals);
  return registration({ options: open, register, redemption, limits, withoutTls: !options.tls.required, clock });
}

async function saslServices({
  options,
  storage,
  pbkdf2,
  authentications,
  suspensions,
  clock,
  log,
}: ClientFeatureDeps): Promise<SaslServices> {
  const { authentication, limits, tls } = options;
  const secret = await storage.secrets.get('scram-salt');
  const limiter = failureLimiter(limits.authentication, clock);
  return {
    get enabled() {
      return authentication.mechanisms;
    },
    get bindingTypes() {
      return authentication.channelBindings;
    },
    withoutTls: !tls.required,
    credentials: new StoredCredentials(storage.accounts, secret, authentication),
    pbkdf2,
    guard: new AddressGuard({ limiter, suspensions, tally: authentications, log }),
  };
}
