import type { RegistrationOptions } from '../c2s/negotiation/registration.ts';
import { extensionOptions } from '../config/extension-options.ts';
import type { Config } from '../config/schema.ts';
import { registrationOptions, streamLimits } from '../config/stream-options.ts';
import type { ExtensionOptions } from '../extensions/index.ts';
import type { StreamLimits } from '../streams/stream-limits.ts';

/** Options that parts read at each use and keep no copy of, so that a reload can replace their values. */
export class LiveOptions {
  readonly extensions: ExtensionOptions;
  /** Of the streams of clients. */
  readonly streams: StreamLimits;
  readonly registration: RegistrationOptions;
  #config: Config;
  readonly #replacements: ((config: Config) => void)[] = [];

  constructor(config: Config) {
    this.#config = config;
    this.streams = this.of(streamLimits);
    this.registration = this.of(registrationOptions);
    this.extensions = this.#extensions();
  }

  /** The configuration in effect. */
  get config(): Config {
    return this.#config;
  }

  /** Makes an object that always has the values that `read` takes from the configuration in effect. */
  of<Options extends object>(read: (config: Config) => Options): Options {
    const options = { ...read(this.#config) };
    this.#replacements.push((config) => assign(options, read(config)));
    return options;
  }

  /** Puts another configuration into effect. */
  replace(config: Config): void {
    this.#config = config;
    for (const replace of this.#replacements) replace(config);
  }

  /** Extensions keep the objects of their sections, so each of these objects is live. They read the others at the start only. */
  #extensions(): ExtensionOptions {
    const all = this.of(extensionOptions);
    const live = <Section extends object>(read: (options: ExtensionOptions) => Section) =>
      this.of((config) => read(extensionOptions(config)));
    const upload = { limits: live(({ uploads }) => uploads.limits), retention: live((it) => it.uploads.retention) };
    return {
      ...all,
      get administrators() {
        return all.administrators;
      },
      offline: live(({ offline }) => offline),
      roster: live(({ roster }) => roster),
      archive: live(({ archive }) => archive),
      push: live(({ push }) => push),
      registration: live(({ registration }) => registration),
      contact: live(({ contact }) => contact),
      forwarding: live(({ forwarding }) => forwarding),
      rooms: {
        ...all.rooms,
        limits: live(({ rooms }) => rooms.limits),
        retention: live(({ rooms }) => rooms.retention),
      },
      uploads: live(({ uploads }) => ({ ...uploads, ...upload })),
    };
  }
}

/** Assigns the new values, and removes those that are gone. */
function assign(options: object, next: object): void {
  for (const name of Object.keys(options)) if (!(name in next)) Reflect.deleteProperty(options, name);
  Object.assign(options, next);
}
