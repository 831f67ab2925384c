import { expect } from 'chai';
import { SeededRandom } from '../faults/seeded-random.ts';
import { childOf, parseTree } from '../support/xml-tree.ts';
import { nameOf, RandomSteps, type Step } from './random-steps.ts';
import { RoomBench } from './room-bench.ts';
import { RoomView } from './room-view.ts';

const names = ['juliet', 'romeo', 'nurse', 'tybalt'] as const;
const clients = names.flatMap((name) => ['a', 'b'].map((resource) => `${name}@a.example/${resource}`));
const owner = 'juliet@a.example/a';
const count = 1500;

describe('A room under random commands', function () {
  this.timeout(60_000);

  it('decides as the rules say, and shows every client the same room', () => {
    const random = new SeededRandom();
    const bench = new RoomBench();
    const views = new Map(clients.map((client) => [client, new RoomView()]));
    const isInside = (client: string) => views.get(client)?.isInside === true;
    const steps = new RandomSteps(random, { owner, clients, isInside });
    bench.sends(owner, steps.enters(owner).stanza, nameOf(owner));
    bench.configures(owner, { 'muc#roomconfig_persistentroom': '1' });
    delivered(bench, views, owner);

    const does = ({ client, stanza, nick }: Step): string => {
      bench.sends(client, stanza, nick);
      return delivered(bench, views, client);
    };

    for (let number = 0; number < count; number += 1) {
      const client = steps.pick(clients);
      const title = `step ${number} of seed ${random.seed} by ${client}`;
      const step = steps.next(client);
      expect(does(step), title).to.equal(step.expected);
      if (step.refreshes) for (const one of clients.filter(isInside)) does(steps.enters(one));
      for (const name of names) {
        const occupant = bench.room.occupants.named(name);
        expect(occupant?.role ?? 'none', `${title}: role of ${name}`).to.equal(steps.plain.person(name).role);
      }
      for (const [one, view] of views) view.check(bench.room, one, title);
    }
  });
});

/** Hands everything out, and returns what the client was told of its own step. */
function delivered(bench: RoomBench, views: ReadonlyMap<string, RoomView>, client: string): string {
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
