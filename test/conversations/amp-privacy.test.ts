import { expect } from 'chai';
import { type Account, Stage } from '../support/conversation.ts';
import { expectTrees, type TestClient } from '../support/test-client.ts';
import {
  anonymous,
  answersTo,
  bodiesOf,
  hearsNothing,
  message,
  refusal,
  report,
  together,
  unavailable,
} from './amp-cast.ts';

const conditionValues = [
  ...['direct', 'forward', 'gateway', 'none', 'stored'].map((value) => `deliver ${value}`),
  ...['any', 'exact', 'other'].map((value) => `match-resource ${value}`),
  ...['2001-01-01T00:00:00Z', '2999-01-01T00:00:00Z'].map((value) => `expire-at ${value}`),
];
const reporting = ['alert', 'error', 'notify'].flatMap((action) => conditionValues.map((rest) => `${action} ${rest}`));

/** A recipient in one of the states that a stranger must not be able to tell apart. */
interface Hidden {
  readonly jid: string;
  readonly clients: readonly TestClient[];
}

type Place = (stage: Stage, stranger: TestClient) => Promise<Hidden>;

const block = (client: TestClient, jid: string) =>
  client.gets(
    `<iq type="set"><block xmlns="urn:xmpp:blocking"><item jid="${jid}"/></block></iq>`,
    '<iq type="result">...</iq>',
  );

/** Brings the account of a test into a state. Its resource, if any, is 'balcony'. */
async function present(account: Account, presence?: string | false): Promise<Hidden> {
  const client = await account.arrives({ resource: 'balcony', ...(presence !== undefined && { presence }) });
  return { jid: account.jid, clients: [client] };
}

const states: Readonly<Record<string, Place>> = {
  unknown: async (stage) => ({ jid: `nobody@${stage.domain}`, clients: [] }),
  away: async (stage) => ({ jid: (await stage.account('juliet')).jid, clients: [] }),
  online: async (stage) => present(await stage.account('juliet')),
  'online and negative': async (stage) =>
    present(await stage.account('juliet'), '<presence><priority>-1</priority></presence>'),
  'online without presence': async (stage) => present(await stage.account('juliet'), false),
  'online, and shows itself to the sender (D-31)': async (stage, stranger) => {
    const hidden = await present(await stage.account('juliet'));
    for (const client of hidden.clients) {
      client.sends(`<presence to="${stranger.jid}"/>`);
      await client.drains();
    }
    await stranger.drains();
    return hidden;
  },
  'online, blocking the sender (D-28)': async (stage, stranger) => {
    const hidden = await present(await stage.account('juliet'));
    for (const client of hidden.clients) await block(client, stranger.bare);
    return hidden;
  },
  'online, asked for a subscription': async (stage, stranger) => {
    const hidden = await present(await stage.account('juliet'));
    stranger.sends(`<presence to="${hidden.jid}" type="subscribe"/>`);
    await stranger.drains();
    return hidden;
  },
};

/** The answers to a message, as text without names. */
async function answer(sender: TestClient, { jid, clients }: Hidden, to: string, rule: string): Promise<string> {
  const text = anonymous(await answersTo(sender, message(to, [rule])), jid, jid.split('@')[0] ?? '');
  for (const client of clients) await client.drains();
  return text;
}

