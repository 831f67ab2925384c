import { expect } from 'chai';
import { type Account, Stage } from '../support/conversation.ts';
import type { TestClient } from '../support/test-client.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';
import { push, rosterGet } from './roster-patterns.ts';

const web = { publicUrl: 'https://chat.example' };
const commands = 'http://jabber.org/protocol/commands';
const password = 'has a password';
let made = 0;

const newName = () => `newcomer${++made}`;
const show = (token: string) =>
  `<iq type="set" to="localhost"><preauth xmlns="urn:xmpp:pars:0" token="${token}"/></iq>`;
const register = (username: string) =>
  `<iq type="set" to="localhost"><query xmlns="jabber:iq:register"><username>${username}</username><password>${password}</password></query></iq>`;
const commandXml = (node: string, content = '') =>
  `<iq type="set" to="localhost"><command xmlns="${commands}" node="urn:xmpp:invite#${node}" action="${content ? 'complete' : 'execute'}">${content}</command></iq>`;
const refusal = (condition: string) =>
  `<iq type="error"><error type="*"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></iq>`;
const formXml = (fields: Readonly<Record<string, string>>) => {
  const written = Object.entries(fields).map(([name, value]) => `<field var="${name}"><value>${value}</value></field>`);
  return `<x xmlns="jabber:x:data" type="submit">${written.join('')}</x>`;
};

/** The fields of the form in the answer to a command. */
function fieldsOf(answer: Tree): Readonly<Record<string, string | undefined>> {
  const command = childOf(answer, 'command');
  const form = command && childOf(command, 'x');
  const fields = form?.children.filter(({ name }) => name === 'field') ?? [];
  return Object.fromEntries(fields.map(({ attributes, children }) => [attributes.get('var'), children[0]?.text]));
}

/** Makes an invitation with the client of a user, and returns its token. */
async function invitedBy(client: TestClient, command = commandXml('invite')): Promise<string> {
  const { uri } = fieldsOf(await client.asks(command));
  return /preauth=(\w+)/.exec(uri ?? '')?.[1] ?? '';
}

