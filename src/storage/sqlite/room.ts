import type { OperationCall, OperationName } from './operations.ts';

/**
 * The operations that put more into the database. All others go on when there is no room: what removes, what replaces in place, and
 * what says how far a session has come.
 */
const adding: ReadonlySet<OperationName> = new Set<OperationName>([
  'accounts.create',
  'accounts.createMany',
  'accounts.setForward',
  'rosters.put',
  'privateXml.set',
  'vcards.set',
  'blocklists.add',
  'offline.append',
  'outgoing.add',
  'resumption.add',
  'resumption.detach',
]);

/** Whether a call is new work that needs room; a message that has a row elsewhere only moves. */
export function isNewWork(call: OperationCall): boolean {
  return adding.has(call[0]) && !isMove(call);
}

/** Whether a call takes any room at all: these are given up first. */
export function takesRoom([name]: OperationCall): boolean {
  return adding.has(name) || name === 'ballast.make';
}

function isMove(call: OperationCall): boolean {
  if (!isCallOf('offline.append', call)) return false;
  const [, { moved, outboxId }] = call[1];
  return moved === true || outboxId !== undefined;
}

function isCallOf<Name extends OperationName>(name: Name, call: OperationCall): call is OperationCall<Name> {
  return call[0] === name;
}
