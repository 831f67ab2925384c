import { expect } from 'chai';
import { befriend, Stage } from '../support/conversation.ts';
import { expectTree, expectTrees, rawOf, type TestClient } from '../support/test-client.ts';
import { childOf, findTree } from '../support/xml-tree.ts';
import {
  amp,
  answersTo,
  apart,
  bodiesOf,
  hearsNothing,
  message,
  messagesOf,
  nextMessages,
  report,
  rule,
  stanzas,
  unavailable,
} from './amp-cast.ts';

const commands = 'http://jabber.org/protocol/commands';
const form = (target: string) =>
  `<x xmlns="jabber:x:data" type="submit"><field var="target"><value>${target}</value></field></x>`;
const run = (domain: string, attributes = '', content = '') =>
  `<iq type="set" to="${domain}"><command xmlns="${commands}" node="forward-messages"${attributes}>${content}</command></iq>`;

/** Has the client's messages forwarded, or no longer. */
async function forwards(client: TestClient, target: string): Promise<void> {
  const done = `<iq type="result"><command xmlns="${commands}" status="completed" sessionid="s"><note type="info">*</note></command></iq>`;
  await client.gets(run(client.domain, ' sessionid="s"', form(target)), done);
}

describe('Messages that are forwarded (XEP-0079 §3.3.1)', () => {
  const stage = new Stage();

  /** Romeo; Juliet, whose messages go to the nurse; and the nurse. */
  async function household() {
    const { romeo, juliet } = await apart(stage);
    const nurse = await stage.account('nurse');
    const balcony = await juliet.arrives({ resource: 'balcony' });
    await forwards(balcony, nurse.jid);
    await romeo.drains();
    return { romeo, juliet, balcony, nurse };
  }

  it('go to the other address instead, whether their owner is there or not', async () => {
    const { romeo, juliet, balcony, nurse } = await household();
    const kitchen = await nurse.arrives();
    for (const to of [juliet.jid, balcony.jid]) {
      for (const type of ['chat', 'normal']) {
        romeo.sends(`<message to="${to}" type="${type}"><body>x</body></message>`);
        await kitchen.receives(
          `<message from="${romeo.jid}" to="${nurse.jid}" type="${type}"><body>x</body></message>`,
        );
      }
    }
    await hearsNothing(balcony);
    await forwards(balcony, '');
    romeo.sends(`<message to="${juliet.jid}" type="chat"><body>y</body></message>`);
    expect(bodiesOf(await nextMessages(balcony, 1))).to.deep.equal(['y']);
    await hearsNothing(kitchen);
  });

  it('are stored there, also after a restart', async () => {
    const { juliet, nurse } = await household();
    await stage.server.restart();
    const tybalt = await (await stage.account('tybalt')).arrives();
    await answersTo(tybalt, `<message to="${juliet.jid}" type="chat"><body>x</body></message>`);
    expect(bodiesOf((await nurse.arrives()).arrival)).to.deep.equal(['x']);
  });

  for (const action of ['alert', 'error', 'drop', 'notify']) {
    it(`by rules: ${action} (D-4, N-25)`, async () => {
      const { romeo, juliet, nurse } = await household();
      const words = `${action} deliver forward`;
      const found = await answersTo(romeo, message(juliet.jid, [words]));
      expectTrees(found, ...(action === 'drop' ? [] : [report(romeo, juliet.jid, words)]));
      const bodies = bodiesOf((await nurse.arrives()).arrival);
      expect(bodies).to.deep.equal(action === 'notify' ? ['Good morrow'] : []);
    });
  }

  it('carry on only the rules that do not report: nothing is told of where they went', async () => {
    const { romeo, juliet, nurse } = await household();
    const words = ['notify deliver stored', 'drop deliver gateway', 'alert deliver direct', 'notify deliver none'];
    expect(await answersTo(romeo, message(juliet.jid, words))).to.deep.equal([]);
    const [arrived] = messagesOf((await nurse.arrives()).arrival);
    if (!arrived) expect.fail();
    const silent = `<amp xmlns="${amp}" from="${romeo.jid}" to="${juliet.jid}">${rule('drop deliver gateway')}</amp>`;
    expectTree(
      arrived,
      `<message from="${romeo.jid}" to="${nurse.jid}"><body>Good morrow</body>${silent}...</message>`,
    );
    romeo.sends(message(juliet.jid, ['drop deliver direct']));
    await hearsNothing(romeo);
  });

  it('are judged again where they come to, by the rules that are left', async () => {
    const { romeo, juliet, nurse } = await household();
    await answersTo(romeo, message(juliet.jid, ['drop deliver stored']));
    expect(bodiesOf((await nurse.arrives()).arrival)).to.deep.equal([]);
  });

  it('do not give away where they went when they get lost there', async () => {
    const { romeo, balcony } = await household();
    await forwards(balcony, `nobody@${stage.domain}`);
    romeo.sends(message(balcony.jid, ['drop deliver gateway']));
    expectTrees(messagesOf(await romeo.drains()), unavailable(romeo, balcony.jid));
  });

  it('do not go round in circles', async () => {
    const cast = await stage.enter(['gregory', 'sampson', 'abram']);
    const { gregory, sampson, abram } = cast;
    for (const [one, next] of [
      [gregory, sampson],
      [sampson, abram],
      [abram, gregory],
    ] as const) {
      await forwards(one, next.bare);
      await befriend(one, next);
    }
    abram.sends(message(gregory.bare, ['notify deliver forward']));
    expectTrees(messagesOf(await abram.drains()), report(abram, gregory.bare, 'notify deliver forward'));
    // Back at the first one it stays there.
    const arrived = `<message from="${abram.jid}" to="${gregory.bare}"><body>Good morrow</body></message>`;
    expectTrees(messagesOf(await gregory.drains()), arrived);
    await hearsNothing(sampson);
  });

  it('are not those of other types', async () => {
    const { romeo, juliet, balcony, nurse } = await household();
    const kitchen = await nurse.arrives();
    romeo.sends(`<message to="${juliet.jid}" type="headline"><body>x</body></message>`);
    expect(bodiesOf(await nextMessages(balcony, 1))).to.deep.equal(['x']);
    await hearsNothing(kitchen);
  });
});

