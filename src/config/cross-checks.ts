import { isIP, isIPv4 } from 'node:net';
import { z } from 'zod';
import { domain, type Origin } from './fields.ts';
import { type Finding, pathText } from './findings.ts';
import type { JsonPath } from './json-text.ts';
import { type Config, configSchema, type Listener, listenerSchema } from './schema.ts';

interface Placed<T> {
  readonly path: JsonPath;
  readonly value: T;
}

/** The parts of a configuration that are sound in themselves, so that one mistake does not hide another. */
interface Parts {
  readonly given: ReadonlyMap<string, unknown>;
  readonly domains: readonly Placed<string>[];
  readonly listeners: readonly Placed<Listener>[];
  readonly limits: Config['limits'] | undefined;
  readonly streamManagement: Config['streamManagement'] | undefined;
}

/** Checks how the parts of a configuration agree. */
export function crossChecks(value: unknown, origin: Origin): Finding[] {
  const parts = soundParts(value, origin);
  return [
    ...repeatedEntries(parts),
    ...listenerConflicts(parts),
    ...nothingToListenOn(parts),
    ...incompleteCertificate(parts),
    ...certificatesOfOthers(parts),
    ...othersOnOwnDomains(parts),
    ...unreachableStanzaSizes(parts),
    ...tooSmallBuffer(parts),
    ...tooSmallQueue(parts),
    ...disabledLimits(parts),
  ];
}

function soundParts(value: unknown, origin: Origin): Parts {
  const { shape } = configSchema(origin);
  const given = members(value);
  const listen = members(given.get('listen'));
  const fallback = shape.listen.parse({});
  return {
    given,
    domains: soundEntries(domain, given.get('domains'), ['domains']),
    listeners: [
      ...soundEntries(listenerSchema, listen.get('c2s') ?? fallback.c2s, ['listen', 'c2s']),
      ...soundEntries(listenerSchema, listen.get('c2sTls') ?? fallback.c2sTls, ['listen', 'c2sTls']),
      ...soundEntries(listenerSchema, listen.get('components') ?? fallback.components, ['listen', 'components']),
      ...soundEntries(listenerSchema, listen.get('s2s') ?? fallback.s2s, ['listen', 's2s']),
      ...soundEntries(listenerSchema, listen.get('s2sTls') ?? fallback.s2sTls, ['listen', 's2sTls']),
    ],
    limits: shape.limits.safeParse(given.get('limits')).data,
    streamManagement: shape.streamManagement.safeParse(given.get('streamManagement')).data,
  };
}

function members(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function soundEntries<T>(schema: z.ZodType<T>, values: unknown, path: JsonPath): Placed<T>[] {
  if (!Array.isArray(values)) return [];
  return values.flatMap((entry, index) => {
    const parsed = schema.safeParse(entry);
    return parsed.success ? [{ path: [...path, index], value: parsed.data }] : [];
  });
}

function problem(path: JsonPath, message: string): Finding {
  return { path, at: 'value', message };
}

function repeatedEntries({ given, domains }: Parts): Finding[] {
  const authentication = members(given.get('authentication'));
  const names = (key: string) => soundEntries(z.string(), authentication.get(key), ['authentication', key]);
  return [domains, names('mechanisms'), names('channelBindings')].flatMap(repeatsIn);
}

function repeatsIn(entries: readonly Placed<string>[]): Finding[] {
  const firstPaths = new Map<string, JsonPath>();
  return entries.flatMap(({ path, value }) => {
    const first = firstPaths.get(value);
    if (first !== undefined) return [problem(path, `"${value}" stands in ${pathText(first)} already`)];
    firstPaths.set(value, path);
    return [];
  });
}

function listenerConflicts({ listeners }: Parts): Finding[] {
  return listeners.flatMap(({ path, value }, index) => {
    const other = listeners.slice(0, index).find((earlier) => overlap(earlier.value, value));
    if (other === undefined) return [];
    return [problem(path, `${value.host} port ${value.port} is taken by ${pathText(other.path)} already`)];
  });
}

function nothingToListenOn({ given }: Parts): Finding[] {
  const listen = members(given.get('listen'));
  const empty = (name: string) => JSON.stringify(listen.get(name)) === '[]';
  return empty('c2s') && empty('c2sTls') ? [problem(['listen'], 'leaves the server nothing to listen on')] : [];
}

function overlap(one: Listener, other: Listener): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  return one.host === other.host || covers(one.host, other.host) || covers(other.host, one.host);
}

/** Listening on `::` takes the IPv4 addresses too. */
function covers(wildcard: string, host: string): boolean {
  return wildcard === '::' || (wildcard === '0.0.0.0' && isIPv4(host));
}

function incompleteCertificate({ given }: Parts): Finding[] {
  const tls = members(given.get('tls'));
  const lacks = (has: string, wanted: string) =>
    tls.has(has) && !tls.has(wanted) ? [problem(['tls', has], `needs tls.${wanted} as well`)] : [];
  return [...lacks('certificate', 'key'), ...lacks('key', 'certificate'), ...lacks('passphrase', 'key')];
}

