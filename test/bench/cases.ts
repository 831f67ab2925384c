import type { CoreUse } from './cores.ts';

/** What is measured of a case. */
export type CaseKind = 'throughput' | 'whole' | 'rules' | 'latency' | 'idle' | 'start' | 'growth' | 'crowd';

/** One thing to measure on every server. */
export interface Case {
  /** Unique; `--only` chooses by its beginning. */
  readonly name: string;
  readonly title: string;
  readonly kind: CaseKind;
  readonly tls: boolean;
  /** Whether clients connect by WebSocket (RFC 7395). */
  readonly webSocket?: boolean;
  /** Whether server and generator have a core each, or share the machine. */
  readonly cores: CoreUse;
  /** What one operation is. */
  readonly unit: string;
  /** The generator's scenario. */
  readonly scenario: string;
  readonly settings: Readonly<Record<string, number | string>>;
  /** Who can do it: those that speak XMPP, the relay as well, or Ampere alone. */
  readonly who: 'xmpp' | 'all' | 'ampere';
  /** Left out with --quick. */
  readonly long: boolean;
  /** Whether the server archives messages (XEP-0313). */
  readonly archive?: boolean;
  /** Whether the server has rooms (XEP-0045). */
  readonly rooms?: boolean;
}

const common = { kind: 'throughput', tls: false, cores: 'one each', who: 'xmpp', long: false } as const;
/** Room for ten thousand logins one by one. */
const patienceSeconds = 240;
/** Every pair has had its first messages and the JIT its fill. */
const warm = 4;

function messages(pairs: number, window: number, tls: boolean, body: number): Case {
  const small = body === 100;
  return {
    ...common,
    name: `${small ? 'msg' : 'kib'}-${pairs}x${window}-${tls ? 'tls' : 'plain'}`,
    title: `${pairs} pairs, ${window} in flight, ${tls ? 'TLS' : 'plain'}${small ? '' : ', 1 KiB bodies'}`,
    tls,
    unit: 'message',
    scenario: 'messages',
    settings: { pairs, window, body, warm },
    who: 'all',
  };
}

/** The same with an archive for both ends of each message. */
function archived(pairs: number, window: number): Case {
  const plain = messages(pairs, window, false, 100);
  return {
    ...plain,
    name: `archive-${pairs}x${window}`,
    title: `${plain.title}, archived`,
    who: 'xmpp',
    archive: true,
  };
}

/** The same by WebSocket over TLS. */
function byWebSocket(pairs: number, window: number): Case {
  return {
    ...messages(pairs, window, true, 100),
    name: `ws-${pairs}x${window}`,
    title: `${pairs} pairs, ${window} in flight, WebSocket over TLS`,
    webSocket: true,
  };
}

/** A rule that is judged for every message and never met, so that only the judging is added. */
function rule(condition: string, value: string): Case {
  const text = `<rule condition='${condition}' value='${value}' action='drop'/>`;
  return {
    ...common,
    name: `amp-${condition}`,
    title: `a rule on ${condition}`,
    kind: 'rules',
    unit: 'message',
    scenario: 'messages',
    settings: { pairs: 50, window: 10, warm, payload: `<amp xmlns='http://jabber.org/protocol/amp'>${text}</amp>` },
    who: 'ampere',
  };
}

/** The same bytes, which mean nothing to the server. */
const noRule: Case = {
  ...rule('none', ''),
  title: 'no rule, about as many bytes',
  settings: { pairs: 50, window: 10, warm, payload: `<x xmlns='http://perf.test'>${' '.repeat(110)}</x>` },
};

function idle(users: number): Case {
  return {
    ...common,
    name: `idle-${users}`,
    title: `${users} idle TLS connections`,
    kind: 'idle',
    tls: true,
    unit: 'connection',
    scenario: 'idle',
    settings: { users, sources: 4, settle: 5, timeout: patienceSeconds },
    long: users > 2000,
  };
}

const idleWebSockets: Case = {
  ...idle(2000),
  name: 'ws-idle-2000',
  title: '2000 idle WebSockets over TLS',
  webSocket: true,
};

function latency(rate: number): Case {
  return {
    ...common,
    name: `rate-${rate}`,
    title: `${rate} messages/s over TLS`,
    kind: 'latency',
    tls: true,
    unit: 'message',
    scenario: 'messages',
    settings: { pairs: 50, rate, warm },
    long: rate !== 5000,
  };
}

function growth(users: number): Case {
  return {
    ...common,
    name: `online-${users}`,
    title: `5000 messages/s among ${users} users`,
    kind: 'growth',
    unit: 'message',
    scenario: 'messages',
    settings: { pairs: users / 2, rate: 5000, sources: 4, warm, timeout: patienceSeconds },
    long: users > 1000,
  };
}

