import { extensionOptions } from '../config/extension-options.ts';
import { federationOptions, resolverOptions } from '../config/federation-settings.ts';
import { reloaded } from '../config/reload.ts';
import type { Config } from '../config/schema.ts';
import { certificateOptions, componentOptions } from '../config/stream-options.ts';
import { TrustAnchors } from '../federation/trust-anchors.ts';
import type { AdjustableLog } from '../support/log.ts';
import type { Foundation } from './foundation.ts';
import type { Parts } from './parts.ts';

/**
 * Makes the function that reloads a server. It applies those changes of the configuration that are possible while streams are open, and
 * logs the keys that take effect after a restart. It rejects and changes nothing if the configuration or a certificate has a fault.
 * Reloads run one after the other.
 */
export function makeReload(
  foundation: Foundation,
  parts: Parts,
  log: AdjustableLog,
  readConfig: () => Config = () => foundation.config,
): () => Promise<void> {
  const { certificates, services, acceptor } = foundation;
  let running = foundation.config;
  let last = Promise.resolve();
  const reload = async () => {
    const { config, waiting } = reloaded(running, readConfig());
    const applyCertificates = await certificates.prepare(certificateOptions(config, services));
    const applyParts = await prepareParts(config, parts);
    applyCertificates();
    applyParts();
    running = config;
    log.level = config.log.level;
    await acceptor.renew();
    if (waiting.length > 0) log.warn({ keys: waiting }, 'changed settings take effect after a restart');
    log.info({}, 'reloaded');
  };
  return () => {
    const done = last.then(reload);
    last = done.catch(() => undefined);
    return done;
  };
}

/** Reads and opens what the configuration names, and returns a function that applies it. Rejects if something has a fault. */
async function prepareParts(
  config: Config,
  { routing, extensions, components, resolver, federation }: Parts,
): Promise<() => void> {
  const trust = await TrustAnchors.read(config.s2s.trustedAuthorities);
  const wanted = componentOptions(config);
  routing.services.checkFree(wanted);
  await components.prepare(wanted);
  const options = extensionOptions(config);
  const prepared = await Promise.all(extensions.map(({ reload }) => reload?.(options)));
  return () => {
    for (const apply of prepared) apply?.();
    components.reload(wanted);
    resolver.reload(resolverOptions(config));
    // Last, because it decides about streams by the domains that are served now.
    federation?.reload(federationOptions(config), trust);
  };
}
