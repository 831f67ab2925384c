import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { expectTrees, rawOf } from '../support/test-client.ts';
import { TestComponent } from '../support/test-component.ts';
import { childOf } from '../support/xml-tree.ts';
import {
  amp,
  hearsNothing,
  message,
  messagesOf,
  refusal,
  report,
  rule,
  rules,
  stanzas,
  unavailable,
} from './amp-cast.ts';

const secret = 'what only the component knows';

describe('AMP and components (XEP-0114)', () => {
  const clock = new ManualClock();
  const stage = new Stage({
    clock,
    settings: {
      components: { 'patient.localhost': { secret, whileAway: 'queue', gateway: false } },
      limits: { disabled: true, c2s: { writeStallSeconds: 86_400, idlePingAfterSeconds: 86_400 } },
    },
  });
  const inMs = (ms: number) => new Date(clock.nowMs() + ms).toISOString();

  async function arrives(): Promise<TestComponent> {
    const component = await TestComponent.to(stage.server.components, 'patient.localhost', 'localhost');
    stage.keep(component);
    return component.joins(secret);
  }

  it('a message that waits for a disconnected component can expire, and is direct only when it arrives (D-12, plan table row 22)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const to = 'patient.localhost';
    const expired = `alert expire-at ${inMs(30_000)}`;
    romeo.sends(message(to, [`drop expire-at ${inMs(30_000)}`]));
    romeo.sends(message(to, [expired]));
    romeo.sends(message(to, [`drop expire-at ${inMs(30_001)}`, 'notify deliver direct'], { body: 'in time' }));
    await hearsNothing(romeo);
    clock.advance(30_000);
    const patient = await arrives();
    const bodies = messagesOf(await patient.drains()).map((tree) => childOf(tree, 'body')?.text);
    expect(bodies).to.deep.equal(['in time']);
    const told = messagesOf(await romeo.drains());
    expectTrees(told, report(romeo, to, expired), report(romeo, to, 'notify deliver direct'));
    clock.advance(1000);
    await patient.drains();
  });

  it('a component can send rules, too: it is a stranger, and no reply is in the name of another server (D-26, N-9)', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const patient = await arrives();
    const from = 'bot@patient.localhost/x';
    const sends = (to: string, words: string) =>
      patient.sends(`<message from="${from}" to="${to}" id="m1"><body>x</body>${rules(words)}</message>`);
    const refused = (by: string, kind: 'invalid-rules' | 'unsupported-actions', words: string) =>
      refusal(juliet, kind, [words]).replace(`from="${juliet.domain}"`, `from="${by}"`).replace(juliet.jid, from);
    sends(juliet.jid, 'notify deliver direct');
    sends(juliet.bare, 'whisper deliver direct');
    sends('benvolio@unknown.example', 'whisper deliver direct');
    expect(messagesOf(await patient.drains()).map(rawOf)).to.deep.equal([
      refused('localhost', 'invalid-rules', 'notify deliver direct'),
      refused('localhost', 'unsupported-actions', 'whisper deliver direct'),
      refused('patient.localhost', 'unsupported-actions', 'whisper deliver direct'),
    ]);
    await hearsNothing(juliet);
  });
});

describe('AMP on a server of several domains', () => {
  const stage = new Stage({ domains: ['montague.example', 'capulet.example'] });

  it('the recipient’s domain answers, whatever handles the message there (plan table rows 1 and 27)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    for (const to of ['capulet.example', 'nobody@capulet.example', 'capulet.example/desk']) {
      const isDomain = !to.includes('@');
      romeo.sends(message(to, ['drop deliver stored', 'error deliver gateway', 'drop deliver none'].slice(0, 2)));
      const answers = messagesOf(await romeo.drains());
      if (isDomain) expectTrees(answers, unavailable(romeo, to));
      else expectTrees(answers, refusedBy('capulet.example', ['drop deliver stored', 'error deliver gateway']));
      if (!isDomain) continue;
      romeo.sends(message(to, ['notify deliver none', 'notify match-resource any']));
      const told = report(romeo, to, 'notify deliver none', 'capulet.example');
      expectTrees(messagesOf(await romeo.drains()), told, unavailable(romeo, to));
      romeo.sends(message(to, ['whisper deliver none']));
      expectTrees(messagesOf(await romeo.drains()), unsupportedBy('capulet.example', 'whisper deliver none'));
    }

    function refusedBy(by: string, words: readonly string[]): string {
      const faulty = words.filter((each) => !each.startsWith('drop'));
      return refusal(romeo, 'invalid-rules', words, faulty).replace(`from="${romeo.domain}"`, `from="${by}"`);
    }

    function unsupportedBy(by: string, words: string): string {
      return refusal(romeo, 'unsupported-actions', [words]).replace(`from="${romeo.domain}"`, `from="${by}"`);
    }
  });

  it('a repeated rule is two rules, and only one fires (D-3, N-18)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const twice = ['notify deliver none', 'notify deliver none', 'alert deliver none'];
    romeo.sends(message(romeo.bare.replace('romeo', 'rosaline'), ['drop deliver stored', 'drop deliver stored']));
    expect(messagesOf(await romeo.drains())).to.have.length(1);
    romeo.sends(message('capulet.example', twice));
    const told = report(romeo, 'capulet.example', 'notify deliver none', 'capulet.example');
    expectTrees(messagesOf(await romeo.drains()), told, unavailable(romeo, 'capulet.example'));
  });

  for (const type of ['chat', 'normal', 'headline', 'groupchat']) {
    it(`to the own account, every report is allowed, and the first rule that is met fires: ${type} (D-26, plan table row 16)`, async () => {
      const { romeo } = await stage.enter(['romeo']);
      const words = ['drop deliver stored', 'error match-resource other', 'alert deliver direct'];
      romeo.sends(message(romeo.jid, words, { type }));
      expectTrees(messagesOf(await romeo.drains()), report(romeo, romeo.jid, 'alert deliver direct'));
    });
  }

  it('an error with rules is handled like any error, without reports (D-1, D-21, plan table row 17)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const error = `<error type="cancel"><gone xmlns="${stanzas}"/></error>`;
    const inside = `<amp xmlns="${amp}">${rule('drop deliver direct')}${rule('whisper deliver direct')}</amp>${error}`;
    romeo.sends(`<message to="${romeo.jid}" type="error" id="m1">${inside}</message>`);
    expectTrees(
      messagesOf(await romeo.drains()),
      `<message from="${romeo.jid}" to="${romeo.jid}" type="error" id="m1">${inside}</message>`,
    );
  });
});
