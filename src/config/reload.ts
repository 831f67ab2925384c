import { pathText } from './findings.ts';
import type { JsonPath } from './json-text.ts';
import type { Config } from './schema.ts';

/** What a reload comes to. */
interface Reloaded {
  /** The configuration that holds from now on. */
  readonly config: Config;
  /** The paths of the settings that are otherwise in the file, and wait for the next start. */
  readonly waiting: readonly string[];
}

/** Takes those settings of the next configuration that can change while the server runs, and leaves the others as they are. */
export function reloaded(running: Config, next: Config): Reloaded {
  const config: Config = {
    ...running,
    tls: { ...next.tls, required: running.tls.required },
    log: { ...running.log, level: next.log.level },
    s2s: { ...next.s2s, enabled: running.s2s.enabled },
    limits: { ...running.limits, s2s: next.limits.s2s, peers: next.limits.peers },
    amp: { ...running.amp, remoteUnsupported: next.amp.remoteUnsupported },
    components: componentsBeside(running.domains, next.components),
  };
  return { config, waiting: differences(config, next, []) };
}

/** A domain that is served until the next start cannot be a component's before. */
function componentsBeside(domains: readonly string[], components: Config['components']): Config['components'] {
  return Object.fromEntries(Object.entries(components).filter(([domain]) => !domains.includes(domain)));
}

/** The innermost settings that differ; a list is one setting. */
function differences(before: unknown, after: unknown, path: JsonPath): string[] {
  if (!isGroup(before) || !isGroup(after)) {
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [pathText(path)];
  }
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(before[key], after[key], [...path, key]));
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