describe('Reports to strangers (XEP-0079 §9)', () => {
  describe('by default', () => {
    const stage = new Stage();

    it('are refused with the same answer in every state of the recipient (D-25, D-26, D-31, N-43, N-44)', async () => {
      const { tybalt } = await stage.enter(['tybalt']);
      const answers = new Map<string, string[]>();
      for (const [name, place] of Object.entries(states)) {
        const hidden = await place(stage, tybalt);
        const seen: string[] = [];
        for (const resource of ['', '/balcony', '/hall']) {
          for (const rule of reporting) seen.push(await answer(tybalt, hidden, `${hidden.jid}${resource}`, rule));
        }
        answers.set(name, seen);
      }
      const [[, first = []] = ['', []], ...others] = [...answers];
      expect(first).to.have.length(reporting.length * 3);
      expect(new Set(first.map((text) => text.replaceAll(/<rule [^>]*>/g, '')))).to.have.property('size', 1);
      expect(first[0]).to.include('not-acceptable');
      for (const [name, seen] of others) {
        const odd = seen.findIndex((text, index) => text !== first[index]);
        expect(seen[odd], name).to.equal(first[odd]);
      }
    });

    it('are refused together, all rules that would report (N-16)', async () => {
      const { tybalt, juliet } = await stage.enter(['tybalt', 'juliet']);
      const words = ['drop deliver stored', 'notify deliver direct', 'alert expire-at 2999-01-01T00:00:00Z'];
      tybalt.sends(message(juliet.jid, words));
      await tybalt.receives(refusal(tybalt, 'invalid-rules', words, words.slice(1)), { strict: true });
      await hearsNothing(juliet);
    });

    it('are not needed: rules that only drop are accepted from everybody (D-25)', async () => {
      const { tybalt, juliet } = await stage.enter(['tybalt', 'juliet']);
      expect(await answersTo(tybalt, message(juliet.jid, ['drop deliver stored']))).to.deep.equal([]);
      expect(bodiesOf(await juliet.drains())).to.deep.equal(['Good morrow']);
    });

    it('are sent to senders who may see the presence, to the own account, and about the server (D-26)', async () => {
      const { romeo, balcony } = await together(stage);
      romeo.sends(message(balcony.jid, ['notify deliver direct']));
      await romeo.receives(report(romeo, balcony.jid, 'notify deliver direct'));
      await balcony.drains();
      romeo.sends(message(romeo.bare, ['alert deliver direct']));
      await romeo.receives(report(romeo, romeo.bare, 'alert deliver direct'));
      romeo.sends(message(stage.domain, ['notify deliver none']));
      await romeo.receives(report(romeo, stage.domain, 'notify deliver none'));
      await romeo.receives(unavailable(romeo, stage.domain));
      await hearsNothing(romeo);
    });

    it('are refused to subscribers who are blocked now (D-28)', async () => {
      const { romeo, balcony } = await together(stage);
      await block(balcony, romeo.bare);
      await romeo.drains();
      const words = ['notify deliver direct'];
      romeo.sends(message(balcony.jid, words));
      await romeo.receives(refusal(romeo, 'invalid-rules', words));
      romeo.sends(message(balcony.jid, ['drop deliver none']));
      await hearsNothing(romeo);
      await hearsNothing(balcony);
    });
  });

  describe('in an open network (D-27)', () => {
    const stage = new Stage({ settings: { limits: { disabled: true }, amp: { presencePrivacy: 'open' } } });

    it('are sent, and to blocked senders as if the account did not exist (D-28)', async () => {
      const { tybalt } = await stage.enter(['tybalt']);
      const seen = new Map<string, string[]>();
      for (const name of ['unknown', 'online, blocking the sender (D-28)']) {
        const hidden = await states[name]?.(stage, tybalt);
        if (!hidden) expect.fail();
        const texts: string[] = [];
        for (const resource of ['', '/balcony']) {
          for (const rule of reporting) texts.push(await answer(tybalt, hidden, `${hidden.jid}${resource}`, rule));
        }
        seen.set(name, texts);
      }
      const [unknown, blocked] = [...seen.values()];
      expect(blocked).to.deep.equal(unknown);
    });

    it('name the outcome of the message', async () => {
      const { tybalt, juliet } = await stage.enter(['tybalt', 'juliet']);
      tybalt.sends(message(juliet.bare, ['notify deliver direct']));
      await tybalt.receives(report(tybalt, juliet.bare, 'notify deliver direct'));
    });
  });

  describe('in mode drop-only (D-24, D-27)', () => {
    const amp = {
      presencePrivacy: 'drop-only' as const,
      trusted: { jids: ['monitor@localhost'], domains: ['b.example'] },
    };
    const stage = new Stage({ domains: ['localhost', 'b.example'], settings: { limits: { disabled: true }, amp } });

    it('are refused to contacts, and sent to trusted senders and to the own account', async () => {
      const { romeo, balcony } = await together(stage);
      romeo.sends(message(balcony.jid, ['notify deliver direct']));
      await romeo.receives(refusal(romeo, 'invalid-rules', ['notify deliver direct']));
      romeo.sends(message(romeo.bare, ['alert deliver direct']));
      await romeo.receives(report(romeo, romeo.bare, 'alert deliver direct'));
      const trusted = await (await stage.account('nurse', 'b.example')).arrives();
      trusted.sends(message(balcony.jid, ['alert deliver direct']));
      expectTrees(await trusted.drains(), report(trusted, balcony.jid, 'alert deliver direct', 'localhost'));
      await hearsNothing(balcony);
    });
  });
});
