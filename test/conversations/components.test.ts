import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { expectTree, rawOf } from '../support/test-client.ts';
import { handshake, TestComponent } from '../support/test-component.ts';
import type { Settings } from '../support/test-server.ts';
import type { Tree } from '../support/xml-tree.ts';
import { childOf, findTree } from '../support/xml-tree.ts';

const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';
const secret = 'what only the component knows';
const discoInfo = 'http://jabber.org/protocol/disco#info';
const amp = 'http://jabber.org/protocol/amp';

function body(tree: Tree): string | undefined {
  return childOf(tree, 'body')?.text;
}

function chat(to: string, text: string, more = ''): string {
  return `<message to="${to}" type="chat" id="${text}">${more}<body>${text}</body></message>`;
}

function rule(action: string, value: string): string {
  return `<amp xmlns="${amp}"><rule action="${action}" condition="deliver" value="${value}"/></amp>`;
}

describe('Components (XEP-0114)', () => {
  const components: Settings['components'] = {
    'echo.localhost': { secret },
    'gate.localhost': { secret, gateway: true },
    'lonely.localhost': { secret, conflict: 'refuse', gateway: false },
    'patient.localhost': { secret, whileAway: 'queue', gateway: false, queue: { maxStanzas: 3 } },
  };
  const stage = new Stage({ settings: { components, limits: { disabled: true } } });

  async function knocks(address: string): Promise<TestComponent> {
    const component = await TestComponent.to(stage.server.components, address, 'localhost');
    stage.keep(component);
    return component;
  }

  async function component(address: string): Promise<TestComponent> {
    return (await knocks(address)).joins(secret);
  }

  describe('authenticate', () => {
    it('with the secret, and get nothing before', async () => {
      const gate = await knocks('gate.localhost');
      const id = await gate.greets();
      expect(id).to.have.length.above(20);
      gate.sends(handshake(id, secret));
      await gate.receives('<handshake xmlns="jabber:component:accept"/>');
    });

    const failures: Record<string, [says: (one: TestComponent) => Promise<void>, condition: string]> = {
      'a wrong secret': [async (one) => one.sends(handshake(await one.greets(), 'guessed')), 'not-authorized'],
      'the proof of another stream': [
        async (one) => {
          const other = await (await knocks('gate.localhost')).greets();
          await one.greets();
          one.sends(handshake(other, secret));
        },
        'not-authorized',
      ],
      'a stanza instead': [
        async (one) => {
          await one.greets();
          one.sends(chat('romeo@localhost', 'x'));
        },
        'not-authorized',
      ],
      'a domain that is none': [async (one) => void (await one.greets('nobody.localhost')), 'host-unknown'],
      'a domain of the server': [async (one) => void (await one.greets('localhost')), 'host-unknown'],
    };
    for (const [name, [says, condition]] of Object.entries(failures)) {
      it(`or are refused: ${name}`, async () => {
        const one = await knocks('gate.localhost');
        await says(one);
        await one.receivesStreamError(condition);
      });
    }

    it('in the namespace of components', async () => {
      const one = await knocks('gate.localhost');
      one.sends(
        '<stream:stream xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams" to="gate.localhost">',
      );
      await one.receivesStreamError('invalid-namespace', { header: true });
    });
  });

  describe('when they connect again', () => {
    it('replace their old connection', async () => {
      const first = await component('gate.localhost');
      const second = await component('gate.localhost');
      await first.receivesStreamError('conflict');
      const { romeo } = await stage.enter(['romeo']);
      romeo.sends(chat('nurse@gate.localhost', 'hello'));
      expect(body(await second.receives('<message>...</message>'))).to.equal('hello');
    });

    it('are refused, if so configured', async () => {
      const first = await component('lonely.localhost');
      const second = await knocks('lonely.localhost');
      second.sends(handshake(await second.greets(), secret));
      await second.receivesStreamError('conflict');
      await first.settles();
    });
  });

  describe('exchange stanzas with users', () => {
    it('of all kinds, in both directions', async () => {
      const gate = await component('gate.localhost');
      const { juliet } = await stage.enter(['juliet']);
      juliet.sends(chat('nurse@gate.localhost/room', 'anon'));
      await gate.receives(
        `<message xmlns="jabber:component:accept" from="${juliet.jid}" to="nurse@gate.localhost/room" type="chat" id="anon"><body>anon</body></message>`,
      );
      gate.sends(`<message from="nurse@gate.localhost" to="${juliet.bare}"><body>Madam</body></message>`);
      await juliet.receives(`<message from="nurse@gate.localhost" to="${juliet.bare}"><body>Madam</body></message>`);
      const asked = juliet.asks('<iq type="get" to="gate.localhost"><query xmlns="jabber:iq:version"/></iq>');
      const question = await gate.receives('<iq type="get">...</iq>');
      gate.sends(`<iq${gate.stamp} type="result" id="${question.attributes.get('id')}" to="${juliet.jid}"/>`);
      expectTree(await asked, '<iq type="result" from="gate.localhost"/>');
    });

    it('whose content is in the namespace of their streams, however the sender has written it (RFC 6120 §4.8.5)', async () => {
      const gate = await component('gate.localhost');
      const { juliet, romeo } = await stage.enter(['juliet', 'romeo']);
      const said = (to: string, id: string, ns: string) =>
        `<message to="${to}" type="chat" id="${id}"><j:body xmlns:j="${ns}">anon</j:body></message>`;
      juliet.sends(said('nurse@gate.localhost', 'p1', 'jabber:client'));
      expect(rawOf(await gate.receives('<message id="p1">...</message>'))).to.include('<body>anon</body>');
      juliet.sends(said(romeo.jid, 'p2', 'jabber:client'));
      expect(rawOf(await romeo.receives('<message id="p2">...</message>'))).to.include('<body>anon</body>');
      const proper = said(romeo.jid, 'p3', 'jabber:component:accept').replace('<message', `<message${gate.stamp}`);
      gate.sends(proper);
      expect(rawOf(await romeo.receives('<message id="p3">...</message>'))).to.include('<body>anon</body>');
    });

    it('subscribe to presence and are subscribed to', async () => {
      const gate = await component('gate.localhost');
      const { juliet } = await stage.enter(['juliet']);
      juliet.sends('<presence to="nurse@gate.localhost" type="subscribe"/>');
      await gate.receives(`<presence type="subscribe" from="${juliet.bare}">...</presence>`);
      gate.sends(`<presence from="nurse@gate.localhost" to="${juliet.bare}" type="subscribed"/>`);
      gate.sends(`<presence from="nurse@gate.localhost" to="${juliet.bare}" type="subscribe"/>`);
      await juliet.receives('<presence type="subscribe" from="nurse@gate.localhost">...</presence>');
      juliet.sends('<presence to="nurse@gate.localhost" type="subscribed"/>');
      await gate.receives(`<presence type="subscribed" from="${juliet.bare}">...</presence>`);
      await gate.receives(`<presence from="${juliet.jid}">...</presence>`);
      await juliet.closes();
      await gate.receives(`<presence type="unavailable" from="${juliet.jid}"/>`);
    });

    it('get the usual errors for users that do not exist', async () => {
      const gate = await component('gate.localhost');
      gate.sends(`<message from="nurse@gate.localhost" to="nobody@localhost" id="1"><body>x</body></message>`);
      await gate.receives(
        `<message type="error" id="1" from="nobody@localhost" to="nurse@gate.localhost"><error type="cancel"><service-unavailable xmlns="${stanzas}"/>...</error></message>`,
      );
    });

    for (const from of ['romeo@localhost', 'sub.gate.localhost', 'echo.localhost', 'localhost']) {
      it(`and may not speak for ${from}`, async () => {
        const gate = await component('gate.localhost');
        const { juliet } = await stage.enter(['juliet']);
        gate.sends(`<message from="${from}" to="${juliet.jid}"><body>x</body></message>`);
        await gate.receivesStreamError('invalid-from');
        await juliet.receivesNothing();
      });
    }

    it('need both addresses', async () => {
      const one = await component('gate.localhost');
      one.sends('<message to="juliet@localhost"><body>x</body></message>');
      await one.receivesStreamError('invalid-from');
      const other = await component('gate.localhost');
      other.sends('<message from="gate.localhost"><body>x</body></message>');
      await other.receivesStreamError('improper-addressing');
    });

    it('cannot forge delay stamps of the server (XEP-0203 §5)', async () => {
      const gate = await component('gate.localhost');
      const { juliet } = await stage.enter(['juliet']);
      const delay = (from: string) => `<delay xmlns="urn:xmpp:delay" from="${from}" stamp="2002-09-10T23:08:25Z"/>`;
      const payload = `${delay('localhost')}${delay('gate.localhost')}<body>x</body>`;
      gate.sends(`<message from="gate.localhost" to="${juliet.jid}">${payload}</message>`);
      const heard = await juliet.receives('<message>...</message>');
      expect(rawOf(heard).match(/<delay[^>]*from="([^"]*)"/g)).to.have.length(1);
      expect(findTree(heard, 'delay')?.attributes.get('from')).to.equal('gate.localhost');
    });

    it('are found by service discovery (XEP-0030 §4.1)', async () => {
      const { juliet } = await stage.enter(['juliet']);
      const answer = await juliet.asks(
        '<iq type="get" to="localhost"><query xmlns="http://jabber.org/protocol/disco#items"/></iq>',
      );
      expect(rawOf(answer)).to.contain('jid="gate.localhost"').and.to.contain('jid="echo.localhost"');
    });
  });

  describe('while they are not connected', () => {
    it('cause errors for senders', async () => {
      const { romeo } = await stage.enter(['romeo']);
      const away = `<error type="wait"><service-unavailable xmlns="${stanzas}"/>...</error>`;
      romeo.sends(chat('echo.localhost', 'hello'));
      await romeo.receives(`<message type="error" from="echo.localhost" id="hello">${away}</message>`);
      await romeo.gets(
        '<iq type="get" to="echo.localhost"><query xmlns="jabber:iq:version"/></iq>',
        `<iq type="error">${away}</iq>`,
      );
    });

    it('or have messages queued, in order and within limits', async () => {
      const { romeo } = await stage.enter(['romeo']);
      for (const text of ['1', '2', '3', '4']) romeo.sends(chat('patient.localhost', text));
      await romeo.receives(
        `<message type="error" id="4"><error type="wait"><resource-constraint xmlns="${stanzas}"/>...</error></message>`,
      );
      const patient = await component('patient.localhost');
      romeo.sends(chat('patient.localhost', '5'));
      await romeo.settles();
      patient.answersPings = false;
      const heard = await patient.drains();
      expect(heard.map(body)).to.deep.equal(['1', '2', '3', '5']);
      await patient.provesReceipt();
    });

    it('also when the server is restarted meanwhile', async () => {
      const { romeo } = await stage.enter(['romeo']);
      romeo.sends(chat('patient.localhost', 'idleFactor'));
      await romeo.settles();
      await stage.server.restart();
      const patient = await component('patient.localhost');
      patient.answersPings = false;
      const [late, ...more] = await patient.drains();
      await patient.provesReceipt();
      expect(more).to.deep.equal([]);
      expect(late && body(late)).to.equal('idleFactor');
      expect(late && childOf(late, 'delay')?.attributes.get('from')).to.equal('localhost');
    });

    it('and get unconfirmed messages again, so that none is lost', async () => {
      const { romeo } = await stage.enter(['romeo']);
      romeo.sends('<enable xmlns="urn:xmpp:sm:3"/>');
      await romeo.receives('<enabled xmlns="urn:xmpp:sm:3"/>');
      const first = await component('patient.localhost');
      first.answersPings = false;
      romeo.sends(chat('patient.localhost', 'twice'), '<r xmlns="urn:xmpp:sm:3"/>');
      await first.receives('<message>...</message>');
      first.disconnects();
      const second = await component('patient.localhost');
      second.answersPings = false;
      expect((await second.drains()).map(body)).to.deep.equal(['twice']);
      await second.provesReceipt();
    });
  });

  describe('and the rules of messages (XEP-0079)', () => {
    const rules = ['direct', 'gateway', 'stored', 'forward', 'none'].map(
      (value) => `<rule action="notify" condition="deliver" value="${value}"/>`,
    );
    const everyOutcome = `<amp xmlns="${amp}">${rules.join('')}</amp>`;

    async function outcome(to: string): Promise<string | undefined> {
      const { romeo } = await stage.enter(['romeo']);
      romeo.sends(chat(to, 'rules', everyOutcome));
      const [report] = (await romeo.drains()).filter((tree) => childOf(tree, 'amp'));
      return report && findTree(report, 'rule')?.attributes.get('value');
    }

    it('a component is direct, a gateway is gateway, a disconnected one is none', async () => {
      expect(await outcome('echo.localhost')).to.equal('none');
      const echo = await component('echo.localhost');
      await echo.receives('<iq type="get">...</iq>');
      expect(await outcome('echo.localhost')).to.equal('direct');
      await component('gate.localhost');
      expect(await outcome('12345@gate.localhost')).to.equal('gateway');
    });

    it('a component that says it is a gateway is one', async () => {
      const echo = await component('echo.localhost');
      const question = await echo.receives(
        `<iq type="get" from="localhost" to="echo.localhost"><query xmlns="${discoInfo}"/></iq>`,
      );
      const identity = '<identity category="gateway" type="sms"/>';
      const id = question.attributes.get('id');
      echo.sends(
        `<iq${echo.stamp} to="localhost" id="${id}" type="result"><query xmlns="${discoInfo}">${identity}</query></iq>`,
      );
      await echo.settles();
      expect(await outcome('echo.localhost')).to.equal('gateway');
    });

    it('report the outcome of a message once, however often the component gets it', async () => {
      const { romeo } = await stage.enter(['romeo']);
      romeo.sends('<enable xmlns="urn:xmpp:sm:3"/>');
      await romeo.receives('<enabled xmlns="urn:xmpp:sm:3"/>');
      const first = await component('patient.localhost');
      first.answersPings = false;
      romeo.sends(chat('patient.localhost', 'once', everyOutcome));
      await first.receives('<message id="once">...</message>');
      first.disconnects();
      const second = await component('patient.localhost');
      second.answersPings = false;
      await second.receives('<message id="once">...</message>');
      await second.provesReceipt();
      expect((await romeo.drains()).filter((tree) => childOf(tree, 'amp'))).to.have.length(1);
    });

    it('keep a message from leaving through a gateway', async () => {
      const gate = await component('gate.localhost');
      const { romeo } = await stage.enter(['romeo']);
      romeo.sends(chat('12345@gate.localhost', 'inside', rule('drop', 'gateway')));
      await romeo.settles();
      await gate.receivesNothing();
    });
  });
});

describe('Components that were not connected for long', () => {
  const bounds = { outgoingBufferBytes: 65_536, stanzaBytes: 20_000 };
  const stage = new Stage({
    settings: {
      components: { 'patient.localhost': { secret, whileAway: 'queue', gateway: false } },
      limits: { components: bounds },
    },
  });

  it('get their queue no faster than they read it', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const texts = Array.from({ length: 20 }, (_, index) => String(index).padEnd(8000, 'x'));
    for (const text of texts) romeo.sends(`<message to="patient.localhost"><body>${text}</body></message>`);
    await romeo.settles();
    const patient = await TestComponent.to(stage.server.components, 'patient.localhost', 'localhost');
    stage.keep(patient);
    await patient.joins(secret);
    expect((await patient.drains()).flatMap((tree) => body(tree) ?? [])).to.deep.equal(texts);
  });
});
