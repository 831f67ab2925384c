import { expect } from 'chai';
import { commands } from '../../src/extensions/commands.ts';
import { disco } from '../../src/extensions/disco/disco.ts';
import type { DataForm } from '../../src/protocol/data-form.ts';
import type { Jid } from '../../src/protocol/jid.ts';
import { badPayload, type CommandStage, command, users } from '../../src/routing/command.ts';
import { CommandDispatcher } from '../../src/routing/command-dispatcher.ts';
import type { Extension, LocalIqEnds } from '../../src/routing/extension.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench } from './bench.ts';

const ns = 'http://jabber.org/protocol/commands';
const question = (name: string): DataForm => ({ type: 'form', fields: [{ var: name, type: 'text-single' }] });

/** Asks for a name, then for a color, and says both. */
const paint = command({
  node: 'paint',
  name: 'Paint',
  audience: users,
  start: () => {
    const color = (name: string): CommandStage => ({
      form: question('color'),
      isLast: true,
      previous: () => first,
      submit: (form) => {
        const chosen = form.text('color');
        if (!chosen) throw badPayload();
        return { note: { type: 'info', text: `${name} is ${chosen}` } };
      },
    });
    const first: CommandStage = { form: question('name'), submit: (form) => color(form.text('name') ?? '') };
    return first;
  },
});

/** Ends at once; for the Romeos. */
const count = command<LocalIqEnds, Jid>({
  node: 'count',
  name: 'Count',
  audience: { name: 'Romeos', member: async ({ from }) => (from.local.startsWith('romeo') ? from : undefined) },
  start: async (romeo) => ({ form: { type: 'result', fields: [{ var: 'of', values: [romeo.local] }] } }),
});

