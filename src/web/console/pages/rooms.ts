import {
  destroyRoom,
  kickOccupant,
  listRooms,
  purgeRoom,
  type RoomReport,
  setAffiliation,
  showConfig,
  showRoom,
} from '../../../groupchat/room-operations.ts';
import { type Html, html } from '../../html/html.ts';
import { type ConsoleAction, type ConsolePage, type FormFields, type PageContext, pagePath } from '../page.ts';
import {
  actionForm,
  badge,
  choice,
  confirmedForm,
  counted,
  facts,
  field,
  link,
  nextPage,
  panel,
  rowForm,
  table,
} from '../parts.ts';

const pageSize = 100;

const affiliations = ['owner', 'admin', 'member', 'none', 'outcast'] as const;
type Affiliation = (typeof affiliations)[number];

/** All rooms. */
export const roomsPage: ConsolePage = {
  name: 'rooms',
  title: 'Rooms',
  group: 'People',
  operation: listRooms,
  content: async ({ call }, query) => {
    const { rooms } = await call(listRooms, { after: query.text('after'), limit: pageSize });
    const rows = rooms.map(({ address, name, isPublic, messages }) => [
      link(pagePath('room', { room: address }), address),
      name,
      isPublic ? 'public' : 'hidden',
      messages.toLocaleString('en'),
    ]);
    const next = rooms.length === pageSize ? pagePath('rooms', { after: rooms.at(-1)?.address }) : undefined;
    return html`${table('Rooms', ['Room', 'Name', 'Listed', 'Archived messages'], rows, 'There are no rooms.')}${nextPage(next)}`;
  },
};

/** One room: its occupants, affiliations and settings. */
export const roomPage: ConsolePage = {
  name: 'room',
  title: 'Room',
  within: 'rooms',
  operation: showRoom,
  content: async (context, query) => {
    const room = query.needed('room');
    const [report, config] = await Promise.all([context.call(showRoom, { room }), context.call(showConfig, { room })]);
    return html`<p class="subject">${report.address} ${badge('plain', report.public ? 'public' : 'hidden')}
${badge('plain', report.persistent ? 'persistent' : 'temporary')} ${report.membersOnly && badge('plain', 'for members')}</p>
${report.name !== '' && html`<p>${report.name}</p>`}
${occupantsPanel(context, report)}${affiliationsPanel(context, report)}
${panel('Settings', facts(Object.entries(config)))}${removals(context, report.address)}`;
  },
};

function occupantsPanel(context: PageContext, { address, occupants }: RoomReport): Html {
  const rows = occupants.map(({ nick, role, jids }) => [
    nick,
    role,
    jids.join(', '),
    rowForm(context, kick, { room: address, nick }, 'Kick'),
  ]);
  return panel('Occupants', table('Occupants', ['Nickname', 'Role', 'Sessions', ''], rows, 'The room is empty.'));
}

function affiliationsPanel(context: PageContext, { address, affiliations: all }: RoomReport): Html {
  const rows = all.map(({ jid, affiliation }) => [jid, affiliation]);
  const fields = html`<div class="row">${field('jid', 'Address', { required: true })}${choice(
    'affiliation',
    'Affiliation',
    affiliations.map((name) => [name, name]),
    'member',
  )}</div>`;
  return panel(
    'Affiliations',
    table('Affiliations', ['Address', 'Affiliation'], rows, 'Nobody has an affiliation.'),
    actionForm(context, affiliate, {
      hidden: { room: address },
      fields,
      label: 'Set affiliation',
      kind: 'second',
    }),
  );
}

function removals(context: PageContext, room: string): Html {
  if (!context.may(destroyRoom)) return html``;
  return panel(
    'Remove',
    confirmedForm(context, purge, {
      summary: 'Remove archived messages…',
      warning: 'The archived messages of the room are removed for good.',
      hidden: { room },
      label: 'Remove messages',
    }),
    confirmedForm(context, destroy, {
      summary: 'Destroy the room…',
      warning: 'The room is destroyed for good, with its archive. Its occupants are told the reason.',
      hidden: { room },
      fields: field('reason', 'Reason'),
      label: 'Destroy the room',
    }),
  );
}

const back = (form: FormFields) => pagePath('room', { room: form.needed('room') });

const kick: ConsoleAction = {
  path: 'room/kick',
  operation: kickOccupant,
  next: back,
  run: async ({ call }, form) => {
    await call(kickOccupant, { room: form.needed('room'), nick: form.needed('nick') });
    return `${form.needed('nick')} was removed from the room, and may enter again.`;
  },
};

const affiliate: ConsoleAction = {
  path: 'room/affiliation',
  operation: setAffiliation,
  next: back,
  run: async ({ call }, form) => {
    const [jid, affiliation] = [form.needed('jid'), form.needed('affiliation') as Affiliation];
    await call(setAffiliation, { room: form.needed('room'), jid, affiliation });
    return `The affiliation of ${jid} is ${affiliation} now.`;
  },
};

const purge: ConsoleAction = {
  path: 'room/purge',
  operation: purgeRoom,
  confirm: 'room',
  next: back,
  run: async ({ call }, form) => {
    const room = form.needed('room');
    const { removed } = await call(purgeRoom, { room });
    return `${counted(removed, 'message')} removed.`;
  },
};

const destroy: ConsoleAction = {
  path: 'room/destroy',
  operation: destroyRoom,
  confirm: 'room',
  next: () => pagePath('rooms'),
  run: async ({ call }, form) => {
    const room = form.needed('room');
    await call(destroyRoom, { room, reason: form.text('reason') });
    return `${room} was destroyed.`;
  },
};

/** What can be done with rooms. */
export const roomActions: readonly ConsoleAction[] = [kick, affiliate, purge, destroy];
