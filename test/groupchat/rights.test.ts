import { expect } from 'chai';
import {
  checkActor,
  checkRight,
  mayAct,
  type RightsPolicy,
  type RoomAction,
  type RoomStanding,
  roleOnEntry,
} from '../../src/groupchat/room/rights.ts';
import type { Affiliation, Role } from '../../src/protocol/muc/vocabulary.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';

const policy: RightsPolicy = {
  membersOnly: false,
  whois: 'moderators',
  changeSubject: false,
  allowInvites: true,
  listReaders: [],
};

const someAffiliations: readonly Affiliation[] = ['none', 'member', 'admin', 'owner'];

/** `owner/moderator`, `none/visitor`, … as a standing. */
function standing(text: string): RoomStanding {
  const [affiliation, role] = text.split('/');
  return { affiliation: affiliation as Affiliation, role: role as Role };
}

function outcome(check: () => void): string {
  try {
    check();
    return 'yes';
  } catch (error) {
    if (error instanceof StanzaError) return error.condition;
    throw error;
  }
}

/** What happens if each actor does something to each target: a row for each actor. */
function grid(action: RoomAction, actors: readonly string[], targets: readonly string[]): Record<string, string> {
  const cell = (actor: string, target: string) =>
    outcome(() => checkRight(action, standing(actor), { ...standing(target), isActor: false }, policy));
  const short = { yes: 'yes', 'not-allowed': '-', forbidden: 'x', conflict: '!' };
  const row = (actor: string) => targets.map((target) => short[cell(actor, target) as keyof typeof short]).join(' ');
  return Object.fromEntries(actors.map((actor) => [actor, row(actor)]));
}

