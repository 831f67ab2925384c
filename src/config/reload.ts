import type { JsonPath } from './json-text.ts';
import type { Config } from './schema.ts';
import { pathText } from './unplaced-problems.ts';

/** The result of a reload. */
interface Reloaded {
  /** The configuration in effect from now on. */
  readonly config: Config;
  /** The paths of changed settings that take effect only after a restart. */
  readonly waiting: readonly string[];
}

/** The running configuration with those settings of `next` that can change while the server runs. */
export function reloaded(running: Config, next: Config): Reloaded {
  const { invitations, invitationDays } = running.registration;
  const config: Config = {
    ...running,
    tls: { ...next.tls, required: running.tls.required },
    log: { ...running.log, level: next.log.level },
    s2s: { ...next.s2s, enabled: running.s2s.enabled },
    registration: { ...next.registration, invitations, invitationDays },
    moderation: next.moderation,
    sessions: next.sessions,
    offline: next.offline,
    archive: { ...next.archive, enabled: running.archive.enabled },
    rooms: { ...next.rooms, enabled: running.rooms.enabled, domains: running.rooms.domains },
    push: { ...next.push, enabled: running.push.enabled },
    roster: next.roster,
    uploads: { ...next.uploads, enabled: running.uploads.enabled, maxFileBytes: running.uploads.maxFileBytes },
    limits: limitsOf(running.limits, next.limits),
    externalServices: next.externalServices,
    amp: { ...running.amp, remoteUnsupported: next.amp.remoteUnsupported },
    components: componentsBeside(running.domains, next.components),
    shutdown: next.shutdown,
  };
  return { config, waiting: differences(config, next, []) };
}

/** The sizes of stanzas and buffers, and the limits on connections, are also known to parts that read them at the start alone. */
function limitsOf(running: Config['limits'], next: Config['limits']): Config['limits'] {
  const { stanzaBytes, elements, outgoingBufferBytes, writeStallSeconds } = running.c2s;
  return {
    ...running,
    c2s: { ...next.c2s, stanzaBytes, elements, outgoingBufferBytes, writeStallSeconds },
    s2s: next.s2s,
    peers: next.peers,
    strangers: next.strangers,
    newAccounts: next.newAccounts,
    registration: { ...running.registration, waiting: next.registration.waiting },
  };
}

/** Leaves out components whose domain the server still serves itself until the next start. */
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
