import type Database from 'better-sqlite3';
import type { Ballast } from './ballast.ts';
import { accountOperations } from './tables/accounts.ts';
import { blocklistOperations } from './tables/blocklists.ts';
import { dueOperations } from './tables/due-messages.ts';
import { offlineOperations } from './tables/offline.ts';
import { outboxOperations } from './tables/outbox.ts';
import { outgoingOperations } from './tables/outgoing.ts';
import { prepareOwners } from './tables/owners.ts';
import { privateXmlOperations } from './tables/private-xml.ts';
import { resumptionOperations } from './tables/resumption.ts';
import { rosterOperations } from './tables/rosters.ts';
import { secretOperations } from './tables/secrets.ts';
import { vcardOperations } from './tables/vcards.ts';

/** Prepares every operation that the worker can execute. */
export function prepareOperations(db: Database.Database, ballast: Ballast) {
  const owners = prepareOwners(db);
  const accounts = accountOperations(db, owners);
  const rosters = rosterOperations(db, owners);
  const outbox = outboxOperations(db);
  const outgoing = outgoingOperations(db);
  const offline = offlineOperations(db, owners, outbox.writing);
  const due = dueOperations(db, owners, outbox.writing);
  const privateXml = privateXmlOperations(db, owners);
  const vcards = vcardOperations(db, owners);
  const resumption = resumptionOperations(db, owners);
  return {
    reads: {
      ...accounts.reads,
      ...rosters.reads,
      ...offline.reads,
      ...due.reads,
      ...outbox.reads,
      ...outgoing.reads,
      ...privateXml.reads,
      ...vcards.reads,
      ...resumption.reads,
    },
    writes: {
      ...accounts.writes,
      ...rosters.writes,
      ...offline.writes,
      ...due.writes,
      ...outbox.writes,
      ...outgoing.writes,
      ...privateXml.writes,
      ...vcards.writes,
      ...resumption.writes,
      ...blocklistOperations(db, owners).writes,
      ...secretOperations(db).writes,
      'ballast.make': () => ballast.make(),
    },
  };
}

type Prepared = ReturnType<typeof prepareOperations>;
type Functions = Prepared['reads'] & Prepared['writes'];

/** The name of an operation. */
export type OperationName = keyof Functions;

type ArgumentsByName = { [Name in OperationName]: Parameters<Functions[Name]> };
type ResultsByName = { [Name in OperationName]: ReturnType<Functions[Name]> };

/** What an operation takes. */
export type OperationArguments<Name extends OperationName> = ArgumentsByName[Name];

/** What an operation answers. */
export type OperationResult<Name extends OperationName> = ResultsByName[Name];

/** All operations, by name, in a form that keeps name, arguments and result together. */
export type Operations = {
  readonly [Name in OperationName]: (...args: ArgumentsByName[Name]) => ResultsByName[Name];
};

/** One call as it travels to the worker. */
export type OperationCall<Name extends OperationName = OperationName> = readonly [
  name: Name,
  args: OperationArguments<Name>,
];
