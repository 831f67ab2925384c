import { cellOf, middle, type Results, type Sample } from '../results.ts';

/** A server in a table. */
export interface Column {
  readonly name: string;
  readonly title: string;
}

/** Everything compared. */
export const columns: readonly Column[] = [
  { name: 'ampere', title: 'Ampere' },
  { name: 'prosody', title: 'Prosody' },
  { name: 'ejabberd', title: 'ejabberd' },
  { name: 'relay', title: 'Node relay' },
];

/** The servers Ampere is compared with. */
export const peers: readonly Column[] = columns.slice(1, 3);

/** The servers that speak XMPP. */
export const xmppServers: readonly Column[] = columns.slice(0, 3);

/** The best median of the peers; more is better unless told otherwise. */
export function bestPeer(
  results: Results,
  caseName: string,
  measure: Exclude<keyof Sample, 'noisy'>,
  choose: (...values: number[]) => number = Math.max,
): number | undefined {
  const values = peers.flatMap(({ name }) => middle(cellOf(results, caseName, name), measure) ?? []);
  return values.length === 0 ? undefined : choose(...values);
}
