import type { DataForm } from '../protocol/data-form.ts';
import type { Capabilities } from '../protocol/disco.ts';
import type { Jid } from '../protocol/jid.ts';
import type { RoomConfig } from '../protocol/muc/room-config.ts';
import { isAffiliatedAs } from '../protocol/muc/vocabulary.ts';
import { ns } from '../protocol/namespaces.ts';
import { contentOf } from '../protocol/presence.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { maySeeAvatar } from './room/avatar.ts';
import { affiliationOf, type ExistingRoom } from './room/state.ts';

/** The capabilities of a service with rooms (XEP-0045 §6.2). */
export function describeService(
  name: string,
  { forms, hasCommands }: { readonly forms: readonly DataForm[]; readonly hasCommands: boolean },
): Capabilities {
  return {
    // Clients look for this identity.
    identities: [{ category: 'conference', type: 'text', name }],
    features: [
      ns.muc,
      ns.mucStableId,
      ns.mucUnique,
      ns.occupantId,
      ns.resultSet,
      ns.vcard,
      ns.channelSearch,
      ...(hasCommands ? [ns.commands] : []),
    ],
    forms,
  };
}

/** The nodes with the nickname that somebody has reserved, and with the extensions that occupants use. */
const nodes = { reservedNick: 'x-roomuser-item', traffic: ns.mucTraffic };

/**
 * The capabilities of a room, or of one of its nodes (XEP-0045 §6.4, §7.12), also for users outside: they ask before they enter.
 * Undefined for an unknown node. Throws StanzaError.
 */
export function describeRoom(room: ExistingRoom, asker: Jid, node: string | undefined): Capabilities | undefined {
  if (node === nodes.reservedNick) return reservedNick(room, asker);
  // XEP-0045 §6.4: the room does not know that.
  if (node === nodes.traffic) throw StanzaError.serviceUnavailable();
  return node === undefined ? capabilitiesOf(room, asker) : undefined;
}

/** The items of a room; occupants are none of them (XEP-0045 §6.5). */
export function roomItems(room: ExistingRoom, asker: Jid, node: string | undefined): { items: [] } | undefined {
  return node === undefined || describeRoom(room, asker, node) ? { items: [] } : undefined;
}

function reservedNick(room: ExistingRoom, asker: Jid): Capabilities {
  const { nick: name } = room.affiliations.get(asker.bare().toString()) ?? {};
  return { identities: name === undefined ? [] : [{ category: 'conference', type: 'text', name }], features: [] };
}

function capabilitiesOf(room: ExistingRoom, asker: Jid): Capabilities {
  const { address, config } = room;
  const archive = config.archiving
    ? [ns.archive, ns.archiveExtended, ns.retraction, ns.retractionTombstone, ns.moderation, ns.legacyModeration]
    : [];
  return {
    identities: [{ category: 'conference', type: 'text', name: config.name || address.local }],
    features: [
      ns.muc,
      ns.mucStableId,
      ns.mucSelfPing,
      ns.mucRequest,
      ns.register,
      ns.occupantId,
      ns.stanzaId,
      ns.vcard,
      ...archive,
      ...traitsOf(config),
    ],
    forms: [descriptionForm(room, asker)],
  };
}

/** Hidden and members-only rooms show their content to those who are inside. */
function maySeeMore(room: ExistingRoom, asker: Jid): boolean {
  const { public: isPublic, membersOnly } = room.config;
  if (isPublic && !membersOnly) return true;
  return room.occupants.with(asker) !== undefined || isAffiliatedAs(affiliationOf(room, asker), 'member');
}

/** XEP-0045 §6.4: one feature of each pair. */
function traitsOf(config: RoomConfig): string[] {
  return [
    config.public ? 'muc_public' : 'muc_hidden',
    config.persistent ? 'muc_persistent' : 'muc_temporary',
    config.membersOnly ? 'muc_membersonly' : 'muc_open',
    config.moderated ? 'muc_moderated' : 'muc_unmoderated',
    config.whois === 'anyone' ? 'muc_nonanonymous' : 'muc_semianonymous',
    config.passwordProtected ? 'muc_passwordprotected' : 'muc_unsecured',
  ];
}

function descriptionForm(room: ExistingRoom, asker: Jid): DataForm {
  const { config, occupants, subject, avatarHashes } = room;
  const bit = (value: boolean) => [value ? '1' : '0'];
  const content = [
    { var: 'muc#roominfo_description', type: 'text-single', values: [config.description] },
    {
      var: 'muc#roominfo_subject',
      type: 'text-single',
      values: [subject ? contentOf(subject.message, 'subject') : ''],
    },
    { var: 'muc#roominfo_occupants', type: 'text-single', values: [String(occupants.size)] },
  ] as const;
  // XEP-0486 §5: no field without an avatar.
  const hasAvatar = avatarHashes.length > 0 && maySeeAvatar(room, asker);
  const avatar = { var: 'muc#roominfo_avatarhash', type: 'text-multi', values: avatarHashes } as const;
  return {
    type: 'result',
    formType: ns.mucRoomDescription,
    fields: [
      ...(maySeeMore(room, asker) ? content : []),
      ...(hasAvatar ? [avatar] : []),
      { var: 'muc#roominfo_lang', type: 'text-single', values: [config.lang] },
      { var: 'muc#roominfo_subjectmod', type: 'boolean', values: bit(config.changeSubject) },
      { var: 'muc#roomconfig_changesubject', type: 'boolean', values: bit(config.changeSubject) },
      { var: 'muc#roomconfig_allowinvites', type: 'boolean', values: bit(config.allowInvites) },
      { var: 'muc#maxhistoryfetch', type: 'text-single', values: [String(config.historyLength)] },
    ],
  };
}