describe('Ad-Hoc Commands (XEP-0050)', () => {
  const bench = new Bench(({ clock }) => {
    const all: Extension[] = [commands(() => [paint, count], clock)];
    const name = 'Ampere';
    const advertisements = () => all.flatMap((extension) => extension.disco ?? []);
    all.push(disco({ name, homepage: 'https://ampere.example', advertisements, services: () => [] }));
    return { extensions: all };
  });
  let juliet: StubSession;
  beforeEach(async () => {
    juliet = await bench.user('juliet');
  });

  const run = (node: string, attributes = '', content = '') =>
    `<iq type='set' id='c' to='localhost'><command xmlns='${ns}' node='${node}' ${attributes}>${content}</command></iq>`;
  const form = (name: string, value: string) =>
    `<x xmlns='jabber:x:data' type='submit'><field var='${name}'><value>${value}</value></field></x>`;
  const asks = async (stanza: string, session = juliet) => (await bench.asks(session, stanza))[0] ?? expect.fail();
  const query = (kind: string, node: string) =>
    `<iq type='get' id='d' to='localhost'><query xmlns='http://jabber.org/protocol/disco#${kind}' node='${node}'/></iq>`;
  const idIn = (answer: string) => /sessionid="(.*?)"/.exec(answer)?.[1] ?? expect.fail(answer);
  const starts = async (session = juliet) => idIn(await asks(run('paint'), session));
  const refused = (condition: string, extra: string) =>
    new RegExp(`type="error".*<${condition} .*<${extra} xmlns="${ns}"/>`);

  it('lists the commands that the requester may execute', async () => {
    const romeo = await bench.user('romeo');
    const item = (node: string, name: string) => `<item jid="localhost" node="${node}" name="${name}"/>`;
    expect(await asks(query('items', ns))).to.contain(`>${item('paint', 'Paint')}</query>`);
    const both = `>${item('paint', 'Paint')}${item('count', 'Count')}</query>`;
    expect(await asks(query('items', ns), romeo)).to.contain(both);
  });

  it('describes the list and each command', async () => {
    expect(await asks(query('info', ns))).to.contain('<identity category="automation" type="command-list"/>');
    const described = '<identity category="automation" type="command-node" name="Paint"/>';
    expect(await asks(query('info', 'paint')))
      .to.contain(described)
      .and.contain(`<feature var="${ns}"/><feature var="jabber:x:data"/>`);
  });

  it('completes a command without stages at once', async () => {
    const answer = await asks(run('count'), await bench.user('romeo'));
    expect(answer).to.match(
      / status="completed"><x xmlns="jabber:x:data" type="result"><field var="of"><value>romeo\d+</,
    );
  });

  it('refuses requesters outside the audience', async () => {
    const answer = await asks(run('count'));
    expect(answer).to.contain('type="auth"><forbidden').and.contain('the command is for Romeos');
  });

  it('does not know other commands', async () => {
    expect(await asks(run('sing'))).to.contain('<item-not-found');
  });

  it('goes from stage to stage, and back', async () => {
    const first = await asks(run('paint', "action='execute'"));
    expect(first).to.contain('status="executing"><actions execute="next"><next/></actions>').and.contain('var="name"');
    const id = idIn(first);
    const second = await asks(run('paint', `sessionid='${id}' action='next'`, form('name', 'rose')));
    expect(second)
      .to.contain(`sessionid="${id}" status="executing"><actions execute="complete"><prev/><complete/></actions>`)
      .and.contain('var="color"');
    expect(await asks(run('paint', `sessionid='${id}' action='prev'`))).to.contain('var="name"');
    await asks(run('paint', `sessionid='${id}'`, form('name', 'violet')));
    const last = await asks(run('paint', `sessionid='${id}' action='complete'`, form('color', 'blue')));
    expect(last).to.contain('status="completed"><note type="info">violet is blue</note></command>');
    expect(await asks(run('paint', `sessionid='${id}'`)), 'it is over').to.match(
      refused('bad-request', 'bad-sessionid'),
    );
  });

  it('takes only the actions that a stage offers', async () => {
    for (const action of ['next', 'prev', 'complete', 'cancel']) {
      expect(await asks(run('paint', `action='${action}'`)), action).to.match(refused('bad-request', 'bad-action'));
    }
    const id = await starts();
    for (const action of ['prev', 'complete']) {
      const answer = await asks(run('paint', `sessionid='${id}' action='${action}'`, form('name', 'rose')));
      expect(answer, action).to.match(refused('bad-request', 'bad-action'));
    }
    expect(await asks(run('paint', "action='dance'"))).to.match(refused('bad-request', 'malformed-action'));
  });

  it('lets the requester correct a form', async () => {
    const id = await starts();
    expect(await asks(run('paint', `sessionid='${id}'`))).to.match(refused('bad-request', 'bad-payload'));
    await asks(run('paint', `sessionid='${id}'`, form('name', 'rose')));
    const wrong = await asks(run('paint', `sessionid='${id}'`, form('color', '')));
    expect(wrong).to.match(refused('bad-request', 'bad-payload'));
    expect(await asks(run('paint', `sessionid='${id}'`, form('color', 'red')))).to.contain('rose is red');
  });

  it('forgets a command that is cancelled', async () => {
    const id = await starts();
    const cancelled = await asks(run('paint', `sessionid='${id}' action='cancel'`));
    expect(cancelled).to.contain(`<command xmlns="${ns}" node="paint" sessionid="${id}" status="canceled"/>`);
    expect(await asks(run('paint', `sessionid='${id}'`))).to.match(refused('bad-request', 'bad-sessionid'));
  });

  it('keeps the session of one requester from another', async () => {
    const id = await starts();
    const other = await bench.session(juliet.account, 'elsewhere');
    const stolen = await asks(run('paint', `sessionid='${id}'`, form('name', 'rose')), other);
    expect(stolen).to.match(refused('bad-request', 'bad-sessionid'));
    expect(await asks(run('paint', `sessionid='${id}'`, form('name', 'rose')))).to.contain('var="color"');
  });

  it('lets a session expire', async () => {
    const [id, later] = [await starts(), await starts()];
    bench.clock.advance(10 * 60_000);
    expect(await asks(run('paint', `sessionid='${later}'`, form('name', 'rose')))).to.contain('var="color"');
    bench.clock.advance(1);
    const late = await asks(run('paint', `sessionid='${id}'`, form('name', 'rose')));
    expect(late).to.match(refused('not-allowed', 'session-expired'));
  });

  it('keeps ten sessions of an account, the youngest', async () => {
    const romeo = await bench.user('romeo');
    const ids: string[] = [];
    for (let started = 0; started < 11; started++) ids.push(await starts());
    const kept = await starts(romeo);
    const answers: string[] = [];
    for (const id of ids.slice(0, 2)) answers.push(await asks(run('paint', `sessionid='${id}'`, form('name', 'rose'))));
    expect(answers[0]).to.match(refused('bad-request', 'bad-sessionid'));
    expect(answers[1]).to.contain('var="color"');
    expect(await asks(run('paint', `sessionid='${kept}'`, form('name', 'rose')), romeo)).to.contain('var="color"');
  });

  it('has one command for each node', () => {
    expect(() => new CommandDispatcher<LocalIqEnds>(() => [paint, paint], bench.clock)).to.throw(
      'two commands have the same node',
    );
  });
});
