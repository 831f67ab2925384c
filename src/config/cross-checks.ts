import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { domain, type Origin } from './fields.ts';
import type { JsonPath } from './json-text.ts';
import { isLoopback, type ListenerKind, listenerKinds } from './listener-kinds.ts';
import { type Config, configSchema, type Listener, listenerSchema } from './schema.ts';
import { freeSubdomains, usualRoomDomains } from './stream-options.ts';
import { pathText, type UnplacedProblem } from './unplaced-problems.ts';

/** A valid entry of the file, with its path. */
interface Entry<T> {
  readonly path: JsonPath;
  readonly value: T;
}

/** The sections that are valid on their own, so that one mistake does not hide another. */
interface Sections {
  readonly written: ReadonlyMap<string, unknown>;
  readonly domains: readonly Entry<string>[];
  readonly listeners: readonly Entry<Listener>[];
  readonly limits: Config['limits'] | undefined;
  readonly streamManagement: Config['streamManagement'] | undefined;
}

/** Checks that the sections of a configuration agree with each other. */
export function crossChecks(value: unknown, origin: Origin): UnplacedProblem[] {
  const sections = validSections(value, origin);
  return [
    ...repeatedEntries(sections),
    ...listenerConflicts(sections),
    ...nothingToListenOn(sections),
    ...proxiesBeforeEdges(sections),
    ...incompleteCertificate(sections),
    ...certificatesOfUnservedDomains(sections),
    ...foreignSettingsOfServedDomains(sections),
    ...componentsOfTheProxy(sections),
    ...takenRoomDomains(sections),
    ...unreachableStanzaSizes(sections),
    ...tooSmallBuffer(sections),
    ...tooSmallQueue(sections),
    ...disabledLimits(sections),
  ];
}

function validSections(value: unknown, origin: Origin): Sections {
  const { shape } = configSchema(origin);
  const written = members(value);
  const listen = members(written.get('listen'));
  return {
    written,
    domains: validEntries(domain, written.get('domains'), ['domains']),
    listeners: Object.entries(shape.listen.parse({})).flatMap(([name, usual]) =>
      validEntries(listenerSchema, listen.get(name) ?? usual, ['listen', name]),
    ),
    limits: shape.limits.safeParse(written.get('limits')).data,
    streamManagement: shape.streamManagement.safeParse(written.get('streamManagement')).data,
  };
}

function members(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function validEntries<T>(schema: z.ZodType<T>, values: unknown, path: JsonPath): Entry<T>[] {
  if (!Array.isArray(values)) return [];
  return values.flatMap((entry, index) => {
    const parsed = schema.safeParse(entry);
    return parsed.success ? [{ path: [...path, index], value: parsed.data }] : [];
  });
}

function problem(path: JsonPath, message: string): UnplacedProblem {
  return { path, at: 'value', message };
}

function repeatedEntries({ written, domains }: Sections): UnplacedProblem[] {
  const authentication = members(written.get('authentication'));
  const names = (key: string) => validEntries(z.string(), authentication.get(key), ['authentication', key]);
  return [domains, names('mechanisms'), names('channelBindings')].flatMap(repeatsIn);
}

function repeatsIn(entries: readonly Entry<string>[]): UnplacedProblem[] {
  const firstPaths = new Map<string, JsonPath>();
  return entries.flatMap(({ path, value }) => {
    const first = firstPaths.get(value);
    if (first !== undefined) return [problem(path, `"${value}" is already in ${pathText(first)}`)];
    firstPaths.set(value, path);
    return [];
  });
}

function listenerConflicts({ listeners }: Sections): UnplacedProblem[] {
  return listeners.flatMap(({ path, value }, index) => {
    const other = listeners.slice(0, index).find((earlier) => overlap(earlier.value, value));
    if (other === undefined) return [];
    return [problem(path, `${value.host} port ${value.port} is already used by ${pathText(other.path)}`)];
  });
}

/** Edges do not know the PROXY protocol. */
function proxiesBeforeEdges({ written, listeners }: Sections): UnplacedProblem[] {
  if ((written.get('edges') ?? 0) === 0) return [];
  const ofClients = Object.entries<ListenerKind>(listenerKinds).filter(([, { serves }]) => serves === 'clients');
  return listeners
    .filter(({ path, value }) => value.proxyProtocol && ofClients.some(([name]) => name === path[1]))
    .map(({ path }) => problem([...path, 'proxyProtocol'], 'requires "edges": 0'));
}

/** At least one kind of listener that the server needs must have an address. */
function nothingToListenOn({ written }: Sections): UnplacedProblem[] {
  const listen = members(written.get('listen'));
  const needed = Object.entries<ListenerKind>(listenerKinds).filter(([, kind]) => kind.needed);
  const empty = needed.every(([name]) => JSON.stringify(listen.get(name)) === '[]');
  return empty ? [problem(['listen'], 'must have an address for clients')] : [];
}

/** Whether two listeners would need the same port. */
export function overlap(one: Listener, other: Listener): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  return one.host === other.host || covers(one.host, other.host) || covers(other.host, one.host);
}

