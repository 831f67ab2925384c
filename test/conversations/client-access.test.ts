import { expect } from 'chai';
import { type Account, Stage } from '../support/conversation.ts';
import { logsIn, showsToken, tokenIn } from '../support/sasl2-login.ts';
import { headerFor, type TestClient } from '../support/test-client.ts';
import { findTree, type Tree } from '../support/xml-tree.ts';

const agent = (number: number, software: string, device: string) =>
  `<user-agent id="d4565fa7-4d72-4749-b3d3-74000000000${number}"><software>${software}</software><device>${device}</device></user-agent>`;
const phone = agent(1, 'AwesomeXMPP', 'Pocket');
const laptop = agent(2, 'Gajim', 'Desk');
const request = '<request-token xmlns="urn:xmpp:fast:0" mechanism="HT-SHA-256-NONE"/>';
const managed = `<bind xmlns="urn:xmpp:bind:0"><enable xmlns="urn:xmpp:sm:3" resume="true"/></bind>`;
const list = '<iq type="get"><list xmlns="urn:xmpp:cam:0"/></iq>';
const revoke = (id: string) => `<iq type="set"><revoke xmlns="urn:xmpp:cam:0" id="${id}"/></iq>`;
const resetRequired =
  '<iq type="error"><error type="cancel"><service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/><text xmlns="urn:ietf:params:xml:ns:xmpp-stanzas">*</text><password-reset-required xmlns="urn:xmpp:cam:0"/></error></iq>';

describe('Devices with access to an account (XEP-0494)', () => {
  const stage = new Stage();

  /** Logs in on a device, and binds a session that can be resumed. */
  async function on(device: string, { local: username, password }: Account) {
    const client = await stage.client();
    await client.opens(headerFor('localhost'));
    const success = await logsIn(client, { username, password, inline: `${device}${request}${managed}` });
    await client.receivesFeatures();
    client.jid = findTree(success, 'authorization-identifier')?.text ?? '';
    return { client, token: tokenIn(success).token, previd: findTree(success, 'enabled')?.attributes.get('id') ?? '' };
  }

  interface Listed {
    readonly id: string;
    readonly connected: string | undefined;
    readonly software: string | undefined;
    readonly device: string | undefined;
    readonly auth: readonly string[];
  }

  /** What a client is told about the devices of its account, in the order of their names. */
  async function listed(client: TestClient): Promise<Listed[]> {
    const answer = await client.asks(list);
    const devices = findTree(answer, 'clients')?.children ?? expect.fail(`no list in ${answer.raw}`);
    return devices
      .map(describeDevice)
      .toSorted((one, other) => (one.software ?? '').localeCompare(other.software ?? ''));
  }

  function describeDevice(tree: Tree): Listed {
    return {
      id: tree.attributes.get('id') ?? '',
      connected: tree.attributes.get('connected'),
      software: findTree(tree, 'software')?.text,
      device: findTree(tree, 'device')?.text,
      auth: findTree(tree, 'auth')?.children.map(({ name }) => name) ?? [],
    };
  }

  const outcome = async ({ local: username }: Account, token: string, inline: string) => {
    const client = await stage.client();
    await client.opens();
    return showsToken(client, { username, token, inline });
  };

  it('are listed with what they say of themselves, connected or not (XEP-0494 §3.1)', async () => {
    const account = await stage.account('juliet');
    const { client } = await on(phone, account);
    await (await on(laptop, account)).client.closes();
    const common = { auth: ['password', 'fast'] };
    const [first, second, ...others] = await listed(client);
    expect(first).to.deep.include({ ...common, software: 'AwesomeXMPP', device: 'Pocket', connected: 'true' });
    expect(second).to.deep.include({ ...common, software: 'Gajim', device: 'Desk', connected: 'false' });
    expect(others).to.deep.equal([]);
    expect(first?.id).to.not.equal(second?.id).and.not.contain('d4565fa7');
  });

  it('include clients of the older SASL, while they are connected', async () => {
    const account = await stage.account('juliet');
    const client = await account.connects();
    expect((await listed(client)).map(({ auth }) => auth)).to.deep.equal([['password']]);
    await client.closes();
    const { client: other } = await on(phone, account);
    expect((await listed(other)).map(({ software }) => software)).to.deep.equal(['AwesomeXMPP']);
  });

  it('survive a restart, with sessions that can be resumed', async () => {
    const account = await stage.account('juliet');
    await on(phone, account);
    await stage.server.restart();
    const { client } = await on(laptop, account);
    const [first] = await listed(client);
    expect(first).to.deep.include({ software: 'AwesomeXMPP', connected: 'true', auth: ['password', 'fast'] });
  });

  it('lose their session, the way back to it and their token when they are revoked (XEP-0494 §3.2)', async () => {
    const account = await stage.account('juliet');
    const lost = await on(phone, account);
    const { client } = await on(laptop, account);
    const id = (await listed(client))[0]?.id ?? '';
    await client.gets(revoke(id), resetRequired);
    await lost.client.receivesStreamError('not-authorized');
    expect((await outcome(account, lost.token, phone)).name).to.equal('failure');
    const back = await stage.client();
    await back.opens();
    const { local: username, password } = account;
    const resume = `<resume xmlns="urn:xmpp:sm:3" previd="${lost.previd}" h="0"/>`;
    const success = await logsIn(back, { username, password, inline: `${laptop}${resume}` });
    expect(findTree(success, 'item-not-found'), 'the session cannot be resumed').to.not.equal(undefined);
  });

  it('lose a session that waits for its client, too', async () => {
    const account = await stage.account('juliet');
    const lost = await on(phone, account);
    lost.client.disconnects();
    const { client } = await on(laptop, account);
    const id = (await listed(client))[0]?.id ?? '';
    await client.gets(revoke(id), resetRequired);
    expect((await listed(client))[0]).to.deep.include({
      software: 'AwesomeXMPP',
      connected: 'false',
      auth: ['password'],
    });
  });

  it('are gone after a change of the password, except the one that has changed it', async () => {
    const account = await stage.account('juliet');
    const lost = await on(phone, account);
    const { client, token } = await on(laptop, account);
    const fields = `<username>${account.local}</username><password>another password</password>`;
    await client.gets(
      `<iq type="set" to="localhost"><query xmlns="jabber:iq:register">${fields}</query></iq>`,
      '<iq type="result"/>',
    );
    await lost.client.receivesStreamError('reset');
    const [only, ...others] = await listed(client);
    expect(only).to.deep.include({ software: 'Gajim', connected: 'true', auth: ['password'] });
    expect(others).to.deep.equal([]);
    expect((await outcome(account, token, laptop)).name).to.equal('failure');
  });
});