describe('The command to forward messages (XEP-0050)', () => {
  const stage = new Stage({ settings: { registration: { invitations: 'nobody' } } });

  it('is listed, described, asks and takes (XEP-0050 §2.1, §2.2, §3.2)', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const { domain } = stage;
    const items = `<query xmlns="http://jabber.org/protocol/disco#items" node="${commands}"`;
    await juliet.gets(
      `<iq type="get" to="${domain}">${items}/></iq>`,
      `<iq type="result">${items}><item jid="${domain}" node="forward-messages" name="*"/></query></iq>`,
    );
    const info = `<query xmlns="http://jabber.org/protocol/disco#info" node="forward-messages"`;
    await juliet.gets(
      `<iq type="get" to="${domain}">${info}/></iq>`,
      `<iq type="result">${info}><identity category="automation" type="command-node" name="*"/>...</query></iq>`,
    );
    const asked = await juliet.asks(run(domain, ' action="execute"'));
    const command = childOf(asked, 'command');
    expect(command?.attributes.get('status')).to.equal('executing');
    expect(findTree(asked, 'field')?.attributes.get('var')).to.equal('target');
    const id = command?.attributes.get('sessionid');
    const done = await juliet.asks(run(domain, ` sessionid="${id}" action="complete"`, form('nurse@localhost')));
    expectTree(
      done,
      `<iq type="result"><command xmlns="${commands}" status="completed" sessionid="${id}"><note type="info">*</note></command></iq>`,
    );
    const again = await juliet.asks(run(domain));
    expect(findTree(again, 'value')?.text).to.equal('nurse@localhost');
  });

  it('can be cancelled, and refuses what makes no sense (XEP-0050 §3.5)', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const { domain } = stage;
    await juliet.gets(
      run(domain, ' action="cancel" sessionid="s"'),
      `<iq type="result"><command xmlns="${commands}" status="canceled"/></iq>`,
    );
    const refused = (condition: string) =>
      `<iq type="error"><error type="modify"><bad-request xmlns="${stanzas}"/><${condition} xmlns="${commands}"/></error></iq>`;
    await juliet.gets(run(domain, ' action="next"'), refused('bad-action'));
    for (const target of [juliet.bare, '@', 'a@b@c'])
      await juliet.gets(run(domain, '', form(target)), refused('bad-payload'));
    const unknown = run(domain).replace('forward-messages', 'self-destruct');
    await juliet.gets(
      unknown,
      `<iq type="error"><error type="cancel"><item-not-found xmlns="${stanzas}"/>...</error></iq>`,
    );
  });
});

describe('Without the command to forward messages', () => {
  const stage = new Stage({
    settings: { forwarding: { userCommand: false }, registration: { invitations: 'nobody' } },
  });

  it('there is nothing to find and nothing to run', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const { domain } = stage;
    const about = (node: string) => `<query xmlns="http://jabber.org/protocol/disco#info"${node}/>`;
    const found = await juliet.asks(`<iq type="get" to="${domain}">${about('')}</iq>`);
    expect(rawOf(found)).to.include('http://jabber.org/protocol/amp').and.not.to.include(commands);
    const refused = (type: string, condition: string) =>
      `<iq type="error"><error type="${type}"><${condition} xmlns="${stanzas}"/>...</error></iq>`;
    const node = `<iq type="get" to="${domain}">${about(' node="forward-messages"')}</iq>`;
    await juliet.gets(node, refused('cancel', 'item-not-found'));
    await juliet.gets(run(domain, '', form('nurse@localhost')), refused('cancel', 'service-unavailable'));
  });
});
