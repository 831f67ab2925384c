import { cellOf, middle, type Results, type Sample } from '../results.ts';

/** A server in a table. */
export interface Column {
  readonly name: string;
  readonly title: string;
}

/** Ourselves. */
export const ampere: Column = { name: 'ampere', title: 'Ampere' };

/** Everything compared. */
export const columns: readonly Column[] = [
  ampere,
  { name: 'prosody', title: 'Prosody' },
  { name: 'ejabberd', title: 'ejabberd' },
  { name: 'relay', title: 'Node relay' },
];

/** The servers Ampere is compared with. */
export const peers: readonly Column[] = columns.slice(1, 3);

/** The servers that speak XMPP. */
export const xmppServers: readonly Column[] = columns.slice(0, 3);

/** Ampere with a core for its state and one for its connections. */
export const withEdges: Column = { name: 'ampere-edges', title: 'Ampere with edges' };

/** Everything compared when all cores are there for all. */
export const wholeColumns: readonly Column[] = [ampere, withEdges, ...peers];

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
