import { expect } from 'chai';
import { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { PendingWork } from '../../src/routing/ack-scope.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import { brief, briefly, RoutingBench } from './routing-bench.ts';

describe('The router', () => {
  describe('answers its client', () => {
    it('once, straight, and without the content (RFC 6120 §8.3)', async () => {
      const bench = new RoutingBench();
      const juliet = await bench.online('juliet@a.example/balcony');
      await bench.says(juliet, "<message id='1' to='nobody@a.example' type='chat'><body>hi</body></message>");
      expect(juliet.taken()).to.deep.equal([
        '<message from="nobody@a.example" to="juliet@a.example/balcony" id="1" type="error"><error type="cancel"><service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></message>',
      ]);
      expect(bench.log.alarms).to.deep.equal([]);
    });

    const faults: readonly [stanza: string, condition: string][] = [
      ["<iq type='get' to='a.example'><x xmlns='urn:x'/></iq>", 'bad-request'],
      ["<iq id='1' type='get' to='a.example'/>", 'bad-request'],
      ["<iq id='1' type='set' to='a.example'><x xmlns='urn:x'/><y xmlns='urn:x'/></iq>", 'bad-request'],
      ["<iq id='1' type='push' to='a.example'><x xmlns='urn:x'/></iq>", 'bad-request'],
      ["<iq id='1' to='a.example'><x xmlns='urn:x'/></iq>", 'bad-request'],
      ["<presence type='invisible'/>", 'bad-request'],
      ["<presence type='probe'/>", 'bad-request'],
      ["<presence type='subscribe'/>", 'bad-request'],
      ["<presence type='subscribe' to='juliet@a.example/chamber'/>", 'not-allowed'],
      ["<message to='a.example'><body/></message>", 'service-unavailable'],
      ["<message to='elsewhere.example'><body/></message>", 'remote-server-not-found'],
      ["<iq id='1' type='get' to='romeo@elsewhere.example'><x xmlns='urn:x'/></iq>", 'remote-server-not-found'],
      ["<presence to='romeo@elsewhere.example'/>", 'remote-server-not-found'],
    ];
    for (const [stanza, condition] of faults) {
      it(`${condition} to ${stanza}`, async () => {
        const bench = new RoutingBench();
        const juliet = await bench.online('juliet@a.example/balcony');
        await bench.says(juliet, stanza);
        const [reply, ...others] = juliet.sent.splice(0);
        expect(others).to.deep.equal([]);
        expect(reply?.type).to.equal('error');
        expect(brief(reply ?? Stanza.iq({}))).to.match(new RegExp(` ${condition}$`));
        expect(reply?.to?.toString()).to.equal('juliet@a.example/balcony');
        expect(bench.log.alarms).to.deep.equal([]);
      });
    }
  });

  it('routes copies to many recipients, and waits for those whose accounts must be loaded', async () => {
    const bench = new RoutingBench();
    const [juliet, romeo] = [
      await bench.online('juliet@a.example/balcony'),
      await bench.online('romeo@a.example/orchard'),
    ];
    bench.accounts.add('nurse@a.example');
    const copy = (to: string) => readStanza(`<message from='hall@b.example' to='${to}'><body/></message>`);
    const { router } = bench.routing;
    const here = router.routeAll([copy('juliet@a.example'), copy('romeo@a.example'), copy('juliet@a.example')]);
    expect(here).to.equal(undefined);
    expect([juliet.sent.length, romeo.sent.length]).to.deep.equal([2, 1]);
    const absent = router.routeAll([copy('nurse@a.example'), copy('romeo@a.example')]);
    expect(absent).to.be.instanceOf(Promise);
    expect(romeo.sent).to.have.length(2);
    expect(bench.kept).to.deep.equal([]);
    await absent;
    expect(bench.kept).to.have.length(1);
  });

  it('answers from its own address a message that another server has forwarded (RFC 6120 §8.1.2.2)', async () => {
    const sent: string[] = [];
    const bench = new RoutingBench({ remotes: { send: (stanza) => void sent.push(brief(stanza)) } });
    const trail = (jid: string) => `<by xmlns='urn:ampere:forward' jid='${jid}'/>`;
    const message = `<message from='romeo@far.example' to='nobody@a.example'><body/>${trail('nurse@far.example')}</message>`;
    await bench.routing.router.fromPeer(readStanza(message), { needsAck: false, ackAfter: () => undefined });
    expect(sent).to.deep.equal(['message error nobody@a.example service-unavailable']);
  });

  it('never answers an error or a result (RFC 6120 §8.3.1)', async () => {
    const bench = new RoutingBench();
    const juliet = await bench.online('juliet@a.example/balcony');
    for (const stanza of [
      "<message type='error' to='nobody@a.example' id='1'><error/></message>",
      "<message type='error' to='romeo@elsewhere.example' id='1'><error/></message>",
      "<iq type='error' to='nobody@a.example/x' id='1'><error/></iq>",
      "<iq type='result' to='nobody@a.example/x' id='1'/>",
      "<iq type='result' to='a.example' id='1'/>",
      "<iq type='result' to='elsewhere.example' id='1'/>",
      "<iq type='result' id='1'><a xmlns='urn:x'/><b xmlns='urn:x'/></iq>",
      "<presence type='error' to='nobody@a.example'/>",
      "<presence type='error'/>",
      "<presence type='unavailable' to='nobody@a.example'/>",
    ]) {
      await bench.says(juliet, stanza);
      expect(juliet.taken(), stanza).to.deep.equal([]);
    }
    expect(bench.log.alarms).to.deep.equal([]);
  });

  it('answers an unexpected error with internal-server-error, and logs it with its stack', async () => {
    for (const fail of [
      () => {
        throw new Error('a bug');
      },
      () => Promise.reject(new Error('a bug')),
    ]) {
      const bench = new RoutingBench({
        extensions: [{ iq: [{ name: 'x', ns: 'urn:x', type: 'get', scopes: ['server'], handle: fail }] }],
      });
      const juliet = await bench.online('juliet@a.example/balcony');
      await bench.says(juliet, "<iq id='1' type='get' to='a.example'><x xmlns='urn:x'/></iq>");
      expect(briefly(juliet)).to.deep.equal(['iq error a.example internal-server-error']);
      expect(bench.log.alarms).to.have.length(1);
      expect(bench.log.alarms[0]).to.contain('router.test.ts').and.to.contain('a bug');
    }
  });

  it('lets its client know of an error even if the account wants nothing from the other (XEP-0191 §3.3)', async () => {
    const isRomeo = (stanza: Stanza, role: 'from' | 'to') => stanza[role]?.local === 'romeo';
    const bench = new RoutingBench({
      extensions: [
        {
          filter: {
            outbound: (stanza) => (isRomeo(stanza, 'to') ? StanzaError.notAcceptable() : undefined),
            inbound: (stanza) => (isRomeo(stanza, 'from') ? 'refuse' : undefined),
          },
        },
      ],
    });
    const juliet = await bench.online('juliet@a.example/balcony');
    for (const stanza of [
      "<message id='1' to='romeo@a.example'/>",
      "<iq id='1' type='get' to='romeo@a.example'><x xmlns='urn:x'/></iq>",
      "<presence id='1' to='romeo@a.example'/>",
      "<presence id='1' type='subscribe' to='romeo@a.example'/>",
    ]) {
      await bench.says(juliet, stanza);
      const replies = juliet.sent.splice(0);
      expect(replies.map(brief), stanza).to.deep.equal([`${replies[0]?.kind} error romeo@a.example not-acceptable`]);
      expect(replies[0]?.id).to.equal('1');
    }
  });

  it("takes a stanza without 'to' for the sender's own account (RFC 6120 §10.3)", async () => {
    const bench = new RoutingBench();
    const juliet = await bench.online('juliet@a.example/balcony');
    const chamber = await bench.online('juliet@a.example/chamber');
    await bench.says(juliet, "<message type='chat'><body>note</body></message>");
    const text =
      '<message from="juliet@a.example/balcony" to="juliet@a.example" type="chat"><body>note</body></message>';
    expect(chamber.taken()).to.deep.equal([text]);
    expect(juliet.taken()).to.include(text);
    for (const session of [juliet, chamber]) await bench.says(session, "<presence type='unavailable'/>");
    await bench.says(juliet, "<message type='chat'><body>note</body></message>");
    expect(bench.kept).to.deep.equal([`juliet@a.example ${text}`]);
  });

  it('routes only stanzas with both addresses', async () => {
    const bench = new RoutingBench();
    await bench.online('juliet@a.example/balcony');
    for (const stanza of [
      "<message to='juliet@a.example'/>",
      "<message from='juliet@a.example/balcony'/>",
      '<message/>',
    ]) {
      await bench.routing.route(readStanza(stanza));
      expect(bench.log.alarms.splice(0), stanza).to.have.length(1);
    }
  });

  it('keeps the sender waiting while an account is being loaded, and no longer (RFC 6120 §10.1)', async () => {
    const bench = new RoutingBench();
    const juliet = await bench.online('juliet@a.example/balcony');
    bench.accounts.add('romeo@a.example');
    let open = () => {};
    bench.accounts.before = () =>
      new Promise((resolve) => {
        open = resolve;
      });
    const first = bench.says(juliet, "<message type='chat' to='romeo@a.example'><body>1</body></message>");
    expect(first).to.be.instanceOf(Promise);
    expect(bench.kept).to.have.length(0);
    open();
    await first;
    const second = bench.says(juliet, "<message type='chat' to='romeo@a.example'><body>2</body></message>");
    expect(second).to.equal(undefined);
    await bench.settled();
    expect(bench.kept.map((text) => /<body>(.)/.exec(text)?.[1])).to.deep.equal(['1', '2']);
  });

  it('answers when an account cannot be loaded', async () => {
    const bench = new RoutingBench();
    const juliet = await bench.online('juliet@a.example/balcony');
    bench.accounts.before = () => Promise.reject(new Error('no disk'));
    await bench.says(juliet, "<message type='chat' to='romeo@a.example'><body>1</body></message>");
    expect(briefly(juliet)).to.deep.equal(['message error romeo@a.example internal-server-error']);
    expect(bench.log.alarms).to.have.length(1);
  });

  it('gives the domain itself all addresses without a local part', async () => {
    const bench = new RoutingBench({
      extensions: [{ iq: [{ name: 'x', ns: 'urn:x', type: 'get', scopes: ['server'], handle: () => undefined }] }],
    });
    const juliet = await bench.online('juliet@a.example/balcony');
    for (const to of ['a.example', 'b.example', 'a.example/console']) {
      await bench.says(juliet, `<iq id='1' type='get' to='${to}'><x xmlns='urn:x'/></iq>`);
      expect(briefly(juliet)).to.deep.equal([`iq result ${to}`]);
    }
  });

  it('takes the delays out that a peer has added in the name of the recipient or its server (XEP-0203 §5)', async () => {
    const bench = new RoutingBench();
    const juliet = await bench.online('juliet@a.example/balcony');
    const stamp = (from: string) => `<delay xmlns="urn:xmpp:delay" from="${from}" stamp="2002-09-10T23:41:07Z"/>`;
    const message = (from: string) =>
      readStanza(`<message from='eve@c.example/x' to='juliet@a.example'><body>x</body>${stamp(from)}</message>`);
    for (const from of ['a.example', 'A.example/x', 'juliet@a.example', 'Juliet@A.example/balcony', 'room@c.example'])
      await bench.routing.router.fromPeer(message(from), new PendingWork());
    const kept = juliet.taken().map((text) => /<delay [^>]*from="([^"]*)"/.exec(text)?.[1]);
    expect(kept).to.deep.equal([undefined, undefined, undefined, undefined, 'room@c.example']);
  });
});
