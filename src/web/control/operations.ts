import type { BindableOperation } from '../../routing/operation.ts';
import { archiveUsage, purgeArchive } from './archive-operations.ts';
import { listAdministrations } from './audit.ts';
import { checkServer, newConsoleLink, serverHistory, showConfiguration } from './console-operations.ts';
import { listDevices, revokeDevice } from './device-operations.ts';
import { beginExport, exportArchived, exportUser, exportUserWithin } from './export-operations.ts';
import { importArchived, importUsers } from './import-operations.ts';
import { createInvitation, createResetLink, listInvitations, revokeInvitation } from './invitation-operations.ts';
import {
  approveUser,
  blockDomain,
  listBlockedDomains,
  listSuspensions,
  listWaiting,
  rejectUser,
  resumeUser,
  suspendUser,
  unblockDomain,
} from './moderation-operations.ts';
import { listReports, removeReport, showReport } from './report-operations.ts';
import { exportRoom, exportRoomMessages, exportRoomWithin, listStoredRooms } from './room-export.ts';
import { beginRoomImportOperation, endRoomImportOperation, importRoomMessagesOperation } from './room-import.ts';
import type { RunningServer } from './running-server.ts';
import { backup, listComponents, listPeers, reload, serverStatus, testPeer } from './server-operations.ts';
import { kick, listSessions } from './session-operations.ts';
import {
  addUser,
  listForwards,
  listUsers,
  removeForward,
  removeUser,
  setForward,
  setPassword,
  showUser,
  userRoster,
} from './user-operations.ts';
import { watch } from './watch-operations.ts';

/** The operations of a running server, without those of extensions. Those that need only `ServedDomains` also work on a stopped server. */
export const operations: readonly BindableOperation<RunningServer>[] = [
  addUser,
  setPassword,
  removeUser,
  listUsers,
  showUser,
  userRoster,
  importUsers,
  importArchived,
  beginRoomImportOperation,
  importRoomMessagesOperation,
  endRoomImportOperation,
  listStoredRooms,
  exportRoom,
  exportRoomWithin,
  exportRoomMessages,
  exportUser,
  beginExport,
  exportUserWithin,
  exportArchived,
  archiveUsage,
  purgeArchive,
  listDevices,
  revokeDevice,
  setForward,
  removeForward,
  listForwards,
  createInvitation,
  listInvitations,
  revokeInvitation,
  createResetLink,
  listReports,
  showReport,
  removeReport,
  listAdministrations,
  blockDomain,
  unblockDomain,
  listBlockedDomains,
  suspendUser,
  resumeUser,
  listSuspensions,
  listWaiting,
  approveUser,
  rejectUser,
  serverStatus,
  listSessions,
  kick,
  listComponents,
  listPeers,
  testPeer,
  reload,
  backup,
  watch,
  newConsoleLink,
  serverHistory,
  showConfiguration,
  checkServer,
];
