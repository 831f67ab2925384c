import { expect } from 'chai';
import { SeededRandom } from '../faults/seeded-random.ts';
import { childOf, parseTree, type Tree } from '../support/xml-tree.ts';
import { PlainRoom } from './plain-room.ts';
import { RoomBench } from './room-bench.ts';

const names = ['juliet', 'romeo', 'nurse', 'tybalt'] as const;
const resources = ['a', 'b'] as const;
const allAffiliations = ['outcast', 'none', 'member', 'admin', 'owner'] as const;
const allRoles = ['none', 'visitor', 'participant', 'moderator'] as const;
const clients = names.flatMap((name) => resources.map((resource) => `${name}@a.example/${resource}`));
const steps = 1500;

/** What a client knows of a room from the presence that it has got: each occupant by nickname. */
class View {
  readonly occupants = new Map<string, string>();
  isInside = false;

  takes(stanza: Tree): void {
    if (stanza.name !== 'presence' || stanza.attributes.get('type') === 'error') return;
    const nick = (stanza.attributes.get('from') ?? '').split('/')[1] ?? '';
    const x = childOf(stanza, 'x');
    const item = x && childOf(x, 'item');
    if (!x || !item) throw new Error('presence of a room has an item');
    const codes = x.children.map(({ attributes }) => attributes.get('code'));
    if (stanza.attributes.get('type') !== 'unavailable') {
      const { attributes } = item;
      const jid = attributes.get('jid') ?? '';
      this.occupants.set(nick, `${attributes.get('affiliation')}/${attributes.get('role')} ${jid}`);
      if (codes.includes('110')) this.isInside = true;
      return;
    }
    this.occupants.delete(nick);
    if (!codes.includes('110') || codes.includes('303')) return;
    this.isInside = false;
    this.occupants.clear();
  }
}

describe('A room under random commands', function () {
  this.timeout(60_000);

  it('decides as the rules say, and shows every client the same room', () => {
    const random = new SeededRandom();
    const pick = <T>(from: readonly T[]): T => from[random.between(0, from.length)]!;
    const bench = new RoomBench();
    const views = new Map(clients.map((client) => [client, new View()]));
    bench.enters('juliet@a.example/a', 'juliet');
    bench.configures('juliet@a.example/a', { 'muc#roomconfig_persistentroom': '1' });
    bench.all();
    bench.enters('juliet@a.example/a', 'juliet');
    const plain = new PlainRoom('juliet');
    views.get('juliet@a.example/a')!.isInside = true;
    views.get('juliet@a.example/a')!.occupants.set('juliet', 'owner/moderator juliet@a.example/a');
    let whois: 'moderators' | 'anyone' = 'moderators';

    const nameOf = (client: string) => client.slice(0, client.indexOf('@'));
    const inside = () => clients.filter((client) => views.get(client)!.isInside);

    /** Does one thing and returns what must come of it. */
    const step = (client: string): string => {
      const [name, target] = [nameOf(client), pick(names)];
      const { isInside } = views.get(client)!;
      switch (random.between(0, 6)) {
        case 0:
        case 1:
          bench.sends(client, "<presence><x xmlns='http://jabber.org/protocol/muc'/></presence>", name);
          return plain.enters(name);
        case 2:
          bench.sends(client, "<presence type='unavailable'/>", name);
          if (inside().every((one) => one === client || nameOf(one) !== name)) plain.leaves(name);
          return 'yes';
        case 3: {
          const affiliation = pick(allAffiliations);
          bench.administers(client, `<item affiliation='${affiliation}' jid='${target}@a.example'/>`);
          return plain.makes(name, target, affiliation);
        }
        case 4: {
          const role = pick(allRoles);
          bench.administers(client, `<item role='${role}' nick='${target}'/>`);
          return plain.gives(name, target, role, { isInside });
        }
        default:
          return configures(client, name);
      }
    };

    const configures = (client: string, name: string): string => {
      const value = random.between(0, 2) === 1;
      const written = value ? '1' : '0';
      const option = pick(['moderated', 'membersOnly', 'whois'] as const);
      if (option === 'whois') {
        const chosen = value ? 'anyone' : 'moderators';
        bench.configures(client, { 'muc#roomconfig_whois': chosen });
        if (plain.person(name).affiliation !== 'owner') return 'forbidden';
        whois = chosen;
        // The room does not send its presence again: clients learn full JIDs, or no longer, with the next one. Here it is at once.
        for (const one of inside())
          bench.sends(one, "<presence><x xmlns='http://jabber.org/protocol/muc'/></presence>", nameOf(one));
        return 'yes';
      }
      const field = option === 'moderated' ? 'moderatedroom' : 'membersonly';
      bench.configures(client, { [`muc#roomconfig_${field}`]: written });
      return plain.configures(name, option, value);
    };

    for (let count = 0; count < steps; count += 1) {
      const client = pick(clients);
      const title = `step ${count} of seed ${random.seed} by ${client}`;
      const expected = step(client);
      const outcome = delivered(bench, views, client);
      expect(outcome, title).to.equal(expected);
      for (const name of names) {
        const occupant = bench.room.occupants.named(name);
        expect(occupant?.role ?? 'none', `${title}: role of ${name}`).to.equal(plain.person(name).role);
      }
      for (const [one, view] of views) checkView(bench, view, one, whois, title);
    }
  });
});

/** Hands everything out, and returns what the client was told of its own step. */
function delivered(bench: RoomBench, views: ReadonlyMap<string, View>, client: string): string {
  let outcome = 'yes';
  for (const [one, view] of views) {
    for (const stanza of bench.stanzas(one)) {
      const tree = parseTree(stanza.toString());
      view.takes(tree);
      const error = childOf(tree, 'error');
      if (one === client && error) outcome = error.children[0]?.name ?? '';
    }
  }
  return outcome;
}

/** A client in the room knows exactly its occupants. It has last seen full JIDs of those, and only of those, that it may see. */
function checkView({ room }: RoomBench, view: View, client: string, whois: string, title: string): void {
  const own = [...room.occupants.all].find(({ sessions }) => sessions.some(({ jid }) => jid.toString() === client));
  expect(view.isInside, `${title}: ${client} is inside`).to.equal(own !== undefined);
  if (!own) return;
  const seesAll = whois === 'anyone' || own.role === 'moderator';
  const expected = [...room.occupants.all].map(({ nick, user, role, sessions }) => {
    const jid = seesAll || nick === own.nick ? String(sessions.at(-1)?.jid) : '';
    return `${nick} ${room.affiliations.get(user.toString())?.affiliation ?? 'none'}/${role} ${jid}`;
  });
  const known = [...view.occupants].map(([nick, line]) => `${nick} ${line}`);
  expect(known.sort(), `${title}: view of ${client}`).to.deep.equal(expected.sort());
}
