import type { LazyOperation, Method, Operation } from '../routing/operation.ts';

/** The name of an operation of this type. */
type NameOf<Found> =
  Found extends Operation<infer Context, infer Input, infer Result> ? LazyOperation<Context, Input, Result> : never;

/** Names operations of a module by their method and path. */
function named<Module extends object, Name extends keyof Module & string>(
  load: () => Promise<Module>,
  names: Readonly<Record<Name, `${Method} ${string}`>>,
) {
  const entries = Object.entries<string>(names).map(([name, called]) => {
    const [method, path] = called.split(' ');
    return [name, { method, path, load: async () => (await load())[name as Name] }];
  });
  return Object.fromEntries(entries) as { readonly [One in Name]: NameOf<Module[One]> };
}

/**
 * Every operation that a command calls. A running server needs only its method and path. The operation itself, whose schema and
 * dependencies take longer to load than the rest of the command, is loaded to work on the data of a stopped server.
 */
export const operations = {
  ...named(() => import('../web/control/user-operations.ts'), {
    addUser: 'POST /users',
    setPassword: 'PUT /users/password',
    removeUser: 'DELETE /users',
    listUsers: 'GET /users',
    showUser: 'GET /users/show',
    userRoster: 'GET /users/roster',
    setForward: 'PUT /forwards',
    removeForward: 'DELETE /forwards',
    listForwards: 'GET /forwards',
  }),
  ...named(() => import('../web/control/import-operations.ts'), {
    importUsers: 'POST /users/import',
    importArchived: 'POST /archives/import',
  }),
  ...named(() => import('../web/control/export-operations.ts'), {
    exportUser: 'GET /users/export',
    beginExport: 'POST /exports',
    exportUserWithin: 'GET /exports/user',
    exportArchived: 'GET /archives/export',
  }),
  ...named(() => import('../web/control/device-operations.ts'), {
    listDevices: 'GET /devices',
    revokeDevice: 'DELETE /devices',
  }),
  ...named(() => import('../web/control/invitation-operations.ts'), {
    createInvitation: 'POST /invitations',
    listInvitations: 'GET /invitations',
    revokeInvitation: 'DELETE /invitations',
    createResetLink: 'POST /users/reset-link',
  }),
  ...named(() => import('../web/control/moderation-operations.ts'), {
    blockDomain: 'PUT /blocked-domains',
    unblockDomain: 'DELETE /blocked-domains',
    listBlockedDomains: 'GET /blocked-domains',
    suspendUser: 'PUT /suspensions',
    resumeUser: 'DELETE /suspensions',
    listSuspensions: 'GET /suspensions',
    listWaiting: 'GET /approvals',
    approveUser: 'PUT /approvals',
    rejectUser: 'DELETE /approvals',
  }),
  ...named(() => import('../web/control/report-operations.ts'), {
    listReports: 'GET /reports',
    showReport: 'GET /report',
    removeReport: 'DELETE /report',
  }),
  ...named(() => import('../web/control/archive-operations.ts'), {
    archiveUsage: 'GET /archives/usage',
    purgeArchive: 'DELETE /archives',
  }),
  ...named(() => import('../web/control/audit.ts'), {
    listAdministrations: 'GET /audit',
  }),
  ...named(() => import('../groupchat/room-operations.ts'), {
    listRooms: 'GET /rooms',
    showRoom: 'GET /room',
    setAffiliation: 'PUT /room/affiliation',
    destroyRoom: 'DELETE /room',
    createRoom: 'POST /room',
    showConfig: 'GET /room/config',
    configureRoom: 'PUT /room/config',
    kickOccupant: 'POST /room/kick',
    purgeRoom: 'DELETE /room/archive',
  }),
  ...named(() => import('../web/control/room-import.ts'), {
    beginRoomImportOperation: 'POST /rooms/import',
    importRoomMessagesOperation: 'POST /rooms/import/messages',
    endRoomImportOperation: 'POST /rooms/import/end',
  }),
  ...named(() => import('../web/control/room-export.ts'), {
    listStoredRooms: 'GET /rooms/addresses',
    exportRoom: 'GET /rooms/export',
    exportRoomWithin: 'GET /exports/room',
    exportRoomMessages: 'GET /rooms/export/messages',
  }),
  ...named(() => import('../extensions/upload/upload-operations.ts'), {
    uploadUsage: 'GET /uploads/usage',
    listUploads: 'GET /uploads',
    removeUploads: 'DELETE /uploads',
  }),
  ...named(() => import('../web/control/server-operations.ts'), {
    serverStatus: 'GET /status',
    reload: 'POST /reload',
    backup: 'POST /backup',
    listComponents: 'GET /components',
    listPeers: 'GET /s2s',
    testPeer: 'POST /s2s/test',
  }),
  ...named(() => import('../web/control/session-operations.ts'), {
    listSessions: 'GET /sessions',
    kick: 'DELETE /sessions',
  }),
  ...named(() => import('../web/control/console-operations.ts'), {
    newConsoleLink: 'POST /console/links',
  }),
  ...named(() => import('../web/control/watch-operations.ts'), {
    watch: 'POST /watch',
  }),
  ...named(() => import('../extensions/announcements.ts'), {
    announce: 'POST /announcements',
    setNotice: 'PUT /notices',
    removeNotice: 'DELETE /notices',
    listNotices: 'GET /notices',
  }),
  ...named(() => import('../extensions/block-lists/block-lists.ts'), {
    listBlockLists: 'GET /block-lists',
    findInBlockLists: 'GET /block-lists/search',
  }),
  ...named(() => import('../extensions/amp/operator/message-operations.ts'), {
    explainMessage: 'POST /messages/explain',
    sendMessage: 'POST /messages',
  }),
};
