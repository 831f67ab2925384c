import { ampereIn } from './ampere.ts';
import type { BenchServer } from './bench-server.ts';
import { ejabberd } from './ejabberd.ts';
import { prosody } from './prosody.ts';
import { relay } from './relay.ts';

/** The names to choose from, in the order of the tables. */
export const serverNames = ['ampere', 'ampere-edges', 'prosody', 'ejabberd', 'relay'] as const;

/** All servers; Ampere as it is built in `root`. */
export function allServers(root: string): readonly BenchServer[] {
  return [ampereIn(root, false), ampereIn(root, true), prosody, ejabberd, relay];
}
