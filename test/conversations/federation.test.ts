import { expect } from 'chai';
import { listPeers } from '../../src/web/control/server-operations.ts';
import { addUser } from '../../src/web/control/user-operations.ts';
import { FederatedServer } from '../support/federated-server.ts';
import type { TestClient } from '../support/test-client.ts';
import { findTree } from '../support/xml-tree.ts';

const discoInfo = 'http://jabber.org/protocol/disco#info';
const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';

for (const by of ['certificate', 'dialback'] as const) {
  describe(`Two servers that know each other by ${by}`, () => {
    let a: FederatedServer;
    let b: FederatedServer;
    let romeo: TestClient;
    let juliet: TestClient;

    before(async () => {
      [a, b] = (await FederatedServer.startAll(['a.example', 'b.example'], by)) as [FederatedServer, FederatedServer];
      romeo = await a.arrives('romeo');
      juliet = await b.arrives('juliet');
    });

    after(async () => {
      await a.stop();
      await b.stop();
    });

    it('carry messages both ways (RFC 6120 §10.4)', async () => {
      romeo.sends('<message to="juliet@b.example" type="chat" id="m1"><body>hi</body></message>');
      await juliet.receives(
        '<message from="romeo@a.example/r" to="juliet@b.example" type="chat" id="m1"><body>hi</body></message>',
      );
      juliet.sends('<message to="romeo@a.example/r" id="m2"><body>hi</body><x xmlns="urn:x">y</x></message>');
      await romeo.receives(
        '<message from="juliet@b.example/r" to="romeo@a.example/r" id="m2"><body>hi</body><x xmlns="urn:x">y</x></message>',
      );
    });

    it('use one stream for both ways, with acknowledgments (XEP-0288, XEP-0198)', async () => {
      const directions: string[] = [];
      for (const server of [a, b]) {
        const [stream, ...others] = (await server.administration.call(listPeers, {})).streams;
        expect(stream).to.include({ authenticatedBy: by, tls: true, management: true, state: 'open' });
        expect(others).to.deep.equal([]);
        directions.push(stream?.direction ?? '');
      }
      expect(directions).to.deep.equal(['out', 'in']);
    });

    it('carry requests to clients, accounts and domains, and the answers', async () => {
      const ping = '<ping xmlns="urn:xmpp:ping"/>';
      await romeo.gets(
        `<iq type="get" to="b.example">${ping}</iq>`,
        '<iq type="result" from="b.example" id="*" to="*"/>',
      );
      const disco = `<query xmlns="${discoInfo}"/>`;
      const info = await romeo.asks(`<iq type="get" to="b.example">${disco}</iq>`);
      expect(findTree(info, 'identity')?.attributes.get('category')).to.equal('server');
      await juliet.gets(
        '<iq type="set"><vCard xmlns="vcard-temp"><FN>Juliet</FN></vCard></iq>',
        '<iq type="result" id="*" to="*">...</iq>',
      );
      await romeo.gets(
        '<iq type="get" to="juliet@b.example"><vCard xmlns="vcard-temp"/></iq>',
        '<iq type="result" from="juliet@b.example" id="*" to="*"><vCard xmlns="vcard-temp"><FN>Juliet</FN></vCard></iq>',
      );
    });

    it('answer for users that are not there (RFC 6121 §8.5.1)', async () => {
      romeo.sends('<message to="nobody@b.example" type="chat" id="m3"><body>hi</body></message>');
      await romeo.receives(
        `<message from="nobody@b.example" to="romeo@a.example/r" type="error" id="m3"><error type="cancel"><service-unavailable xmlns="${stanzas}"/></error></message>`,
      );
    });

    it('keep the order of a thousand messages (RFC 6120 §10.1)', async () => {
      for (let n = 0; n < 1000; n++) {
        romeo.sends(`<message to="juliet@b.example/r" type="chat" id="n${n}"><body>${n}</body></message>`);
      }
      const ids: (string | undefined)[] = [];
      for (let n = 0; n < 1000; n++) {
        const message = await juliet.receives('<message from="*" to="*" type="chat" id="*"><body>*</body></message>');
        ids.push(message.attributes.get('id'));
      }
      expect(ids).to.deep.equal(Array.from({ length: 1000 }, (_, n) => `n${n}`));
    });

    it('carry subscriptions, presence and probes (RFC 6121 §3, §4)', async () => {
      await romeo.asks('<iq type="get"><query xmlns="jabber:iq:roster"/></iq>');
      romeo.sends('<presence to="juliet@b.example" type="subscribe" id="s1"/>');
      await romeo.receives('<iq type="set" id="*" to="*">...</iq>');
      await juliet.receives('<presence from="romeo@a.example" to="juliet@b.example" type="subscribe" id="s1"/>');
      juliet.sends('<presence to="romeo@a.example" type="subscribed"/>');
      await romeo.receives('<presence from="juliet@b.example" to="romeo@a.example" type="subscribed"/>');
      await romeo.receives('<iq type="set" id="*" to="*">...</iq>');
      await romeo.receives('<presence from="juliet@b.example/r" to="romeo@a.example"/>');
      juliet.sends('<presence><status>busy</status></presence>');
      await romeo.receives('<presence from="juliet@b.example/r" to="romeo@a.example"><status>busy</status></presence>');
      await juliet.receives(
        '<presence from="juliet@b.example/r" to="juliet@b.example/r"><status>busy</status></presence>',
      );
      // Who comes back asks by a probe.
      romeo.sends('<presence type="unavailable"/>');
      await romeo.receives('<presence from="romeo@a.example/r" to="romeo@a.example/r" type="unavailable"/>');
      romeo.sends('<presence/>');
      await romeo.receivesInAnyOrder(
        '<presence from="romeo@a.example/r" to="romeo@a.example/r"/>',
        '<presence from="juliet@b.example/r" to="romeo@a.example/r"><status>busy</status></presence>',
      );
    });

    it('keep what is for somebody who is away (XEP-0160)', async () => {
      await b.administration.call(addUser, { jid: 'nurse@b.example', password: 'pw' });
      romeo.sends('<message to="nurse@b.example" type="chat" id="m4"><body>later</body></message>');
      await romeo.gets(
        '<iq type="get" to="b.example"><ping xmlns="urn:xmpp:ping"/></iq>',
        '<iq type="result" from="b.example" id="*" to="*"/>',
      );
      const nurse = await b.logsIn('nurse', false);
      nurse.sends('<presence/>');
      await nurse.receivesInAnyOrder(
        '<presence from="nurse@b.example/r" to="nurse@b.example/r"/>',
        '<message from="romeo@a.example/r" to="nurse@b.example" type="chat" id="m4"><body>later</body><delay xmlns="urn:xmpp:delay" from="b.example" stamp="*"/></message>',
      );
      await nurse.closes();
    });

    it('find each other again after one has been away', async () => {
      await b.halt();
      await romeo.receives('<presence from="juliet@b.example/r" to="romeo@a.example" type="unavailable"/>');
      romeo.sends('<message to="juliet@b.example" type="chat" id="m5"><body>there?</body></message>');
      await romeo.receives(
        `<message from="juliet@b.example" to="romeo@a.example/r" type="error" id="m5"><error type="wait"><remote-server-timeout xmlns="${stanzas}"/>...</error></message>`,
      );
      await b.start();
      juliet = await b.logsIn('juliet');
    });
  });
}