/** A listener on `::` takes the IPv4 addresses, too. */
function covers(wildcard: string, host: string): boolean {
  return wildcard === '::' || (wildcard === '0.0.0.0' && isIPv4(host));
}

function incompleteCertificate({ written }: Sections): UnplacedProblem[] {
  const tls = members(written.get('tls'));
  const lacks = (has: string, wanted: string) =>
    tls.has(has) && !tls.has(wanted) ? [problem(['tls', has], `requires tls.${wanted}`)] : [];
  return [...lacks('certificate', 'key'), ...lacks('key', 'certificate'), ...lacks('passphrase', 'key')];
}

function certificatesOfUnservedDomains({ written, domains }: Sections): UnplacedProblem[] {
  const components = [...members(written.get('components')).keys()].flatMap(
    (name) => domain.safeParse(name).data ?? [],
  );
  const own = domains.map(({ value }) => value);
  const ofRooms = hasUsualRooms(written)
    ? usualRoomDomains(own, components)
    : namedRoomDomains(written).map(({ value }) => value);
  const served = new Set([...own, ...components, ...ofRooms]);
  const seen = new Set<string>();
  return [...members(members(written.get('tls')).get('domains')).keys()].flatMap((name): UnplacedProblem[] => {
    const path = ['tls', 'domains', name];
    const prepared = domain.safeParse(name).data;
    if (prepared === undefined || !written.has('domains')) return [];
    if (!served.has(prepared))
      return [
        { path, at: 'key', message: `"${prepared}" is neither a served domain nor that of a component or of rooms` },
      ];
    if (seen.has(prepared)) return [{ path, at: 'key', message: `"${prepared}" already has a certificate` }];
    seen.add(prepared);
    return [];
  });
}

/** A component or a policy for another server must not name a served domain: it would never apply. */
function foreignSettingsOfServedDomains({ written, domains }: Sections): UnplacedProblem[] {
  const served = new Set(domains.map(({ value }) => value));
  const s2s = members(written.get('s2s'));
  const conflicts = (names: unknown, ...path: JsonPath): UnplacedProblem[] =>
    [...members(names).keys()].flatMap((name): UnplacedProblem[] => {
      const prepared = domain.safeParse(name).data;
      if (prepared === undefined || !served.has(prepared)) return [];
      return [{ path: [...path, name], at: 'key', message: `"${prepared}" is a served domain` }];
    });
  return [
    ...conflicts(written.get('components'), 'components'),
    ...conflicts(s2s.get('domains'), 's2s', 'domains'),
    ...conflicts(s2s.get('overrides'), 's2s', 'overrides'),
  ];
}

