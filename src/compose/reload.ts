import { extensionOptions } from '../config/extension-options.ts';
import { federationOptions, resolverOptions } from '../config/federation-settings.ts';
import { reloaded } from '../config/reload.ts';
import type { Config } from '../config/schema.ts';
import { certificateOptions, componentOptions } from '../config/stream-options.ts';
import { TrustAnchors } from '../federation/trust-anchors.ts';
import type { AdjustableLog } from '../support/log.ts';
import type { Foundation } from './foundation.ts';
import type { Ports } from './listeners.ts';
import { extensionsThatAreOn, type Parts } from './parts.ts';

/** The configuration while the server runs. */
export interface RunningConfig {
  /** Reads it again. */
  readonly reload: () => Promise<void>;
  readonly current: Config;
  /** The settings that were changed and take effect after a restart. */
  readonly waiting: readonly string[];
}

/** The parts of a running server. */
interface ReloadedParts extends Parts {
  readonly ports: Ports;
}

/**
 * Makes the function that reloads a server. It applies those changes of the configuration that are possible while streams are open, and
 * logs the keys that take effect after a restart. It rejects and changes nothing if the configuration or a certificate has a fault.
 * Reloads run one after the other.
 */
export function makeReload(
  foundation: Foundation,
  parts: ReloadedParts,
  log: AdjustableLog,
  readConfig: () => Config = () => foundation.config,
): RunningConfig {
  const { live, certificates, services, acceptor } = foundation;
  let waiting: readonly string[] = [];
  let last = Promise.resolve();
  const reload = async () => {
    const { config, waiting: left } = reloaded(live.config, readConfig());
    const applyCertificates = await certificates.prepare(certificateOptions(config, services));
    const applyParts = await prepareParts(config, parts);
    applyCertificates();
    live.replace(config);
    await applyParts();
    waiting = left;
    log.level = config.log.level;
    await acceptor.renew();
    if (left.length > 0) log.warn({ keys: left }, 'changed settings take effect after a restart');
    log.info({}, 'reloaded');
  };
  return {
    reload: () => {
      const done = last.then(reload);
      last = done.catch(() => undefined);
      return done;
    },
    get current() {
      return live.config;
    },
    get waiting() {
      return waiting;
    },
  };
}

/** Reads and opens what the configuration names, and returns a function that applies it. Rejects if something has a fault. */
async function prepareParts(
  config: Config,
  { routing, extensions, components, resolver, federation, web, console, ports }: ReloadedParts,
): Promise<() => Promise<void>> {
  const trust = await TrustAnchors.read(config.s2s.trustedAuthorities);
  const wanted = componentOptions(config);
  routing.services.checkFree(wanted);
  await components.prepare(wanted);
  const options = extensionOptions(config);
  const prepared = await Promise.all(extensions.map(({ reload }) => reload?.(options)));
  const changeExtensions = await routing.prepareChange(extensionsThatAreOn(extensions, options));
  const serve = await web.prepare(config);
  // Last, because what was opened would stay open if something else had a fault.
  const closePorts = await ports.prepare(config.listen);
  return async () => {
    for (const apply of prepared) apply?.();
    components.reload(wanted);
    changeExtensions();
    serve();
    console.reload();
    closePorts();
    resolver.reload(resolverOptions(config));
    // Last, because it decides about streams by the domains that are served now.
    await federation?.reload(federationOptions(config), trust);
  };
}