describe('Two servers with TLS from the first byte (XEP-0368)', () => {
  it('know each other by certificate', async () => {
    const options = { start: 'direct' } as const;
    const [a, b] = await FederatedServer.startAll(['a.example', 'b.example'], 'certificate', options);
    if (!a || !b) throw new Error('two servers were started');
    const romeo = await a.arrives('romeo');
    const juliet = await b.arrives('juliet');
    romeo.sends('<message to="juliet@b.example" type="chat" id="m1"><body>hi</body></message>');
    await juliet.receives('<message from="romeo@a.example/r" to="*" type="chat" id="m1"><body>hi</body></message>');
    const [stream] = (await a.administration.call(listPeers, {})).streams;
    expect(stream).to.include({ authenticatedBy: 'certificate', tls: true });
    await a.stop();
    await b.stop();
  });
});

describe('A server that wants certificates (RFC 6120 §13.7.2)', () => {
  it('exchanges nothing with one that has none it could believe, either way', async () => {
    const settings = { authentication: 'certificate' } as const;
    const [a, b] = await FederatedServer.startAll(['a.example', 'b.example'], 'dialback', { settings });
    if (!a || !b) throw new Error('two servers were started');
    const romeo = await a.arrives('romeo');
    romeo.sends('<message to="juliet@b.example" type="chat" id="m1"><body>hi</body></message>');
    await romeo.receives(
      `<message from="juliet@b.example" to="*" type="error" id="m1"><error type="cancel"><remote-server-not-found xmlns="${stanzas}"/>...</error></message>`,
    );
    await a.stop();
    await b.stop();
  });
});
