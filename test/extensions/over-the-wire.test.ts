import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { childOf, findTree, type Tree } from '../support/xml-tree.ts';

const body = (text: string) => `<body>${text}</body>`;
const csi = (state: string) => `<${state} xmlns="urn:xmpp:csi:0"/>`;
const nsOfFeatures = (features: Tree | undefined) => features?.children.map(({ ns }) => ns);

describe('extensions over the wire', () => {
  const stage = new Stage();

  it('offers TLS and nothing else before TLS (RFC 7590 §3.1)', async () => {
    const client = await stage.plainClient();
    await client.opens();
    expect(nsOfFeatures(client.features)).to.deep.equal(['urn:ietf:params:xml:ns:xmpp-tls']);
    await client.startsTls(stage.server.trust);
    await client.opens();
    expect(nsOfFeatures(client.features)).to.include.members(['urn:xmpp:sasl-cb:0', 'urn:xmpp:stream-limits:0']);
  });

  it('tells the channel bindings (XEP-0440 §3) and limits (XEP-0478 §2) of the connection', async () => {
    const client = await stage.client();
    const features = await client.opens();
    const bindings = findTree(features, 'sasl-channel-binding')?.children.map(({ attributes }) =>
      attributes.get('type'),
    );
    expect(bindings).to.include.members(['tls-exporter', 'tls-server-end-point']);
    expect(findTree(features, 'max-bytes')?.text).to.equal('10000');
  });

  it('offers capabilities, client state, roster versions, pre-approval and sessions after authentication', async () => {
    const juliet = await (await stage.account('juliet')).connects();
    expect(nsOfFeatures(juliet.features)).to.include.members([
      'http://jabber.org/protocol/caps',
      'urn:xmpp:csi:0',
      'urn:xmpp:features:rosterver',
      'urn:xmpp:features:pre-approval',
      'urn:ietf:params:xml:ns:xmpp-session',
    ]);
    expect(findTree(juliet.features!, 'max-bytes')?.text).to.equal('262144');
  });

  it('begins a session inactive if Bind 2 is told so (XEP-0386 §4, XEP-0352)', async () => {
    const account = await stage.account('juliet');
    const client = await stage.client();
    const features = await client.opens();
    const sasl2 = features.children.find(({ ns }) => ns === 'urn:xmpp:sasl:2');
    const inline = sasl2 && findTree(sasl2, 'bind');
    const inlined = inline && childOf(inline, 'inline')?.children.map(({ attributes }) => attributes.get('var'));
    expect(inlined).to.include('urn:xmpp:csi:0');
    const plain = Buffer.from(`\0${account.local}\0${account.password}`).toString('base64');
    client.sends(
      `<authenticate xmlns="urn:xmpp:sasl:2" mechanism="PLAIN"><initial-response>${plain}</initial-response>` +
        `<bind xmlns="urn:xmpp:bind:0"><tag>phone</tag>${csi('inactive')}</bind></authenticate>`,
    );
    const success = await client.receives('<success xmlns="urn:xmpp:sasl:2">...</success>');
    const jid = findTree(success, 'authorization-identifier')?.text ?? '';
    expect(jid).to.match(new RegExp(`^${account.jid}/phone`));
    await client.receivesFeatures();
    client.sends('<presence/>', csi('active'));
    await client.receives(`<presence from="${jid}"/>`);
  });

  it('flushes what waited before it answers what came after (XEP-0352 §5.1)', async () => {
    const juliet = await (await stage.account('juliet')).connects();
    juliet.sends(csi('inactive'), '<presence/>', csi('active'));
    juliet.sends(`<iq type="get" id="p" to="localhost"><ping xmlns="urn:xmpp:ping"/></iq>`);
    await juliet.receives(`<presence from="${juliet.jid}"/>`);
    await juliet.receives('<iq type="result" id="p"/>');
  });

  it('keeps messages over a restart, and gives them out once (XEP-0160)', async () => {
    const juliet = await stage.account('juliet');
    const romeo = await (await stage.account('romeo')).arrives();
    romeo.sends(`<message to="${juliet.jid}" type="chat">${body('one')}</message>`);
    romeo.sends(`<message to="${juliet.jid}" type="chat">${body('two')}</message>`);
    await romeo.settles();
    await stage.server.restart();
    const first = await juliet.connects();
    await first.appears();
    await first.settles();
    expect(
      first.arrival.filter(({ name }) => name === 'message').map((tree) => findTree(tree, 'body')?.text),
    ).to.deep.equal(['one', 'two']);
    const second = await juliet.arrives();
    expect(second.arrival.filter(({ name }) => name === 'message')).to.deep.equal([]);
  });

  it('gives a message again that the client has not read (XEP-0160)', async () => {
    const juliet = await stage.account('juliet');
    const romeo = await (await stage.account('romeo')).arrives();
    romeo.sends(`<message to="${juliet.jid}" type="chat">${body('one')}</message>`);
    await romeo.settles();
    for (let attempt = 0; attempt < 2; attempt++) {
      const client = await juliet.connects();
      client.answersPings = false;
      client.sends('<presence/>');
      await client.receives(`<presence from="${client.jid}"/>`);
      await client.receives(
        `<message to="${juliet.jid}" type="chat">${body('one')}<delay xmlns="urn:xmpp:delay"/></message>`,
      );
      client.disconnects();
    }
  });

  it('removes an account: the answer, then the end of every session (XEP-0077 §3.2)', async () => {
    const account = await stage.account('juliet');
    const juliet = await account.connects();
    const other = await account.connects();
    const removal = '<query xmlns="jabber:iq:register"><remove/></query>';
    juliet.sends(`<iq type="set" id="r">${removal}</iq>`);
    await juliet.receives('<iq type="result" id="r"/>');
    await juliet.receivesStreamError('not-authorized');
    await other.receivesStreamError('not-authorized');
    const again = await stage.client();
    await again.opens();
    expect((await again.tries({ username: account.local, password: account.password })).name).to.equal('failure');
  });

  it('changes a password; the session that asked goes on (XEP-0077 §3.3)', async () => {
    const account = await stage.account('juliet');
    const juliet = await account.connects();
    const other = await account.connects();
    const fields = `<username>${account.local}</username><password>another-password</password>`;
    await juliet.gets(`<iq type="set"><query xmlns="jabber:iq:register">${fields}</query></iq>`, '<iq type="result"/>');
    await other.receivesStreamError('reset');
    await juliet.settles();
    const again = await stage.client();
    await again.opens();
    expect((await again.tries({ username: account.local, password: 'another-password' })).name).to.equal('success');
  });

  it('keeps a block over a restart (XEP-0191)', async () => {
    const account = await stage.account('juliet');
    const mercutio = await stage.account('mercutio');
    const juliet = await account.connects();
    await juliet.gets(
      `<iq type="set"><block xmlns="urn:xmpp:blocking"><item jid="${mercutio.jid}"/></block></iq>`,
      '<iq type="result"/>',
    );
    await stage.server.restart();
    const sender = await mercutio.arrives();
    sender.sends(`<message id="m" to="${account.jid}">${body('hi')}</message>`);
    await sender.receives(
      '<message id="m" type="error"><error><service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></message>',
    );
  });
});