describe('the rights in a room (XEP-0045 §5)', () => {
  it('give the role on entry by affiliation', () => {
    expect(someAffiliations.map((one) => roleOnEntry(one, false)).join()).to.equal(
      'participant,participant,moderator,moderator',
    );
    expect(someAffiliations.map((one) => roleOnEntry(one, true)).join()).to.equal(
      'visitor,participant,moderator,moderator',
    );
  });

  const moderators = ['none/moderator', 'member/moderator', 'admin/moderator', 'owner/moderator'];
  const inRoom = ['none/visitor', 'member/participant', 'none/moderator', 'member/moderator', 'admin/moderator'];

  it('let moderators give and take voice below admins, and only admins from other moderators (§8.3, §8.4, §9.7)', () => {
    expect(grid('change voice', ['admin/participant', ...moderators], [...inRoom, 'none/none'])).to.deep.equal({
      'admin/participant': 'x x x x x x',
      'none/moderator': 'yes - - - - -',
      'member/moderator': 'yes yes - - - -',
      'admin/moderator': 'yes yes yes yes - -',
      'owner/moderator': 'yes yes yes yes - -',
    });
  });

  it('let moderators kick nobody above them, and no other moderator unless they outrank it (§8.2)', () => {
    expect(
      grid('kick', ['owner/participant', ...moderators], [...inRoom, 'owner/moderator', 'none/none']),
    ).to.deep.equal({
      'owner/participant': 'x x x x x x x',
      'none/moderator': 'yes - - - - - -',
      'member/moderator': 'yes yes - - - - -',
      'admin/moderator': 'yes yes yes yes - - -',
      'owner/moderator': 'yes yes yes yes yes yes -',
    });
  });

  it('let admins make moderators of those who are in the room (§9.6)', () => {
    expect(grid('make moderator', moderators, ['none/visitor', 'none/none'])).to.deep.equal({
      'none/moderator': 'x x',
      'member/moderator': 'x x',
      'admin/moderator': 'yes -',
      'owner/moderator': 'yes -',
    });
  });

  const everybody = ['outcast/none', 'none/none', 'member/none', 'admin/none', 'owner/none'];

  it('let admins ban those below them, and owners everybody (§9.1)', () => {
    expect(grid('ban', ['member/moderator', 'admin/none', 'owner/none'], everybody)).to.deep.equal({
      'member/moderator': 'x x x x x',
      'admin/none': 'yes yes yes - -',
      'owner/none': 'yes yes yes yes yes',
    });
  });

  it('let admins change affiliations below admin (§9.2 to §9.4), and owners all (§10.3 to §10.8)', () => {
    expect(grid('change membership', ['member/moderator', 'admin/none', 'owner/none'], everybody)).to.deep.equal({
      'member/moderator': 'x x x x x',
      'admin/none': 'yes yes yes - -',
      'owner/none': 'yes yes yes - -',
    });
    expect(grid('change administration', ['admin/moderator', 'owner/none'], everybody)).to.deep.equal({
      'admin/moderator': 'x x x x x',
      'owner/none': 'yes yes yes yes yes',
    });
  });

  it('let nobody kick or ban themselves, and say nothing else about it', () => {
    for (const action of ['kick', 'ban'] as const) {
      const self = { ...standing('owner/moderator'), isActor: true };
      expect(outcome(() => checkRight(action, standing('owner/moderator'), self, policy))).to.equal('conflict');
    }
    const self = { ...standing('member/moderator'), isActor: true };
    expect(outcome(() => checkRight('ban', standing('member/moderator'), self, policy))).to.equal('forbidden');
  });

  const may = (action: RoomAction, actors: readonly string[], changes: Partial<RightsPolicy> = {}) =>
    actors.filter((actor) => mayAct(action, standing(actor), { ...policy, ...changes })).join(' ');
  const actors = [
    'none/none',
    'none/visitor',
    'none/participant',
    'none/moderator',
    'member/none',
    'member/participant',
    'admin/none',
    'owner/none',
  ];

  it('let participants speak', () => {
    expect(may('speak', actors)).to.equal('none/participant none/moderator member/participant');
  });

  it('let moderators change the subject, and participants if the room allows it (§8.1)', () => {
    expect(may('change subject', actors)).to.equal('none/moderator');
    expect(may('change subject', actors, { changeSubject: true })).to.equal(
      'none/participant none/moderator member/participant',
    );
  });

  it('let participants invite into open rooms, and into members-only rooms admins, or members too (§7.8)', () => {
    expect(may('invite', actors)).to.equal('none/participant none/moderator member/participant');
    expect(may('invite', actors, { membersOnly: true, allowInvites: false })).to.equal('admin/none owner/none');
    expect(may('invite', actors, { membersOnly: true })).to.equal(
      'member/none member/participant admin/none owner/none',
    );
  });

  it('show the list of outcasts to admins, and lists of roles to moderators', () => {
    expect(may('list outcasts', actors)).to.equal('admin/none owner/none');
    expect(may('list roles', actors)).to.equal('none/moderator');
  });

  it('show the list of members to admins, to members where JIDs are visible, and to roles that the room names', () => {
    expect(may('list affiliations', actors)).to.equal('admin/none owner/none');
    expect(may('list affiliations', actors, { whois: 'anyone' })).to.equal(
      'member/none member/participant admin/none owner/none',
    );
    const listReaders = ['moderator', 'participant'] as const;
    expect(may('list affiliations', actors, { listReaders })).to.equal('none/moderator admin/none owner/none');
    expect(may('list affiliations', actors, { listReaders, whois: 'anyone' })).to.equal(
      'none/participant none/moderator member/none member/participant admin/none owner/none',
    );
  });

  it('let owners configure', () => {
    expect(may('configure', [...actors, 'admin/moderator'])).to.equal('owner/none');
    expect(outcome(() => checkActor('configure', standing('admin/none'), policy))).to.equal('forbidden');
  });

  it('let moderators retract messages of those who are not above them (XEP-0425)', () => {
    expect(grid('moderate message', ['member/participant', 'member/moderator'], everybody)).to.deep.equal({
      'member/participant': 'x x x x x',
      'member/moderator': 'yes yes yes - -',
    });
  });
});
