import type { RegistrationOptions } from '../c2s/negotiation/registration.ts';
import { extensionOptions } from '../config/extension-options.ts';
import type { Config } from '../config/schema.ts';
import { registrationOptions, streamLimits } from '../config/stream-options.ts';
import type { ExtensionOptions } from '../extensions/index.ts';
import type { StreamLimits } from '../streams/stream-limits.ts';

/** Options that parts read at each use and keep no copy of, so that a reload can replace their values. */
export interface LiveOptions {
  readonly extensions: ExtensionOptions;
  /** Of the streams of clients. */
  readonly streams: StreamLimits;
  readonly sessions: Config['sessions'];
  readonly registration: RegistrationOptions;
}

/** The sections that extensions read at each use. */
const liveSections = [
  'offline',
  'roster',
  'archive',
  'push',
  'registration',
] as const satisfies readonly (keyof ExtensionOptions)[];

/** Makes options whose values {@link replaceLive} can change. */
export function liveOptions(config: Config): LiveOptions {
  const options = extensionOptions(config);
  const { rooms, uploads } = options;
  const copied = Object.fromEntries(liveSections.map((name) => [name, { ...options[name] }]));
  return {
    extensions: {
      ...options,
      ...copied,
      rooms: { ...rooms, limits: { ...rooms.limits }, retention: { ...rooms.retention } },
      uploads: { ...uploads, limits: { ...uploads.limits }, retention: { ...uploads.retention } },
    },
    streams: streamLimits(config),
    sessions: { ...config.sessions },
    registration: registrationOptions(config),
  };
}

/** Gives the parts the values of another configuration. Settings that they read at the start alone stay without effect. */
export function replaceLive({ extensions, streams, sessions, registration }: LiveOptions, config: Config): void {
  const next = extensionOptions(config);
  for (const name of liveSections) Object.assign(extensions[name], next[name]);
  for (const name of ['rooms', 'uploads'] as const) {
    Object.assign(extensions[name].limits, next[name].limits);
    Object.assign(extensions[name].retention, next[name].retention);
  }
  Object.assign(streams, streamLimits(config));
  Object.assign(sessions, config.sessions);
  Object.assign(registration, registrationOptions(config));
}