describe('Invitations (XEP-0379, XEP-0401, XEP-0445)', () => {
  const stage = new Stage({
    settings: { web, registration: { inBand: true }, administrators: ['escalus@localhost'] },
  });
  let escalus: TestClient;

  before(() => stage.server.addUser('escalus@localhost', password));
  beforeEach(async () => {
    escalus = await loggedIn('escalus');
  });

  async function stranger(): Promise<TestClient> {
    const client = await stage.client();
    await client.opens();
    return client;
  }

  async function loggedIn(username: string): Promise<TestClient> {
    const client = await stranger();
    await client.authenticates({ username, password });
    await client.binds();
    return client;
  }

  const rosterOf = async (client: TestClient) => {
    const query = childOf(await client.asks(rosterGet), 'query');
    return query?.children.map(({ attributes }) => [attributes.get('jid'), attributes.get('subscription')]);
  };

  it('are made by users, with a link for apps, a page, and an end (XEP-0401 §5.1)', async () => {
    const account = await stage.account('juliet');
    const { uri, ...others } = fieldsOf(await (await account.connects()).asks(commandXml('invite')));
    const [, token] = /^xmpp:(.*)\?roster;preauth=(\w{32});ibr=y$/.exec(uri ?? '')?.slice(1) ?? [];
    expect(uri).to.include(`xmpp:${account.jid}?`);
    const { expire = '', ...rest } = others;
    expect(rest).to.deep.equal({
      FORM_TYPE: 'urn:xmpp:invite#invitation',
      'landing-url': `https://chat.example/invite/${token}`,
    });
    expect(Math.round((Date.parse(expire) - Date.now()) / 3_600_000)).to.equal(7 * 24);
  });

  it('let a stranger register; both become contacts (XEP-0445 §4, XEP-0401 §5.5)', async () => {
    const inviter = await (await stage.account('juliet')).arrives({ roster: true });
    const token = await invitedBy(inviter);
    const client = await stranger();
    const features = client.features?.children.filter(({ name }) => name === 'register').map(({ ns }) => ns);
    expect(features).to.deep.equal([
      'http://jabber.org/features/iq-register',
      'urn:xmpp:ibr-token:0',
      'urn:xmpp:invite',
    ]);
    await client.gets(show(token), '<iq type="result"/>');
    const username = newName();
    await client.gets(register(username), '<iq type="result"/>');
    const jid = `${username}@localhost`;
    await inviter.receives(push(jid, 'subscription="both"'));
    await client.authenticates({ username, password });
    await client.binds();
    expect(await rosterOf(client)).to.deep.equal([[inviter.bare, 'both']]);
    client.sends('<presence/>');
    await inviter.receives(`<presence from="${client.jid}" to="${inviter.bare}">...</presence>`);
    await client.receives(`<presence from="${client.jid}">...</presence>`);
    await client.receives(`<presence from="${inviter.jid}">...</presence>`);
  });

  it('are used up by the registration, not by being shown', async () => {
    const token = await invitedBy(await (await stage.account('juliet')).connects());
    const [first, second] = [await stranger(), await stranger()];
    for (const client of [first, second]) await client.gets(show(token), '<iq type="result"/>');
    await first.gets(register(newName()), '<iq type="result"/>');
    await second.gets(register(newName()), refusal('item-not-found'));
    await (await stranger()).gets(show(token), refusal('item-not-found'));
  });

  it('are not used up by a registration that fails', async () => {
    const account = await stage.account('juliet');
    const client = await stranger();
    await client.gets(show(await invitedBy(await account.connects())), '<iq type="result"/>');
    await client.gets(register(account.local), refusal('conflict'));
    await client.gets(register('a b'), refusal('not-acceptable'));
    await client.gets(register(newName()), '<iq type="result"/>');
  });

  it('look the same if they are used, unknown, for something else, or no tokens at all', async () => {
    const account = await stage.account('juliet');
    const used = await invitedBy(await account.connects());
    const client = await stranger();
    await client.gets(show(used), '<iq type="result"/>');
    await client.gets(register(newName()), '<iq type="result"/>');
    const answers = new Set<string>();
    for (const token of [used, 'v'.repeat(32), '', 'x'.repeat(9000), '&amp;%00'])
      answers.add((await client.asks(show(token))).raw.replace(/id="[^"]*"/, ''));
    expect(answers.size).to.equal(1);
  });

  it('are asked for in the right way', async () => {
    const client = await stranger();
    await client.gets('<iq type="set"><preauth xmlns="urn:xmpp:pars:0"/></iq>', refusal('bad-request'));
    await client.gets('<iq type="get"><preauth xmlns="urn:xmpp:pars:0" token="x"/></iq>', refusal('bad-request'));
  });

  it('give the name that an administrator has chosen, which nobody else can have (XEP-0401 §5.4)', async () => {
    const username = newName();
    const form = formXml({ username, 'roster-subscription': '0' });
    const { uri } = fieldsOf(await escalus.asks(commandXml('create-account', form)));
    expect(uri).to.match(new RegExp(`^xmpp:${username}@localhost\\?register;preauth=\\w{32}$`));
    await escalus.gets(commandXml('create-account', form), refusal('conflict'));
    const other = await stranger();
    await other.gets(register(username), refusal('conflict'));
    const client = await stranger();
    await client.gets(show(/preauth=(\w+)/.exec(uri ?? '')?.[1] ?? ''), '<iq type="result"/>');
    await client.gets(
      '<iq type="get"><query xmlns="jabber:iq:register"/></iq>',
      `<iq type="result"><query xmlns="jabber:iq:register"><username>${username}</username>...</query></iq>`,
    );
    await client.gets(register(newName()), refusal('not-acceptable'));
    await client.gets(register(username), '<iq type="result"/>');
    expect(await rosterOf(await loggedIn(username))).to.deep.equal([]);
  });

  it('of administrators are for administrators', async () => {
    const user = await (await stage.account('juliet')).connects();
    await user.gets(commandXml('create-account'), refusal('forbidden'));
    await escalus.gets(commandXml('create-account', formXml({ username: 'a@b' })), refusal('bad-request'));
  });

  it('end with the account that has made them', async () => {
    const account = await stage.account('juliet');
    const client = await account.connects();
    const token = await invitedBy(client);
    client.sends('<iq type="set" id="r"><query xmlns="jabber:iq:register"><remove/></query></iq>');
    await client.receives('<iq type="result"/>');
    await (await stranger()).gets(show(token), refusal('item-not-found'));
  });

  it('are bounded for each user', async () => {
    const client = await (await stage.account('juliet')).connects();
    for (let number = 0; number < 20; number++) expect(await invitedBy(client)).to.have.length(32);
    await client.gets(commandXml('invite'), refusal('resource-constraint'));
  });

  describe('for somebody with an account (XEP-0379)', () => {
    const subscribe = (to: Account, token: string) =>
      `<presence to="${to.jid}" type="subscribe"><preauth xmlns="urn:xmpp:pars:0" token="${token}"/></presence>`;

    it('make both contacts, with nobody asked', async () => {
      const account = await stage.account('juliet');
      const inviter = await account.arrives({ roster: true });
      const token = await invitedBy(inviter);
      const guest = await (await stage.account('romeo')).arrives({ roster: true });
      guest.sends(subscribe(account, token));
      await inviter.drains();
      await guest.drains();
      await inviter.drains();
      expect(await rosterOf(guest)).to.deep.equal([[inviter.bare, 'both']]);
      expect(await rosterOf(inviter)).to.deep.equal([[guest.bare, 'both']]);
      guest.sends('<presence><status>hello</status></presence>');
      await inviter.receives(`<presence from="${guest.jid}"><status>hello</status>...</presence>`);
    });

    it('work once; the next request with the token waits for an answer', async () => {
      const account = await stage.account('juliet');
      const inviter = await account.arrives({ roster: true });
      const token = await invitedBy(inviter);
      for (const name of ['romeo', 'paris']) {
        const guest = await (await stage.account(name)).arrives({ roster: true });
        guest.sends(subscribe(account, token));
        await guest.drains();
        await inviter.drains();
      }
      const states = (await rosterOf(inviter))?.map(([, state]) => state);
      expect(states).to.deep.equal(['both']);
    });

    it('do not work for another user, nor with a wrong token', async () => {
      const [inviting, other] = [await stage.account('juliet'), await stage.account('nurse')];
      const token = await invitedBy(await inviting.connects());
      const nurse = await other.arrives({ roster: true });
      const guest = await (await stage.account('romeo')).arrives();
      for (const wrong of [token, 'v'.repeat(32), '']) {
        guest.sends(subscribe(other, wrong));
        await guest.drains();
      }
      await nurse.drains();
      expect(await rosterOf(nurse)).to.deep.equal([]);
    });
  });
});

describe('Guesses of tokens', () => {
  const stage = new Stage({
    settings: { limits: { authentication: { failuresPerIp: 3 } } },
  });

  it('end with a block of the address', async () => {
    const account = await stage.account('juliet');
    const token = await invitedBy(await account.connects());
    const client = await stage.client();
    await client.opens();
    for (let tries = 0; tries < 3; tries++) await client.gets(show('v'.repeat(32)), refusal('item-not-found'));
    await client.gets(show(token), refusal('resource-constraint'));
    // Tokens and passwords are counted apart.
    await account.connects();
  });
});

describe('Where only administrators invite people to register', () => {
  const stage = new Stage({ settings: { web, registration: { invitations: 'administrators' } } });

  it('users invite contacts', async () => {
    const account = await stage.account('juliet');
    const client = await account.connects();
    const { uri = '' } = fieldsOf(await client.asks(commandXml('invite')));
    expect(uri).to.match(/^xmpp:juliet\d+@localhost\?roster;preauth=\w{32}$/);
    const stranger = await stage.client();
    await stranger.opens();
    await stranger.gets(show(/preauth=(\w+)/.exec(uri)?.[1] ?? ''), refusal('item-not-found'));
    await stranger.gets(register(newName()), refusal('not-allowed'));
  });
});

describe('Where nobody invites', () => {
  const stage = new Stage({ settings: { registration: { invitations: 'nobody' } } });

  it('nothing is offered', async () => {
    const client = await stage.client();
    await client.opens();
    expect(client.features?.children.some(({ name }) => name === 'register')).to.equal(false);
    const user = await (await stage.account('juliet')).connects();
    await user.gets(commandXml('invite'), refusal('item-not-found'));
  });
});
