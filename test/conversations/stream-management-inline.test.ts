import { expect } from 'chai';
import { type Account, Stage } from '../support/conversation.ts';
import type { TestClient } from '../support/test-client.ts';
import { childOf, findTree, type Tree } from '../support/xml-tree.ts';

const sm = 'urn:xmpp:sm:3';
const sasl2 = 'urn:xmpp:sasl:2';
const bind2 = 'urn:xmpp:bind:0';
const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';
const enable = `<bind xmlns="${bind2}"><enable xmlns="${sm}" resume="true"/></bind>`;

describe('Stream management within SASL2 and Bind 2 (XEP-0198 §9)', () => {
  const stage = new Stage();

  /** Authenticates with something inline; the client and the `<success/>`. */
  async function authenticates(account: Account, inline: string): Promise<{ client: TestClient; success: Tree }> {
    const client = await stage.client();
    await client.opens();
    const response = Buffer.from(`\0${account.local}\0${account.password}`).toString('base64');
    client.sends(
      `<authenticate xmlns="${sasl2}" mechanism="PLAIN"><initial-response>${response}</initial-response>${inline}</authenticate>`,
    );
    const success = await client.receives(`<success xmlns="${sasl2}">...</success>`);
    client.jid = findTree(success, 'authorization-identifier')?.text ?? '';
    return { client, success };
  }

  /** A client with a session it can resume. */
  async function managed(account: Account): Promise<{ client: TestClient; token: string }> {
    const { client, success } = await authenticates(account, enable);
    await client.receivesFeatures();
    const answer = findTree(success, 'enabled') ?? expect.fail('not enabled');
    return { client, token: answer.attributes.get('id') ?? '' };
  }

  it('is offered for both (XEP-0198 §9.1, §9.2)', async () => {
    const client = await stage.client();
    const features = await client.opens();
    const inline = findTree(features, 'inline') ?? expect.fail('nothing inline');
    expect(childOf(inline, 'sm')?.ns).to.equal(sm);
    const offered = childOf(inline, 'bind')?.children.flatMap(({ children }) => children) ?? [];
    expect(offered.map(({ attributes }) => attributes.get('var'))).to.include(sm);
  });

  it('is enabled with the resource (XEP-0198 §9.1)', async () => {
    const { success, client } = await authenticates(await stage.account('juliet'), enable);
    const bound = findTree(success, 'bound') ?? expect.fail('not bound');
    expect(childOf(bound, 'enabled')?.attributes.get('resume')).to.equal('true');
    await client.receivesFeatures();
    client.sends(`<r xmlns="${sm}"/>`);
    await client.receives(`<a xmlns="${sm}" h="0"/>`);
  });

  it('resumes with the authentication; nothing is bound and no features follow (XEP-0198 §9.2)', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const account = await stage.account('juliet');
    const { client: lost, token } = await managed(account);
    romeo.sends(`<message to="${lost.jid}" type="chat"><body>one</body></message>`);
    await lost.receives('<message>...</message>');
    lost.disconnects();
    const inline = `<resume xmlns="${sm}" previd="${token}" h="0"/>${enable}`;
    const { success, client } = await authenticates(account, inline);
    expect(client.jid).to.equal(lost.jid);
    expect(findTree(success, 'resumed')?.attributes.get('previd')).to.equal(token);
    expect(findTree(success, 'bound')).to.equal(undefined);
    const again = await client.receives('<message>...</message>');
    expect(childOf(again, 'body')?.text).to.equal('one');
  });

  it('goes on to the resource if the session is gone (XEP-0198 §9.2)', async () => {
    const account = await stage.account('juliet');
    const { client: left, token } = await managed(account);
    await left.closes();
    const inline = `<resume xmlns="${sm}" previd="${token}" h="0"/>${enable}`;
    const { success, client } = await authenticates(account, inline);
    const failed = childOf(success, 'failed') ?? expect.fail('no word of the failure');
    expect([failed.ns, failed.attributes.get('h'), failed.children[0]?.name, failed.children[0]?.ns]).to.deep.equal([
      sm,
      '0',
      'item-not-found',
      stanzas,
    ]);
    const next = findTree(success, 'enabled')?.attributes.get('id');
    expect(next).to.be.a('string').and.not.equal(token);
    await client.receivesFeatures();
    await client.receivesNothing();
  });

  it('without a resource to fall back on leaves the client free to bind one (XEP-0198 §9.2)', async () => {
    const { success, client } = await authenticates(
      await stage.account('juliet'),
      `<resume xmlns="${sm}" previd="unknown" h="0"/>`,
    );
    expect(childOf(success, 'failed')?.ns).to.equal(sm);
    await client.receivesFeatures();
    await client.binds('balcony');
  });
});
