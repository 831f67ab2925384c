import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { administrationCommands } from '../../src/web/administration/administration-commands.ts';
import { listAdministrations } from '../../src/web/control/audit.ts';
import { FederatedServer } from '../support/federated-server.ts';
import type { TestClient } from '../support/test-client.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';

const admin = 'http://jabber.org/protocol/admin';
const domain = 'verona.example';
const standardCommands = administrationCommands({
  administrators: () => [`escalus@${domain}`],
  access: { for: () => undefined },
})()
  .map(({ node }) => node)
  .filter((node) => node.startsWith(admin))
  .map((node) => node.slice(admin.length + 1));

describe('Administration with ad-hoc commands (XEP-0133)', () => {
  let server: FederatedServer;
  let escalus: TestClient;
  let romeo: TestClient;
  before(async () => {
    const more = { administrators: [`escalus@${domain}`] };
    [server] = (await FederatedServer.startAll([domain], 'dialback', { more })) as [FederatedServer];
    escalus = await server.arrives('escalus');
    romeo = await server.arrives('romeo');
  });
  after(() => server.stop());

  const commandXml = (name: string, content = '', action = 'execute') =>
    `<iq type="set" to="${domain}"><command xmlns="http://jabber.org/protocol/commands" node="${admin}#${name}" action="${action}">${content}</command></iq>`;
  const formXml = (fields: Readonly<Record<string, string | readonly string[]>>) => {
    const written = Object.entries(fields).map(([name, values]) => {
      const each = [values].flat().map((value) => `<value>${value}</value>`);
      return `<field var="${name}">${each.join('')}</field>`;
    });
    const type = `<field var="FORM_TYPE" type="hidden"><value>${admin}</value></field>`;
    return `<x xmlns="jabber:x:data" type="submit">${type}${written.join('')}</x>`;
  };
  /** The note of a completed command, or the values of its result. */
  const outcomeOf = (answer: Tree): readonly string[] => {
    const command = childOf(answer, 'command');
    expect(command?.attributes.get('status'), answer.raw).to.equal('completed');
    const note = command && childOf(command, 'note');
    const form = command && childOf(command, 'x');
    if (note) return [note.attributes.get('type') ?? '', ...note.text.split('\n')];
    const fields = form?.children.filter(
      (field) => field.name === 'field' && field.attributes.get('var') !== 'FORM_TYPE',
    );
    return (fields ?? []).flatMap((field) => field.children.map(({ text }) => text));
  };
  const does = async (name: string, fields?: Readonly<Record<string, string | readonly string[]>>) =>
    outcomeOf(await escalus.asks(commandXml(name, fields && formXml(fields), fields ? 'complete' : 'execute')));

  /** The same for a command that sends something to everybody who is online. */
  const says = async (name: string, fields: Readonly<Record<string, string | readonly string[]>>) => {
    escalus.sends(commandXml(name, formXml(fields), 'complete').replace('<iq', '<iq id="a"'));
    const got = await escalus.receivesInAnyOrder(
      '<message type="headline">...</message>',
      '<iq id="a" type="result">...</iq>',
    );
    return outcomeOf(got.find((tree) => tree.name === 'iq') as Tree);
  };

  it('is offered to administrators alone', async () => {
    const items = `<iq type="get" to="${domain}"><query xmlns="http://jabber.org/protocol/disco#items" node="http://jabber.org/protocol/commands"/></iq>`;
    const nodesFor = async (client: TestClient) => {
      const query = childOf(await client.asks(items), 'query');
      const nodes = query?.children.map(({ attributes }) => attributes.get('node') ?? '') ?? [];
      return nodes.filter((node) => node.startsWith(admin)).length;
    };
    expect(await nodesFor(escalus)).to.equal(standardCommands.length);
    expect(await nodesFor(romeo)).to.equal(0);
    await romeo.gets(commandXml('get-online-users-num'), '<iq type="error"><error type="auth">...</error></iq>');
  });

  it('asks with a form of the specification', async () => {
    const answer = await escalus.asks(commandXml('add-user'));
    const form = childOf(childOf(answer, 'command') as Tree, 'x') as Tree;
    const names = form.children.flatMap(({ attributes }) => attributes.get('var') ?? []);
    expect(names).to.deep.equal(['FORM_TYPE', 'accountjid', 'password', 'password-verify']);
  });

  it('adds, changes, suspends, resumes and removes users', async () => {
    const tybalt = `tybalt@${domain}`;
    const account = { accountjid: tybalt, password: 'pw' };
    expect(await does('add-user', { ...account, 'password-verify': 'wp' })).to.deep.equal([
      'error',
      'The passwords differ.',
    ]);
    expect(await does('add-user', { ...account, 'password-verify': 'pw' })).to.deep.equal([
      'info',
      `${tybalt} was added.`,
    ]);
    expect(await does('add-user', { ...account, 'password-verify': 'pw' })).to.deep.equal([
      'error',
      `${tybalt} already exists.`,
    ]);
    expect(await does('get-registered-users-list')).to.have.members(
      ['escalus', 'romeo', 'tybalt'].map((name) => `${name}@${domain}`),
    );
    expect(await does('get-registered-users-num')).to.deep.equal(['3']);
    expect(await does('change-user-password', { accountjid: tybalt, password: 'other' })).to.deep.equal([
      'info',
      `The password of ${tybalt} was changed.`,
    ]);
    const both = { accountjids: [tybalt, `nobody@${domain}`] };
    expect(await does('disable-user', both)).to.deep.equal([
      'info',
      `${tybalt} is suspended.`,
      `There is no account nobody@${domain}.`,
    ]);
    expect(await does('get-disabled-users-list')).to.deep.equal([tybalt]);
    expect(await does('get-disabled-users-num')).to.deep.equal(['1']);
    expect(await does('reenable-user', { accountjids: tybalt })).to.deep.equal(['info', `${tybalt} may log in again.`]);
    expect(await does('delete-user', { accountjids: tybalt })).to.deep.equal(['info', `${tybalt} was removed.`]);
    expect(await does('get-registered-users-num')).to.deep.equal(['2']);
  });

  it('lists who is online, announces and disconnects', async () => {
    expect(await does('get-online-users-list')).to.have.members([`escalus@${domain}`, `romeo@${domain}`]);
    expect(await does('get-online-users-num')).to.deep.equal(['2']);
    expect(await says('announce', { announcement: ['Peace,', 'ho!'] })).to.deep.equal(['info', 'It was announced.']);
    await romeo.receives(`<message from="${domain}" type="headline"><body>Peace,\nho!</body></message>`);
    const set = ['info', 'Users who are online get it now, the others when they come online.'];
    expect(await says('set-motd', { motd: 'Curfew' })).to.deep.equal(set);
    await romeo.receives(`<message from="${domain}" type="headline"><body>Curfew</body></message>`);
    expect(await does('delete-motd')).to.deep.equal(['info', 'It was removed.']);
    expect(await does('delete-motd')).to.deep.equal(['error', `${domain} has no notice.`]);
    expect(await does('end-user-session', { accountjids: `romeo@${domain}` })).to.deep.equal([
      'info',
      `romeo@${domain} was disconnected.`,
    ]);
    await romeo.receivesStreamError('policy-violation');
  });

  it('edits what users get when they come online, and what new users get', async () => {
    const shown = async (name: string) => {
      const answer = await escalus.asks(commandXml(name));
      const form = childOf(childOf(answer, 'command') as Tree, 'x') as Tree;
      return form.children.slice(2).flatMap(({ children }) => children.filter((one) => one.name === 'value'));
    };
    const values = async (name: string) => (await shown(name)).map(({ text }) => text);
    await says('set-motd', { motd: ['Curfew', 'at ten'] });
    expect(await values('edit-motd')).to.deep.equal(['Curfew', 'at ten']);
    await says('edit-motd', { motd: 'No curfew' });
    expect(await values('edit-motd')).to.deep.equal(['No curfew']);
    await does('delete-motd');
    expect(await does('set-welcome', { welcome: 'Welcome to Verona' })).to.deep.equal([
      'info',
      'New users get it when they come online.',
    ]);
    expect(await values('set-welcome')).to.deep.equal(['Welcome to Verona']);
    const benvolio = await server.arrives('benvolio');
    const isWelcome = (client: TestClient) =>
      client.arrival.filter(({ raw }) => raw.includes('Welcome to Verona')).length;
    expect(isWelcome(benvolio) + (await benvolio.drains()).length).to.equal(1);
    await benvolio.closes();
    const again = await server.logsIn('benvolio');
    expect(isWelcome(again)).to.equal(0);
    await again.closes();
    expect(await does('delete-welcome')).to.deep.equal(['info', 'It was removed.']);
    expect(await does('delete-welcome')).to.deep.equal(['error', `${domain} has no welcome.`]);
  });

  it('shows a user: contacts, last login and sessions', async () => {
    const mercutio = await server.arrives('mercutio');
    const jid = `mercutio@${domain}`;
    await mercutio.asks(
      `<iq type="set"><query xmlns="jabber:iq:roster"><item jid="romeo@${domain}" name="Romeo"/></query></iq>`,
    );
    expect(await does('get-user-roster', { accountjid: jid })).to.deep.equal([jid, `romeo@${domain} (none) Romeo`]);
    const [, addresses, contacts, resource] = await does('get-user-stats', { accountjid: jid });
    expect([addresses?.includes('127.0.0.1'), contacts, resource]).to.deep.equal([true, '1', 'r']);
    expect(await does('get-user-lastlogin', { accountjid: jid })).to.deep.equal([jid, 'online now']);
    await mercutio.drains();
    await mercutio.closes();
    expect((await does('get-user-lastlogin', { accountjid: jid }))[1]).to.match(/^\d{4}-\d\d-\d\dT/);
    const { administrations } = await server.administration.call(listAdministrations, { limit: 1 });
    expect(administrations[0]).to.include({ operation: 'GET /users/roster', subject: jid });
  });

  it('edits the blocked domains', async () => {
    expect(await does('edit-blacklist', { blacklistjids: ['evil.example', '*.spam.example'] })).to.deep.equal([
      'info',
      '2 domains are blocked.',
    ]);
    expect(await does('edit-blacklist', { blacklistjids: ['evil.example', domain] })).to.deep.equal([
      'error',
      `${domain} is served here.`,
    ]);
    expect(await does('edit-blacklist', { blacklistjids: 'evil.example' })).to.deep.equal([
      'info',
      '1 domain is blocked.',
    ]);
    await does('edit-blacklist', { blacklistjids: '' });
  });

  it('has the commands that the documents name', () => {
    const document = readFileSync(join(import.meta.dirname, '../../docs/operating.md'), 'utf8');
    const rows = [...document.matchAll(/^\| ((?:`[a-z-]+`(?:, )?)+) \| yes/gm)].flatMap(([, names = '']) =>
      [...names.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name ?? ''),
    );
    expect(rows).to.have.members(standardCommands);
  });

  it('is recorded with the address of the administrator', async () => {
    await does('delete-user', { accountjids: `nobody@${domain}` });
    const { administrations } = await server.administration.call(listAdministrations, { limit: 1 });
    expect(administrations[0]).to.include({
      operator: `escalus@${domain}`,
      origin: 'ad-hoc command',
      operation: 'DELETE /users',
      subject: `nobody@${domain}`,
      result: `There is no account nobody@${domain}.`,
    });
  });
});
