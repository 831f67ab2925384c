import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Extension, StreamStage } from '../../routing/extension.ts';
import type { RosterStore } from '../../storage/rosters.ts';
import { type Element, xml } from '../../xml/element.ts';
import { RosterReading } from './roster-reading.ts';
import { RosterWriting, type RosterWritingDeps } from './roster-writing.ts';

/** Dependencies of the roster. */
interface RosterDeps extends RosterWritingDeps {
  readonly store: Pick<RosterStore, 'changedSince'>;
}

const own = { name: 'query', ns: ns.roster, scopes: ['self'] } as const;
const foreign = { name: 'query', ns: ns.roster, scopes: ['other'], handle: forbid } as const;

/** Roster management (RFC 6121 §2). `RosterChanges` sends the pushes; the clients' answers to them need no handling. */
export function roster(deps: RosterDeps): Extension {
  const reading = new RosterReading(deps.store);
  const writing = new RosterWriting(deps);
  return {
    name: 'roster',
    claims: [],
    disco: { domain: [ns.roster] },
    streamFeatures,
    iq: [
      { ...own, type: 'get', handle: (request) => reading.answer(request) },
      { ...own, type: 'set', handle: (request) => writing.take(request) },
      { ...foreign, type: 'get' },
      { ...foreign, type: 'set' },
    ],
    filter: { inbound: (stanza) => (isForgedPush(stanza) ? 'refuse' : undefined) },
  };
}

/** RFC 6121 §2.6.1, §3.4.1. */
function streamFeatures(stage: StreamStage): readonly Element[] {
  if (stage !== 'authenticated') return [];
  return [xml('ver', { xmlns: ns.rosterVersioning }), xml('sub', { xmlns: ns.preApproval })];
}

/** RFC 6121 §2.3.3: the roster of another address is forbidden, whether or not the account exists. */
function forbid(): never {
  throw StanzaError.forbidden();
}

/** Only the client's own server may send it roster pushes (RFC 6121 §2.1.6). */
function isForgedPush({ kind, type, to, payload }: Stanza): boolean {
  if (kind !== 'iq' || (type !== 'get' && type !== 'set') || !to || to.isBare) return false;
  return payload.has('query', ns.roster);
}