/** A proxy for file transfers that the configuration asks for takes a domain below each domain served. */
function componentsOfTheProxy({ written, domains, listeners }: Sections): UnplacedProblem[] {
  if (!listeners.some(({ path }) => path[1] === 'proxy')) return [];
  const own = domains.map(({ value }) => value);
  const taken = new Set(freeSubdomains('proxy', own, []));
  return [...members(written.get('components')).keys()]
    .filter((name) => taken.has(domain.safeParse(name).data ?? ''))
    .map((name) => ({
      path: ['components', name],
      at: 'key',
      message: `"${name}" is the proxy for file transfers, which listen.proxy turns on`,
    }));
}

/** The domains that have rooms because the configuration names them. */
function namedRoomDomains(written: Sections['written']): Entry<string>[] {
  const rooms = members(written.get('rooms'));
  return rooms.get('enabled') === false ? [] : validEntries(domain, rooms.get('domains'), ['rooms', 'domains']);
}

function hasUsualRooms(written: Sections['written']): boolean {
  const rooms = members(written.get('rooms'));
  return rooms.get('enabled') !== false && !Array.isArray(rooms.get('domains'));
}

/** Rooms need domains of their own. */
function takenRoomDomains({ written, domains }: Sections): UnplacedProblem[] {
  const wanted = namedRoomDomains(written);
  const served = new Set(domains.map(({ value }) => value));
  const components = new Set(
    [...members(written.get('components')).keys()].flatMap((name) => domain.safeParse(name).data ?? []),
  );
  return wanted.flatMap(({ path, value }) => {
    if (served.has(value)) return [problem(path, `"${value}" is a served domain`)];
    return components.has(value) ? [problem(path, `"${value}" is a component`)] : [];
  });
}

/** The largest stanza must be able to arrive in the allowed time at the allowed rate. */
function unreachableStanzaSizes({ limits }: Sections): UnplacedProblem[] {
  if (limits === undefined) return [];
  const { c2s, s2s, unauthenticated } = limits;
  const needs = (size: number, rate: { readBytesPerSecond: number; readBurstBytes: number }) =>
    Math.ceil(Math.max(0, size - rate.readBurstBytes) / rate.readBytesPerSecond);
  const check = (path: JsonPath, size: number, seconds: number, allowed: number) =>
    seconds > allowed
      ? [
          problem(
            path,
            `${size} bytes take ${seconds} seconds at the allowed read rate, longer than the allowed ${allowed} seconds`,
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

/** With a smaller buffer, one large stanza would disconnect its recipient. */
function tooSmallBuffer({ limits }: Sections): UnplacedProblem[] {
  if (limits === undefined) return [];
  return (['c2s', 's2s', 'components'] as const).flatMap((peers) => {
    const { outgoingBufferBytes, stanzaBytes } = limits[peers];
    const message = `must be at least limits.${peers}.stanzaBytes, which is ${stanzaBytes}`;
    return outgoingBufferBytes < stanzaBytes ? [problem(['limits', peers, 'outgoingBufferBytes'], message)] : [];
  });
}

/** With a smaller queue, one large stanza would end every session that receives it, again and again. */
function tooSmallQueue({ written, limits, streamManagement }: Sections): UnplacedProblem[] {
  if (limits === undefined || streamManagement === undefined) return [];
  const absent = new Set<string>();
  if (members(written.get('s2s')).get('enabled') === false) absent.add('s2s');
  if (members(written.get('components')).size === 0) absent.add('components');
  return (['c2s', 's2s', 'components'] as const).flatMap((peers) => {
    const { stanzaBytes } = limits[peers];
    if (absent.has(peers) || streamManagement.maxBytes >= 2 * stanzaBytes) return [];
    const message = `must be at least twice limits.${peers}.stanzaBytes, which is ${stanzaBytes}`;
    return [problem(['streamManagement', 'maxBytes'], message)];
  });
}

function disabledLimits({ written, listeners }: Sections): UnplacedProblem[] {
  if (members(written.get('limits')).get('disabled') !== true) return [];
  return listeners
    .filter(({ value }) => !isLoopback(value.host))
    .map(({ path }) =>
      problem(
        ['limits', 'disabled'],
        `is only for measurements on loopback, but ${pathText(path)} is open to other machines`,
      ),
    );
}
