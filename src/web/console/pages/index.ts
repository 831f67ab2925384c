import type { ConsoleAction, ConsolePage } from '../page.ts';
import { accountActions, accountPage } from './account.ts';
import { accountsActions, accountsPage } from './accounts.ts';
import { announcementActions, announcementsPage } from './announcements.ts';
import { auditPage } from './audit.ts';
import { componentsPage } from './components.ts';
import { checkPage, configurationActions, configurationPage } from './configuration.ts';
import { invitationActions, invitationsPage } from './invitations.ts';
import { overviewPage } from './overview.ts';
import { reportActions, reportPage, reportsPage } from './reports.ts';
import { roomActions, roomPage, roomsPage } from './rooms.ts';
import { ruleActions, rulesPage } from './rules.ts';
import { serverActions, serversPage } from './servers.ts';
import { sessionActions, sessionsPage } from './sessions.ts';
import { storageActions, storagePage } from './storage.ts';
import { watchPage } from './watch.ts';

/** All pages, in the order of the navigation. */
export const pages: readonly ConsolePage[] = [
  overviewPage,
  accountsPage,
  accountPage,
  invitationsPage,
  sessionsPage,
  roomsPage,
  roomPage,
  storagePage,
  reportsPage,
  reportPage,
  announcementsPage,
  serversPage,
  componentsPage,
  rulesPage,
  watchPage,
  configurationPage,
  checkPage,
  auditPage,
];

/** All forms. */
export const actions: readonly ConsoleAction[] = [
  ...accountActions,
  ...accountsActions,
  ...invitationActions,
  ...sessionActions,
  ...roomActions,
  ...storageActions,
  ...reportActions,
  ...announcementActions,
  ...serverActions,
  ...ruleActions,
  ...configurationActions,
];