function certificatesOfOthers({ given, domains }: Parts): Finding[] {
  const served = new Set(domains.map(({ value }) => value));
  const seen = new Set<string>();
  return [...members(members(given.get('tls')).get('domains')).keys()].flatMap((name): Finding[] => {
    const path = ['tls', 'domains', name];
    const prepared = domain.safeParse(name).data;
    if (prepared === undefined || !given.has('domains')) return [];
    if (!served.has(prepared)) return [{ path, at: 'key', message: `"${prepared}" is not one of the domains served` }];
    if (seen.has(prepared)) return [{ path, at: 'key', message: `"${prepared}" has a certificate already` }];
    seen.add(prepared);
    return [];
  });
}

/** Components, and what is said of other servers: it would never be looked at for a domain that is served here. */
function othersOnOwnDomains({ given, domains }: Parts): Finding[] {
  const served = new Set(domains.map(({ value }) => value));
  const s2s = members(given.get('s2s'));
  const taken = (names: unknown, ...path: JsonPath): Finding[] =>
    [...members(names).keys()].flatMap((name): Finding[] => {
      const prepared = domain.safeParse(name).data;
      if (prepared === undefined || !served.has(prepared)) return [];
      return [{ path: [...path, name], at: 'key', message: `"${prepared}" is one of the domains served` }];
    });
  return [
    ...taken(given.get('components'), 'components'),
    ...taken(s2s.get('domains'), 's2s', 'domains'),
    ...taken(s2s.get('overrides'), 's2s', 'overrides'),
  ];
}

/** A stanza of the size that is allowed must be able to arrive at the rate and in the time that are allowed. */
function unreachableStanzaSizes({ limits }: Parts): Finding[] {
  if (limits === undefined) return [];
  const { c2s, s2s, unauthenticated } = limits;
  const needs = (size: number, rate: { readBytesPerSecond: number; readBurstBytes: number }) =>
    Math.ceil(Math.max(0, size - rate.readBurstBytes) / rate.readBytesPerSecond);
  const check = (path: JsonPath, size: number, seconds: number, allowed: number) =>
    seconds > allowed
      ? [
          problem(
            path,
            `${size} bytes take ${seconds} seconds at the read rate allowed, but only ${allowed} seconds are`,
          ),
        ]
      : [];
  return [
    ...check(
      ['limits', 'c2s', 'stanzaBytes'],
      c2s.stanzaBytes,
      needs(c2s.stanzaBytes, c2s),
      c2s.stanzaCompletionSeconds,
    ),
    ...check(
      ['limits', 's2s', 'stanzaBytes'],
      s2s.stanzaBytes,
      needs(s2s.stanzaBytes, s2s),
      s2s.stanzaCompletionSeconds,
    ),
    ...check(
      ['limits', 'unauthenticated', 'stanzaBytes'],
      unauthenticated.stanzaBytes,
      needs(unauthenticated.stanzaBytes, unauthenticated),
      unauthenticated.authenticationSeconds,
    ),
  ];
}

/** Else one large stanza would cut off the peer that is to receive it. */
function tooSmallBuffer({ limits }: Parts): Finding[] {
  if (limits === undefined) return [];
  return (['c2s', 's2s', 'components'] as const).flatMap((peers) => {
    const { outgoingBufferBytes, stanzaBytes } = limits[peers];
    const message = `must be at least limits.${peers}.stanzaBytes, which is ${stanzaBytes}`;
    return outgoingBufferBytes < stanzaBytes ? [problem(['limits', peers, 'outgoingBufferBytes'], message)] : [];
  });
}

/** Else one large stanza would end every session that is to receive it, again and again. */
function tooSmallQueue({ given, limits, streamManagement }: Parts): Finding[] {
  if (limits === undefined || streamManagement === undefined) return [];
  const absent = new Set<string>();
  if (members(given.get('s2s')).get('enabled') === false) absent.add('s2s');
  if (members(given.get('components')).size === 0) absent.add('components');
  return (['c2s', 's2s', 'components'] as const).flatMap((peers) => {
    const { stanzaBytes } = limits[peers];
    if (absent.has(peers) || streamManagement.maxBytes >= 2 * stanzaBytes) return [];
    const message = `must be at least twice limits.${peers}.stanzaBytes, which is ${stanzaBytes}`;
    return [problem(['streamManagement', 'maxBytes'], message)];
  });
}

function disabledLimits({ given, listeners }: Parts): Finding[] {
  if (members(given.get('limits')).get('disabled') !== true) return [];
  return listeners
    .filter(({ value }) => !isLoopback(value.host))
    .map(({ path }) =>
      problem(['limits', 'disabled'], `is for measurements on loopback, but ${pathText(path)} is open to others`),
    );
}

function isLoopback(host: string): boolean {
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1' || host === 'localhost';
}
