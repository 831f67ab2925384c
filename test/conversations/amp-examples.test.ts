import { expect } from 'chai';
import { befriend, Stage } from '../support/conversation.ts';
import { expectTree, expectTrees, type TestClient } from '../support/test-client.ts';
import { childOf, findTree, type Tree } from '../support/xml-tree.ts';
import {
  amp,
  bodiesOf,
  hearsNothing,
  message,
  messagesOf,
  nextMessages,
  refusal,
  report,
  rule,
  rules,
  stanzas,
} from './amp-cast.ts';

const discoInfo = 'http://jabber.org/protocol/disco#info';
const words = ['alert', 'drop', 'error', 'notify'].map((action) => `${amp}?action=${action}`);
const conditions = ['deliver', 'expire-at', 'match-resource'].map((condition) => `${amp}?condition=${condition}`);

function featuresOf(answer: Tree): string[] {
  const query = childOf(answer, 'query');
  const features = query?.children.filter(({ name }) => name === 'feature') ?? [];
  return features.map(({ attributes }) => attributes.get('var') ?? '').filter((name) => name.startsWith(amp));
}

describe('Discovering AMP (XEP-0079 §2.1.1, §8)', () => {
  const stage = new Stage();
  const asks = (client: TestClient, node = '') =>
    client.asks(`<iq type="get" to="${stage.domain}"><query xmlns="${discoInfo}"${node}/></iq>`);

  it('examples 1 and 2: the domain lists the feature, and all others for some clients (D-47, N-4)', async () => {
    const { northumberland } = await stage.enter(['northumberland']);
    const answer = await asks(northumberland);
    expect(featuresOf(answer)).to.have.members([amp, ...words, ...conditions]);
  });

  it('examples 3 and 4: the node has an identity, and lists every action and condition (D-48, N-5, N-6, N-8, N-50)', async () => {
    const { northumberland } = await stage.enter(['northumberland']);
    const answer = await asks(northumberland, ` node="${amp}"`);
    expectTree(
      answer,
      `<iq type="result" from="${stage.domain}"><query xmlns="${discoInfo}" node="${amp}"><identity category="im" type="server" name="*"/>...</query></iq>`,
    );
    expect(featuresOf(answer)).to.have.members([amp, ...words, ...conditions]);
  });

  it('an unknown node is not found (XEP-0030 §7)', async () => {
    const { northumberland } = await stage.enter(['northumberland']);
    const answer = await asks(northumberland, ` node="${amp}#x"`);
    expect(answer.attributes.get('type')).to.equal('error');
  });

  it('example 26: the stream features list it after authentication (D-49, N-42)', async () => {
    const account = await stage.account('northumberland');
    const client = await stage.client();
    const before = await client.opens();
    expect(findTree(before, 'amp')).to.equal(undefined);
    const after = await client.authenticates({ username: account.local, password: account.password });
    expect(findTree(after, 'amp')?.ns).to.equal('http://jabber.org/features/amp');
  });
});

describe('Disabled parts of AMP', () => {
  describe('a single action or condition (D-50)', () => {
    const settings = {
      limits: { disabled: true },
      amp: { disabledActions: ['alert' as const], disabledConditions: ['match-resource' as const] },
    };
    const stage = new Stage({ settings });

    it('is neither advertised nor known', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const answer = await romeo.asks(`<iq type="get" to="${stage.domain}"><query xmlns="${discoInfo}"/></iq>`);
      expect(featuresOf(answer)).to.not.include.members([`${amp}?action=alert`]);
      expect(featuresOf(answer)).to.have.length(6);
      romeo.sends(message(romeo.bare, ['alert deliver direct']));
      await romeo.receives(refusal(romeo, 'unsupported-actions', ['alert deliver direct']));
      romeo.sends(message(romeo.bare, ['drop match-resource other']));
      await romeo.receives(refusal(romeo, 'unsupported-conditions', ['drop match-resource other']));
    });
  });

  describe('all of it', () => {
    const stage = new Stage({ settings: { limits: { disabled: true }, amp: { enabled: false } } });

    it('leave messages with rules unchanged', async () => {
      const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
      expect(romeo.features && findTree(romeo.features, 'amp')).to.equal(undefined);
      const answer = await romeo.asks(`<iq type="get" to="${stage.domain}"><query xmlns="${discoInfo}"/></iq>`);
      expect(featuresOf(answer)).to.deep.equal([]);
      romeo.sends(message(juliet.jid, ['drop deliver direct']));
      await juliet.receives(`<message><body>Good morrow</body>${rules('drop deliver direct')}</message>`, {
        strict: false,
      });
      await hearsNothing(romeo);
    });
  });
});

