import { expect } from 'chai';
import type { Account, Stage } from '../support/conversation.ts';
import { expectTree, type TestClient } from '../support/test-client.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';

/** The conditions of RFC 6121 §8.5.4, each with the priorities of juliet's resources; undefined is a session without presence. */
export const conditions = {
  'no account': undefined,
  'no session': {},
  'a session without presence': { silent: undefined },
  'only a negative resource': { pda: -1 },
  'one non-negative resource': { balcony: 0 },
  'resources of several priorities': { balcony: 5, chamber: 5, hall: 1, pda: -1, silent: undefined },
} as const satisfies Record<string, Record<string, number | undefined> | undefined>;

export type Condition = keyof typeof conditions;

/** What became of a stanza: the resources that got it in alphabetical order, `error` to the sender, `stored`, or `silence`. */
export type Outcome = string;

/** Juliet's account with the sessions of one condition. */
export interface Recipient {
  readonly jid: string;
  readonly account: Account | undefined;
  readonly resources: ReadonlyMap<string, TestClient>;
}

/** Puts juliet into a condition. */
export async function recipient(stage: Stage, condition: Condition): Promise<Recipient> {
  const wanted = conditions[condition];
  if (!wanted) return { jid: `nobody@${stage.domain}`, account: undefined, resources: new Map() };
  const account = await stage.account('juliet');
  const resources = new Map<string, TestClient>();
  for (const [resource, priority] of Object.entries(wanted)) {
    const presence = priority === undefined ? false : `<presence><priority>${priority}</priority></presence>`;
    resources.set(resource, await account.arrives({ resource, presence }));
  }
  for (const client of resources.values()) await client.drains();
  return { jid: account.jid, account, resources };
}

/** Sends a stanza and says who got what. */
export async function outcomeOf(sender: TestClient, stanza: string, { resources }: Recipient): Promise<Outcome> {
  sender.sends(stanza);
  const outcomes = (await sender.drains()).map(errorOf);
  for (const [resource, client] of resources) {
    for (const tree of await client.drains()) {
      expect(tree.attributes.get('from'), 'who is named as the sender').to.match(new RegExp(`^${sender.bare}(/|$)`));
      outcomes.push(resource);
    }
  }
  return outcomes.sort().join('+') || 'silence';
}

/** The bodies of the messages that a new resource finds, in order. */
export async function storedBodies({ account }: Recipient): Promise<string[]> {
  if (!account) return [];
  const late = await account.arrives({ resource: 'late' });
  const messages = late.arrival.filter(({ name }) => name === 'message');
  for (const message of messages) {
    expectTree(message, '<message><body>*</body><delay xmlns="urn:xmpp:delay" stamp="*">*</delay>...</message>');
  }
  return messages.map((message) => childOf(message, 'body')?.text ?? '');
}

function errorOf(tree: Tree): string {
  const condition = childOf(tree, 'error')?.children[0]?.name;
  return condition === 'service-unavailable'
    ? 'error'
    : `${tree.name} ${tree.attributes.get('type')} ${condition ?? ''}`;
}
