import { accounts } from './accounts.ts';
import { administrations } from './administrations.ts';
import { archive } from './archive/archive.ts';
import { blocklists } from './blocklists.ts';
import { devices } from './devices.ts';
import { invitations } from './invitations.ts';
import { moderation } from './moderation.ts';
import { offline } from './offline.ts';
import { outbox } from './outbox.ts';
import { outgoing } from './outgoing.ts';
import { pep } from './pep.ts';
import { privateXml } from './private-xml.ts';
import { push } from './push.ts';
import { reports } from './reports.ts';
import { resumption } from './resumption.ts';
import { rooms } from './rooms/rooms.ts';
import { rosters } from './rosters.ts';
import { secrets } from './secrets.ts';
import { uploads } from './uploads.ts';
import { vcards } from './vcards.ts';

/** Every family of tables. `Storage` has a store of the same name for each. */
export const families = [
  accounts,
  rosters,
  offline,
  outbox,
  outgoing,
  privateXml,
  vcards,
  uploads,
  blocklists,
  secrets,
  resumption,
  devices,
  pep,
  archive,
  rooms,
  push,
  reports,
  administrations,
  moderation,
  invitations,
] as const;
