import type { Payload } from '../xml/payload.ts';
import { ns } from './namespaces.ts';

/** The processing hints of a message, XEP-0334 §4. */
interface Hints {
  readonly noPermanentStore: boolean;
  readonly noStore: boolean;
  readonly noCopy: boolean;
  readonly store: boolean;
}

const noHints: Hints = { noPermanentStore: false, noStore: false, noCopy: false, store: false };

/** Reads the hints of a message. The caller must ignore hints in errors (XEP-0334 §5). */
export function readHints(payload: Payload): Hints {
  if (!payload.children.some((child) => child.ns === ns.hints)) return noHints;
  return {
    noPermanentStore: payload.has('no-permanent-store', ns.hints),
    noStore: payload.has('no-store', ns.hints),
    noCopy: payload.has('no-copy', ns.hints),
    store: payload.has('store', ns.hints),
  };
}
