import { cellOf, middle, type Results, type Sample } from '../results.ts';
import { markdownTable, number, times } from './format.ts';
import { ampere, bestPeer, type Column, withEdges } from './servers.ts';

type Measure = Exclude<keyof Sample, 'noisy'>;

/** A bound relative to another server in the same case, to Ampere in another case, or to nobody. */
interface Bound {
  /** The name of a server, the better one of the peers, Ampere with clients that connect by TCP, or nobody. */
  readonly of: 'best peer' | 'relay' | 'ejabberd' | 'TCP' | 'nobody';
  /** The case with TCP. */
  readonly case?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

interface Goal {
  readonly case: string;
  readonly text: string;
  /** Ampere alone unless it is another. */
  readonly server?: Column;
  readonly measure: Measure;
  readonly bounds: readonly Bound[];
}

const goals: readonly Goal[] = [
  rate('msg-50x10-plain', '50 × 10, plain, messages/s', 5, 0.9),
  rate('msg-50x10-tls', '50 × 10, TLS, messages/s', 3.5, 0.75),
  rate('msg-500x1-plain', '500 × 1, plain, messages/s', 3.5, 0.9),
  rate('msg-500x1-tls', '500 × 1, TLS, messages/s', 2.5, 0.9),
  cost('msg-50x10-plain', '50 × 10, plain, CPU µs a message', 0.2, 1.1),
  cost('msg-50x10-tls', '50 × 10, TLS, CPU µs a message', 0.25, 1.35),
  rate('ws-50x10', '50 × 10, WebSocket over TLS, messages/s', 3),
  rate('ws-500x1', '500 × 1, WebSocket over TLS, messages/s', 3),
  likeTcp('ws-50x10', '50 × 10, WebSocket over TLS, CPU µs a message', 'cpuUs', 'msg-50x10-tls'),
  likeTcp('ws-500x1', '500 × 1, WebSocket over TLS, CPU µs a message', 'cpuUs', 'msg-500x1-tls'),
  rate('login-scram-sha-1-tls', 'logins/s', 1.3),
  whole('msg-50x10-plain', '50 × 10, plain, both cores, messages/s', 5),
  whole('msg-50x10-tls', '50 × 10, TLS, both cores, messages/s', 3.5),
  whole('msg-500x1-plain', '500 × 1, plain, both cores, messages/s', 3.5),
  whole('msg-500x1-tls', '500 × 1, TLS, both cores, messages/s', 2.5),
  whole('login-scram-sha-1-tls', 'logins/s, both cores', 1.3),
  rate('offline', 'durably stored messages/s', 2),
  rate('presence-500', 'presence deliveries/s', 2),
  rate('room-200-plain', 'deliveries/s in a room of 200, plain', 5),
  rate('room-200-tls', 'deliveries/s in a room of 200, TLS', 3.5),
  atMost('crowd-200', 'ms that a crowd of 200 moves the p99 of others', 'movedP99Ms', { of: 'nobody', atMost: 20 }),
  likeTcp('ws-idle-2000', 'KiB for an idle WebSocket over TLS', 'kbPerConnection', 'idle-2000'),
  atMost('idle-10000', 'KiB for an idle TLS connection', 'kbPerConnection', { of: 'best peer', atMost: 1 }),
  atMost('start', 'seconds to start', 'startSeconds', { of: 'ejabberd', atMost: 0.5 }),
  atMost('start', 'KiB resident after the start', 'rssKb', { of: 'ejabberd', atMost: 1 }),
];

/** Operations a second: as many times the best peer, and the relay where it can do the same. */
function rate(name: string, text: string, timesPeer: number, timesRelay?: number): Goal {
  const relay: readonly Bound[] = timesRelay === undefined ? [] : [{ of: 'relay', atLeast: timesRelay }];
  return { case: name, text, measure: 'perSecond', bounds: [{ of: 'best peer', atLeast: timesPeer }, ...relay] };
}

/** CPU time of an operation: at most this part of the best peer's, and of the relay's. */
function cost(name: string, text: string, ofPeer: number, ofRelay: number): Goal {
  return atMost(name, text, 'cpuUs', { of: 'best peer', atMost: ofPeer }, { of: 'relay', atMost: ofRelay });
}

/** By WebSocket: not much more than the same by TCP, both over TLS. */
function likeTcp(name: string, text: string, measure: Measure, byTcp: string): Goal {
  return atMost(name, text, measure, { of: 'TCP', case: byTcp, atMost: 1.3 });
}

function atMost(name: string, text: string, measure: Measure, ...bounds: readonly Bound[]): Goal {
  return { case: name, text, measure, bounds };
}

/** With an edge, against peers that may use as many cores as they can. */
function whole(name: string, text: string, timesPeer: number): Goal {
  return { ...rate(`both-${name}`, text, timesPeer), server: withEdges };
}

/** The ratio of a value to what a bound compares it with; undefined if that was not measured. */
function relative(value: number, goal: Goal, bound: Bound, results: Results): number | undefined {
  if (bound.of === 'nobody') return value;
  const other = comparedWith(goal, bound, results);
  return other === undefined ? undefined : value / other;
}

function comparedWith(goal: Goal, { of, case: other = goal.case, atMost }: Bound, results: Results) {
  if (of === 'best peer') return bestPeer(results, goal.case, goal.measure, atMost === undefined ? Math.max : Math.min);
  return middle(cellOf(results, other, of === 'TCP' ? ampere.name : of), goal.measure);
}

function isMet(ratio: number | undefined, { atLeast, atMost }: Bound): boolean {
  return ratio !== undefined && ratio >= (atLeast ?? ratio) && ratio <= (atMost ?? ratio);
}

function wanted({ of, atLeast, atMost }: Bound): string {
  if (of === 'nobody') return `≤ ${atMost}`;
  return `${atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`} × ${of === 'ejabberd' || of === 'TCP' ? of : `the ${of}`}`;
}

function measured(ratio: number | undefined, bound: Bound | undefined): string {
  if (ratio === undefined) return '–';
  return bound?.of === 'nobody' ? number(ratio) : times(ratio, 2);
}

/** Every goal that was measured, and whether it is met. */
export function goalTable(results: Results): string {
  const rows = goals.flatMap((goal) => {
    const value = middle(cellOf(results, goal.case, (goal.server ?? ampere).name), goal.measure);
    if (value === undefined) return [];
    const ratios = goal.bounds.map((bound) => relative(value, goal, bound, results));
    const met = goal.bounds.every((bound, index) => isMet(ratios[index], bound));
    return [
      [
        goal.text,
        goal.bounds.map(wanted).join(', '),
        ratios.map((ratio, index) => measured(ratio, goal.bounds[index])).join(', '),
        number(value),
        met ? 'yes' : '**no**',
      ],
    ];
  });
  return rows.length === 0 ? '' : markdownTable(['goal', 'wanted', 'measured', 'Ampere', 'met'], rows);
}
