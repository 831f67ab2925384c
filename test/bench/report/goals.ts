import { cellOf, middle, type Results, type Sample } from '../results.ts';
import { markdownTable, number, times } from './format.ts';
import { ampere, bestPeer, type Column, withEdges } from './servers.ts';

interface Goal {
  readonly case: string;
  readonly text: string;
  /** Ampere alone unless it is another. */
  readonly server?: Column;
  readonly measure: Exclude<keyof Sample, 'noisy'>;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** As many times the best peer. */
  readonly timesPeer?: number;
}

const mib = 1024;

const goals: readonly Goal[] = [
  { case: 'msg-50x10-plain', text: '50 × 10, plain, messages/s', measure: 'perSecond', atLeast: 100_000, timesPeer: 5 },
  { case: 'msg-50x10-tls', text: '50 × 10, TLS, messages/s', measure: 'perSecond', atLeast: 65_000, timesPeer: 3.5 },
  {
    case: 'msg-500x1-plain',
    text: '500 × 1, plain, messages/s',
    measure: 'perSecond',
    atLeast: 35_000,
    timesPeer: 3.5,
  },
  { case: 'msg-500x1-tls', text: '500 × 1, TLS, messages/s', measure: 'perSecond', atLeast: 22_000, timesPeer: 2.5 },
  { case: 'msg-50x10-plain', text: '50 × 10, plain, CPU µs a message', measure: 'cpuUs', atMost: 10 },
  { case: 'msg-50x10-tls', text: '50 × 10, TLS, CPU µs a message', measure: 'cpuUs', atMost: 14 },
  { case: 'login-scram-sha-1-tls', text: 'logins/s', measure: 'perSecond', timesPeer: 1.3 },
  whole('msg-50x10-plain', '50 × 10, plain, both cores, messages/s', 5),
  whole('msg-50x10-tls', '50 × 10, TLS, both cores, messages/s', 3.5),
  whole('msg-500x1-plain', '500 × 1, plain, both cores, messages/s', 3.5),
  whole('msg-500x1-tls', '500 × 1, TLS, both cores, messages/s', 2.5),
  whole('login-scram-sha-1-tls', 'logins/s, both cores', 1.3),
  { case: 'offline', text: 'durably stored messages/s', measure: 'perSecond', atLeast: 20_000 },
  { case: 'presence-500', text: 'presence deliveries/s', measure: 'perSecond', atLeast: 120_000 },
  { case: 'idle-10000', text: 'KiB for an idle TLS connection', measure: 'kbPerConnection', atMost: 55 },
  { case: 'start', text: 'seconds to start', measure: 'startSeconds', atMost: 0.4 },
  { case: 'start', text: 'KiB resident after the start', measure: 'rssKb', atMost: 80 * mib },
];

/** With an edge, against peers that may use as many cores as they can. */
function whole(name: string, text: string, timesPeer: number): Goal {
  return { case: `both-${name}`, text, server: withEdges, measure: 'perSecond', timesPeer };
}

interface Verdict {
  readonly wanted: string;
  readonly found: string;
  readonly met: boolean;
}

function judge(goal: Goal, value: number, best: number | undefined): Verdict {
  const { atLeast, atMost, timesPeer } = goal;
  const relative = best === undefined ? undefined : value / best;
  const parts = [
    ...(atLeast === undefined ? [] : [`≥ ${number(atLeast)}`]),
    ...(atMost === undefined ? [] : [`≤ ${number(atMost)}`]),
    ...(timesPeer === undefined ? [] : [`≥ ${timesPeer} × the best peer`]),
  ];
  const met =
    value >= (atLeast ?? value) &&
    value <= (atMost ?? value) &&
    (timesPeer === undefined || (relative !== undefined && relative >= timesPeer));
  const compared = timesPeer === undefined || relative === undefined ? '' : `, ${times(relative)}`;
  return { wanted: parts.join(' and '), found: number(value) + compared, met };
}

/** Every goal that was measured, and whether it is met. */
export function goalTable(results: Results): string {
  const rows = goals.flatMap((goal) => {
    const value = middle(cellOf(results, goal.case, (goal.server ?? ampere).name), goal.measure);
    if (value === undefined) return [];
    const { wanted, found, met } = judge(goal, value, bestPeer(results, goal.case, goal.measure));
    return [[goal.text, wanted, found, met ? 'yes' : '**no**']];
  });
  return rows.length === 0 ? '' : markdownTable(['goal', 'wanted', 'measured', 'met'], rows);
}
