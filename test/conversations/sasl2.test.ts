import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { logsIn } from '../support/sasl2-login.ts';
import { expectTree, headerFor, type Login, type TestClient } from '../support/test-client.ts';
import { childOf, findTree, type Tree } from '../support/xml-tree.ts';

const sasl2 = 'urn:xmpp:sasl:2';
const bind2 = 'urn:xmpp:bind:0';
const bound = 'authorization-identifier';
const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');
const failure = (condition: string) => {
  return `<failure xmlns="${sasl2}"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>...</failure>`;
};

describe('SASL2 (XEP-0388)', () => {
  const stage = new Stage();

  async function ready(attributes = ''): Promise<{ client: TestClient; login: Login }> {
    const { local: username, password } = await stage.account('juliet');
    const client = await stage.client();
    await client.opens(headerFor('localhost', attributes.replace('SELF', username)));
    return { client, login: { username, password } };
  }

  it('offers the same mechanisms as SASL, and resource binding with them (XEP-0388 §2.2, XEP-0386 §3)', async () => {
    const { client } = await ready();
    const offer = childOf(client.features ?? expect.fail(), 'authentication') ?? expect.fail('no offer');
    expect(offer.ns).to.equal(sasl2);
    const names = (tree: Tree | undefined) =>
      tree?.children.filter(({ name }) => name === 'mechanism').map(({ text }) => text);
    expect(names(offer)).to.deep.equal(names(findTree(client.features ?? expect.fail(), 'mechanisms')));
    expect(findTree(offer, 'bind')?.ns).to.equal(bind2);
  });

  it('is not offered without TLS (XEP-0388 §5)', async () => {
    const client = await stage.plainClient();
    expect(childOf(await client.opens(), 'authentication')).to.equal(undefined);
  });

  for (const mechanism of ['PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512']) {
    it(`${mechanism} continues without a new stream (XEP-0388 §2.6.1)`, async () => {
      const { client, login } = await ready();
      const success = await logsIn(client, { ...login, mechanism });
      expect(findTree(success, bound)?.text).to.equal(`${login.username}@localhost`);
      const features = await client.receivesFeatures();
      expect(features.children.map(({ name }) => name))
        .to.include('bind')
        .and.not.include('authentication');
      await client.binds('balcony');
      await client.receivesNothing();
    });
  }

  it('SCRAM-SHA-256-PLUS binds to the channel (RFC 9266 §2)', async () => {
    const { client, login } = await ready();
    const success = await logsIn(client, { ...login, mechanism: 'SCRAM-SHA-256-PLUS', bindingType: 'tls-exporter' });
    expect(success.name).to.equal('success');
  });

  it('a stream header may name the user (XEP-0388 §2.4)', async () => {
    const { client, login } = await ready(' from="SELF@localhost"');
    expect((await logsIn(client, login)).name).to.equal('success');
  });

  it('authentication fails if the stream header names another user (XEP-0388 §2.4)', async () => {
    const { client, login } = await ready(' from="romeo@localhost"');
    expectTree(await logsIn(client, login), failure('invalid-authzid'));
  });

  describe('failures (XEP-0388 §2.6.2)', () => {
    const initial = (text: string) => `<initial-response>${text}</initial-response>`;
    const wrong: readonly (readonly [string, string, string, string])[] = [
      ['a mechanism nobody knows', 'invalid-mechanism', 'X-KEY', initial('AA==')],
      ['no base64', 'incorrect-encoding', 'PLAIN', initial('%%%')],
      ['a PLAIN without its parts', 'malformed-request', 'PLAIN', initial(base64('juliet'))],
      ['a user that does not exist', 'not-authorized', 'PLAIN', initial(base64('\0ghost\0boo'))],
    ];
    for (const [name, condition, mechanism, content] of wrong) {
      it(`${name}: ${condition}, and the client may try again (XEP-0388 §2.6.2)`, async () => {
        const { client, login } = await ready();
        client.sends(`<authenticate xmlns="${sasl2}" mechanism="${mechanism}">${content}</authenticate>`);
        await client.receives(failure(condition));
        expect((await logsIn(client, login)).name).to.equal('success');
      });
    }

    it('a client can abort (XEP-0388 §2.5)', async () => {
      const { client, login } = await ready();
      client.sends(`<authenticate xmlns="${sasl2}" mechanism="PLAIN"/>`);
      await client.receives(`<challenge xmlns="${sasl2}">*</challenge>`);
      client.sends(`<abort xmlns="${sasl2}"/>`);
      await client.receives(failure('aborted'));
      expect((await logsIn(client, login)).name).to.equal('success');
    });

    it('a wrong password and an unknown name look the same (RFC 6120 §6.5.10)', async () => {
      const { client, login } = await ready();
      const wrongPassword = await logsIn(client, { ...login, password: 'wrong' });
      const unknownName = await logsIn(client, { ...login, username: 'ghost' });
      expectTree(wrongPassword, failure('not-authorized'));
      expect(unknownName.raw).to.equal(wrongPassword.raw);
    });

    it('a failure binds no resource (XEP-0386 §3)', async () => {
      const { client, login } = await ready();
      const answer = await logsIn(client, { ...login, password: 'wrong', inline: `<bind xmlns="${bind2}"/>` });
      expect(answer.name).to.equal('failure');
      client.sends('<presence/>');
      await client.receivesStreamError('not-authorized');
    });
  });

  describe('with Bind 2 (XEP-0386)', () => {
    /** Authenticates and binds at once; the client is bound then. */
    async function binds(client: TestClient, login: Login, inline: string): Promise<string> {
      const success = await logsIn(client, { ...login, inline });
      expectTree(
        success,
        `<success xmlns="${sasl2}"><${bound}>*</${bound}><bound xmlns="${bind2}">...</bound>...</success>`,
      );
      await client.receivesFeatures();
      client.jid = findTree(success, bound)?.text ?? '';
      return client.jid;
    }

    it('the client has a session at once (XEP-0386 §3.2)', async () => {
      const { client, login } = await ready();
      await binds(client, login, `<bind xmlns="${bind2}"><tag>balcony phone</tag></bind>`);
      await client.appears();
      expect(client.jid).to.match(new RegExp(`^${login.username}@localhost/balcony phone/.+`));
      client.sends(`<message to="${client.jid}"><body>x</body></message>`);
      await client.receives('<message><body>x</body></message>');
    });

    it('the resource of an installation stays the same and does not reveal its id (XEP-0386 §3.2.1)', async () => {
      const { login } = await ready();
      const id = 'd4565fa7-4d72-4749-b3d3-740edbf87770';
      const agent = `<user-agent id="${id}"><software>AwesomeXMPP</software></user-agent>`;
      const resources: string[] = [];
      for (const inline of [agent, agent, agent.replace('d4', 'e4'), '', '']) {
        const client = await stage.client();
        await client.opens();
        resources.push(await binds(client, login, `${inline}<bind xmlns="${bind2}"><tag>phone</tag></bind>`));
      }
      expect(resources[0]).to.equal(resources[1]).and.not.include(id);
      expect(new Set(resources)).to.have.property('size', 4);
    });

    it('an installation that reconnects replaces its old session (RFC 6120 §7.7.2.2)', async () => {
      const { client: old, login } = await ready();
      const inline = `<user-agent id="d4565fa7-4d72-4749-b3d3-740edbf87770"/><bind xmlns="${bind2}"/>`;
      await binds(old, login, inline);
      const fresh = await stage.client();
      await fresh.opens();
      await binds(fresh, login, inline);
      await old.receivesStreamError('conflict');
      await fresh.receivesNothing();
    });

    it('a session can begin inactive (XEP-0386 §3.3, XEP-0352 §4)', async () => {
      const { client, login } = await ready();
      await binds(client, login, `<bind xmlns="${bind2}"><inactive xmlns="urn:xmpp:csi:0"/></bind>`);
      await client.receivesNothing();
    });

    it('a second bind is refused (RFC 6120 §7.3.2)', async () => {
      const { client, login } = await ready();
      await binds(client, login, `<bind xmlns="${bind2}"/>`);
      const answer = await client.asks('<iq type="set"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>');
      expect(answer.attributes.get('type')).to.equal('error');
    });
  });
});