const logins: Case = {
  ...common,
  name: 'login-scram-sha-1-tls',
  title: 'logins, SCRAM-SHA-1, direct TLS, 32 at a time',
  tls: true,
  unit: 'login',
  scenario: 'logins',
  settings: { users: 1000, concurrency: 32, sources: 4, warm },
};

const offline: Case = {
  ...common,
  name: 'offline',
  title: 'messages stored for absent users, 10 senders',
  unit: 'message',
  scenario: 'offline',
  settings: { base: 2000, senders: 10, users: 200, 'per-recipient': 250, batch: 20 },
};

/** Stored and archived: the offline store and both archives. */
const archivedOffline: Case = {
  ...offline,
  name: 'archive-offline',
  title: `${offline.title}, archived`,
  archive: true,
};

const presence: Case = {
  ...common,
  name: 'presence-500',
  title: 'presence to 500 contacts',
  unit: 'delivery',
  scenario: 'presence',
  settings: { base: 10_000, contacts: 500, warm },
};

/** One speaker in a room that is archived. A delivery is a message to one occupant. */
function room(occupants: number, tls: boolean): Case {
  return {
    ...common,
    name: `room-${occupants}-${tls ? 'tls' : 'plain'}`,
    title: `a room of ${occupants}, one speaker, 10 in flight, ${tls ? 'TLS' : 'plain'}, archived`,
    tls,
    unit: 'delivery',
    scenario: 'rooms',
    settings: { base: 10_000 - occupants, occupants, window: 10, warm, timeout: patienceSeconds },
    long: occupants > 200,
    archive: true,
    rooms: true,
  };
}

/** People who enter a room at the same time, and whose links break at the same time, beside chat of others. */
function crowd(occupants: number): Case {
  return {
    ...common,
    name: `crowd-${occupants}`,
    title: `${occupants} at once, beside 2000 messages/s`,
    kind: 'crowd',
    unit: 'message',
    scenario: 'crowd',
    settings: { pairs: 50, rate: 2000, occupants, warm, timeout: patienceSeconds },
    long: occupants !== 200,
    archive: true,
    rooms: true,
  };
}

/** The occupants of one room. */
const occupants: Case = {
  ...idle(1000),
  name: 'occupants-1000',
  title: 'an occupant of a room of 1000',
  tls: false,
  unit: 'occupant',
  scenario: 'residents',
  settings: { occupants: 1000, settle: 5, timeout: patienceSeconds },
  archive: true,
  rooms: true,
};

/** Rooms that somebody has just left. */
const emptyRooms: Case = {
  ...occupants,
  name: 'further-empty-rooms-1000',
  title: 'one of the second 1000 rooms that nobody is in any more',
  unit: 'room',
  settings: { occupants: 100, rooms: 1000, settle: 5, timeout: patienceSeconds },
};

const start: Case = {
  ...common,
  name: 'start',
  title: 'start until a stream is answered, memory 3 s later',
  kind: 'start',
  unit: 'start',
  scenario: '',
  settings: {},
};

/** The same work with the server on every core, and the generator as well: what a message costs the machine decides. */
function onBothCores(one: Case): Case {
  return { ...one, name: `both-${one.name}`, kind: 'whole', cores: 'both', who: 'xmpp' };
}

/** Everything that is measured, in the order of the tables. */
export const cases: readonly Case[] = [
  messages(50, 10, false, 100),
  messages(50, 10, true, 100),
  messages(500, 1, false, 100),
  messages(500, 1, true, 100),
  byWebSocket(50, 10),
  byWebSocket(500, 1),
  messages(50, 10, false, 1024),
  messages(50, 10, true, 1024),
  archived(50, 10),
  noRule,
  rule('deliver', 'stored'),
  rule('match-resource', 'exact'),
  rule('expire-at', '2099-01-01T00:00:00Z'),
  logins,
  offline,
  archivedOffline,
  presence,
  room(200, false),
  room(200, true),
  room(1000, false),
  ...[1000, 5000, 20_000, 50_000].map(latency),
  ...[10, 100, 1000, 10_000].map(growth),
  idle(2000),
  idleWebSockets,
  idle(10_000),
  occupants,
  emptyRooms,
  ...[100, 200, 400].map(crowd),
  start,
  ...[
    messages(50, 10, false, 100),
    messages(50, 10, true, 100),
    messages(500, 1, false, 100),
    messages(500, 1, true, 100),
  ].map(onBothCores),
  onBothCores(logins),
  onBothCores(room(200, false)),
];