describe('The examples of XEP-0079', () => {
  const stage = new Stage({ domains: ['hamlet.lit'] });

  /** Bernardo online at his castle; Francisco lets him see his presence. */
  async function watch() {
    const bernardo = await (await stage.account('bernardo')).arrives({ resource: 'elsinore' });
    const francisco = await stage.account('francisco');
    const pda = await francisco.arrives({ resource: 'pda' });
    await befriend(bernardo, pda);
    return { bernardo, francisco, pda };
  }

  async function watchAlone() {
    const { bernardo, francisco, pda } = await watch();
    await pda.closes();
    await bernardo.drains();
    return { bernardo, francisco };
  }

  const chatty = (to: string, action: string) =>
    `<message to="${to}" type="chat" id="m1"><body>Who&apos;s there?</body>${rules(`${action} deliver stored`)}</message>`;

  for (const [number, perHop] of [
    [5, ''],
    [6, ' per-hop="true"'],
  ] as const) {
    it(`example ${number}: a message that expired long ago is dropped (N-9, N-10)`, async () => {
      const { bernardo, francisco, pda } = await watch();
      const past = rules('drop expire-at 2004-01-01T00:00:00Z').replace('<amp', `<amp${perHop}`);
      bernardo.sends(`<message id="richard2-4.1.247" to="${francisco.jid}"><body>My lord</body>${past}</message>`);
      await hearsNothing(bernardo);
      await hearsNothing(pda);
    });
  }

  for (const [number, action] of [
    [7, 'alert'],
    [8, 'error'],
    [9, 'notify'],
  ] as const) {
    it(`example ${number}: ${action} about a message that is stored`, async () => {
      const { bernardo, francisco } = await watchAlone();
      bernardo.sends(chatty(francisco.jid, action));
      await bernardo.receives(report(bernardo, francisco.jid, `${action} deliver stored`), { strict: true });
      await hearsNothing(bernardo);
    });
  }

  const ibb = `<data xmlns="http://jabber.org/protocol/ibb" sid="mySID" seq="0">qANQR1DB</data>`;
  const reliable = (to: string) =>
    `<message to="${to}" id="m1">${ibb}<amp xmlns="${amp}" per-hop="true">` +
    `${rule('error expire-at 2999-09-10T08:33:14Z')}${rule('error match-resource other')}</amp></message>`;

  it('example 10: reliable data arrive at the intended resource (XEP-0079 §5.1)', async () => {
    const { bernardo, pda } = await watch();
    bernardo.sends(reliable(pda.jid));
    const [arrived] = await nextMessages(pda, 1);
    expect(arrived && childOf(arrived, 'data')?.text).to.equal('qANQR1DB');
    expect(arrived && childOf(arrived, 'amp')?.attributes.get('from')).to.equal(bernardo.jid);
    await hearsNothing(bernardo);
  });

  for (const rest of ['another is there', 'nobody is there']) {
    it(`example 11: they do not go to another resource: ${rest} (XEP-0079 §5.1)`, async () => {
      const { bernardo, francisco, pda } = await watch();
      const { jid } = pda;
      const home = rest === 'nobody is there' ? undefined : await francisco.arrives({ resource: 'home' });
      await pda.drains();
      await pda.closes();
      await home?.drains();
      await bernardo.drains();
      bernardo.sends(reliable(jid));
      await bernardo.receives(report(bernardo, jid, 'error match-resource other'), { strict: true });
      await hearsNothing(bernardo);
      if (home) await hearsNothing(home);
    });
  }

  it('example 12: a time-sensitive message is delivered in time (XEP-0079 §5.2)', async () => {
    const { bernardo, francisco, pda } = await watch();
    const subject = '<subject>Guest Alert!</subject><body>There will be clients</body>';
    const expiry = rules('drop expire-at 2999-06-23T23:00:00Z');
    bernardo.sends(`<message to="${francisco.jid}" id="alert849">${subject}${expiry}</message>`);
    expect(bodiesOf(await nextMessages(pda, 1))).to.deep.equal(['There will be clients']);
  });

  it('example 13: a transient message is not stored (XEP-0079 §5.3)', async () => {
    const { bernardo, francisco } = await watchAlone();
    bernardo.sends(chatty(francisco.jid, 'drop'));
    await hearsNothing(bernardo);
    expect(bodiesOf((await francisco.arrives()).arrival)).to.deep.equal([]);
  });

  it('examples 14 and 15: a transient message is not stored, and its sender gets a report (XEP-0079 §5.3)', async () => {
    const { bernardo, francisco } = await watchAlone();
    bernardo.sends(chatty(francisco.jid, 'alert'));
    await bernardo.receives(report(bernardo, francisco.jid, 'alert deliver stored'), { strict: true });
    expect(bodiesOf((await francisco.arrives()).arrival)).to.deep.equal([]);
  });

  const past = '2004-01-01T00:00:00Z';
  const refused = [
    ['examples 16 and 17: an unsupported action', 'unsupported-actions', `explode expire-at ${past}`],
    ['examples 18 and 19: an unsupported condition', 'unsupported-conditions', `drop expires ${past}`],
    ['examples 20 and 21: a rule that is not acceptable', 'invalid-rules', 'drop expire-at yesterday'],
    ['two unknown words (D-17)', 'invalid-rules', `explode expires ${past}`],
  ] as const;
  for (const [name, offence, words] of refused) {
    it(`${name} (XEP-0079 §6.2)`, async () => {
      const { bernardo, francisco, pda } = await watch();
      bernardo.sends(message(francisco.jid, [words]));
      await bernardo.receives(refusal(bernardo, offence, [words]), { strict: true });
      await hearsNothing(bernardo);
      await hearsNothing(pda);
    });
  }

  it('examples 24 and 25: a rule that asks for an error gets one (XEP-0079 §6.2.5)', async () => {
    const { bernardo, francisco } = await watchAlone();
    bernardo.sends(chatty(francisco.jid, 'error'));
    await bernardo.receives(report(bernardo, francisco.jid, 'error deliver stored'), { strict: true });
  });

  describe('malformed requests', () => {
    const good = rule('drop deliver stored');
    const malformed = [
      ['without an id (N-1)', rules('drop deliver stored'), ''],
      ['with an empty id (N-1)', rules('drop deliver stored'), ' id=""'],
      ['without rules (N-35)', `<amp xmlns="${amp}"/>`, ' id="m1"'],
      ['with two rulesets (D-1)', rules('drop deliver stored') + rules('drop deliver none'), ' id="m1"'],
      ['with an unknown per-hop (D-18)', `<amp xmlns="${amp}" per-hop="maybe">${good}</amp>`, ' id="m1"'],
    ] as const;
    for (const [name, content, id] of malformed) {
      it(`are refused: ${name}`, async () => {
        const { bernardo, francisco, pda } = await watch();
        bernardo.sends(`<message to="${francisco.jid}"${id}><body>x</body>${content}</message>`);
        const [answer] = messagesOf(await bernardo.drains());
        if (!answer) expect.fail();
        expectTree(
          answer,
          `<message from="hamlet.lit" to="${bernardo.jid}" type="error"><amp xmlns="${amp}" status="{none}" from="{none}" to="{none}">...</amp><error type="modify" code="400"><bad-request xmlns="${stanzas}"/></error></message>`,
        );
        await hearsNothing(pda);
      });
    }

    it('are refused: with a rule that lacks an attribute (N-39)', async () => {
      const { bernardo, francisco } = await watch();
      for (const missing of ['action', 'condition', 'value']) {
        const faulty = good.replace(new RegExp(` ${missing}="[^"]*"`), '');
        bernardo.sends(`<message to="${francisco.jid}" id="m1"><amp xmlns="${amp}">${faulty}</amp></message>`);
        const list = `<invalid-rules xmlns="${amp}">${faulty}</invalid-rules>`;
        const error = `<error type="modify" code="405"><not-acceptable xmlns="${stanzas}"/>${list}</error>`;
        await bernardo.receives(
          `<message type="error" id="m1"><amp xmlns="${amp}">${faulty}</amp>${error}</message>`,
          {},
        );
      }
    });

    it('are refused: with too many rules, which are named (D-19)', async () => {
      const { bernardo, francisco } = await watch();
      const many = Array.from({ length: 21 }, () => 'drop deliver gateway');
      bernardo.sends(message(francisco.jid, many.slice(1)));
      await hearsNothing(bernardo);
      bernardo.sends(message(francisco.jid, many));
      expectTrees(messagesOf(await bernardo.drains()), refusal(bernardo, 'invalid-rules', many, many.slice(20)));
    });
  });
});
