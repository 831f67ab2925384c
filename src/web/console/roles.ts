import type { BoundOperation } from '../../routing/operation.ts';

/** What a person may do in the console. An observer changes nothing and reads nothing that users have written. */
export type ConsoleRole = 'observer' | 'operator';

/** The roles, the weaker one first. */
export const roles = ['observer', 'operator'] as const satisfies readonly ConsoleRole[];

/** An operation as the table knows it. */
export type NamedOperation = Pick<BoundOperation, 'method' | 'path'>;

/**
 * The weakest role that may use an operation in the console. What is missing here cannot be used there: imports, exports, backups and
 * passwords belong to the command line.
 */
const weakestRoles: Readonly<Record<string, ConsoleRole>> = {
  'GET /status': 'observer',
  'GET /history': 'observer',
  'GET /users': 'observer',
  'DELETE /users': 'operator',
  'POST /users/reset-link': 'operator',
  'GET /invitations': 'observer',
  'POST /invitations': 'operator',
  'DELETE /invitations': 'operator',
  'GET /suspensions': 'observer',
  'PUT /suspensions': 'operator',
  'DELETE /suspensions': 'operator',
  'GET /approvals': 'observer',
  'PUT /approvals': 'operator',
  'DELETE /approvals': 'operator',
  'GET /devices': 'observer',
  'DELETE /devices': 'operator',
  'GET /sessions': 'observer',
  'DELETE /sessions': 'operator',
  'GET /archives/usage': 'observer',
  'DELETE /archives': 'operator',
  'GET /uploads': 'operator',
  'GET /uploads/usage': 'observer',
  'DELETE /uploads': 'operator',
  'GET /rooms': 'observer',
  'GET /room': 'observer',
  'GET /room/config': 'observer',
  'PUT /room/affiliation': 'operator',
  'POST /room/kick': 'operator',
  'DELETE /room/archive': 'operator',
  'DELETE /room': 'operator',
  'GET /s2s': 'observer',
  'POST /s2s/test': 'operator',
  'GET /blocked-domains': 'observer',
  'PUT /blocked-domains': 'operator',
  'DELETE /blocked-domains': 'operator',
  'GET /block-lists': 'observer',
  'GET /components': 'observer',
  'GET /reports': 'observer',
  'GET /report': 'operator',
  'DELETE /report': 'operator',
  'POST /messages/explain': 'observer',
  'POST /announcements': 'operator',
  'GET /notices': 'observer',
  'PUT /notices': 'operator',
  'DELETE /notices': 'operator',
  'GET /configuration': 'observer',
  'GET /check': 'observer',
  'POST /reload': 'operator',
  'GET /audit': 'observer',
  'POST /watch': 'operator',
};

/** Whether a role may use an operation in the console. */
export function mayUse(role: ConsoleRole, { method, path }: NamedOperation): boolean {
  const weakest = weakestRoles[`${method} ${path}`];
  return weakest !== undefined && roles.indexOf(role) >= roles.indexOf(weakest);
}

/** The operations that can be used in the console, by method and path. */
export const consoleOperations: readonly string[] = Object.keys(weakestRoles);
