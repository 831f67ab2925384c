import { expect } from 'chai';
import { clientState } from '../../src/extensions/client-state/client-state.ts';
import { carbonOf } from '../../src/protocol/carbon.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { xml } from '../../src/xml/element.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench } from './bench.ts';

const state = (name: string) => xml(name, { xmlns: 'urn:xmpp:csi:0' });
const typing = `<composing xmlns='http://jabber.org/protocol/chatstates'/>`;

describe('Client State Indication (XEP-0352)', () => {
  const bench = new Bench(() => ({ extensions: [clientState()] }));

  function says(session: StubSession, name: 'active' | 'inactive'): void {
    for (const nonza of clientState().nonzas ?? []) if (nonza.name === name) nonza.handle(session, state(name));
  }

  function gets(session: StubSession, ...stanzas: string[]): void {
    for (const stanza of stanzas) session.send(readStanza(stanza));
  }

  it('is offered to those who are logged in, and within Bind 2', () => {
    const { streamFeatures, sessionFeatures } = clientState();
    expect(streamFeatures?.('unauthenticated')).to.deep.equal([]);
    expect(streamFeatures?.('authenticated').join('')).to.equal('<csi xmlns="urn:xmpp:csi:0"/>');
    expect(sessionFeatures?.map(({ name }) => name)).to.deep.equal(['inactive', 'active']);
  });

  it('begins active', async () => {
    const juliet = await bench.user();
    gets(juliet, `<presence from='a@b/c'/>`);
    expect(juliet.taken()).to.deep.equal(['<presence from="a@b/c"/>']);
  });

  it('keeps the latest presence and chat state of everybody, in order, until the client is active', async () => {
    const juliet = await bench.user();
    says(juliet, 'inactive');
    gets(
      juliet,
      `<presence from='a@b/c'/>`,
      `<presence from='d@e/f'/>`,
      `<message from='a@b/c' type='chat'>${typing}</message>`,
      `<presence from='a@b/c' type='unavailable'/>`,
    );
    expect(juliet.taken()).to.deep.equal([]);
    says(juliet, 'active');
    expect(juliet.taken()).to.deep.equal([
      '<presence from="d@e/f"/>',
      `<message from="a@b/c" type="chat">${typing}</message>`,
      '<presence from="a@b/c" type="unavailable"/>',
    ]);
    gets(juliet, `<presence from='a@b/c'/>`);
    expect(juliet.taken()).to.have.length(1);
  });

  const important = [
    `<message from='a@b/c' type='chat'><body>hi</body></message>`,
    `<message from='a@b/c' type='chat'><body>hi</body>${typing}</message>`,
    `<message from='a@b/c' type='error'>${typing}</message>`,
    `<message from='a@b/c' type='error'><reactions xmlns='urn:xmpp:reactions:0' id='1'/></message>`,
    `<message from='a@b' type='headline'><body>news</body><event xmlns='http://jabber.org/protocol/pubsub#event'/></message>`,
    `<message from='a@b/c' type='chat'><encrypted xmlns='urn:xmpp:omemo:2'/></message>`,
    `<message from='a@b/c' type='chat'><propose xmlns='urn:xmpp:jingle-message:0' id='1'/></message>`,
    `<message from='a@b/c'><x xmlns='jabber:x:conference' jid='room@b'/></message>`,
    `<message from='a@b/c' type='chat'><received xmlns='urn:xmpp:receipts' id='1'/><data xmlns='urn:other'/></message>`,
    `<message from='a@b/c' type='chat'>${typing}<amp xmlns='http://jabber.org/protocol/amp'/></message>`,
    `<message from='juliet@localhost'><result xmlns='urn:xmpp:mam:2' id='1'/></message>`,
    `<message from='a@b/c'/>`,
    `<iq from='a@b/c' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>`,
    `<iq from='a@b/c' type='result' id='1'/>`,
    `<presence from='a@b' type='subscribe'/>`,
    `<presence from='a@b' type='unsubscribed'/>`,
    `<presence from='a@b/c' type='error'/>`,
  ];
  for (const stanza of important) {
    it(`wakes the client for ${stanza.slice(0, 80)}`, async () => {
      const juliet = await bench.user();
      says(juliet, 'inactive');
      gets(juliet, `<presence from='d@e/f'/>`, stanza, `<presence from='d@e/f' type='unavailable'/>`);
      expect(juliet.taken()).to.deep.equal(['<presence from="d@e/f"/>', readStanza(stanza).toString()]);
    });
  }

  describe('of messages that only concern other messages', () => {
    const concerns = (content: string) => `<message from="a@b/c" type="chat">${content}</message>`;

    it('keeps all of them, in order', async () => {
      const juliet = await bench.user();
      says(juliet, 'inactive');
      const waiting = [
        concerns('<received xmlns="urn:xmpp:receipts" id="1"/>'),
        concerns('<received xmlns="urn:xmpp:receipts" id="2"/><store xmlns="urn:xmpp:hints"/>'),
        concerns(
          '<displayed xmlns="urn:xmpp:chat-markers:0" id="2"/><stanza-id xmlns="urn:xmpp:sid:0" by="x" id="1"/>',
        ),
        concerns('<reactions xmlns="urn:xmpp:reactions:0" id="1"/>'),
        concerns('<retract xmlns="urn:xmpp:message-retract:1" id="1"/>'),
        concerns('<retract xmlns="urn:xmpp:message-retract:1" id="2"/><thread>1</thread>'),
      ];
      gets(juliet, ...waiting);
      expect(juliet.taken()).to.deep.equal([]);
      const body = concerns('<body>hi</body>');
      gets(juliet, body);
      expect(juliet.taken()).to.deep.equal([...waiting, body]);
    });
  });

  describe('of events of nodes (XEP-0060, XEP-0163)', () => {
    const event = (from: string, content: string) =>
      `<message from="${from}" type="headline"><event xmlns="http://jabber.org/protocol/pubsub#event">${content}</event></message>`;
    const items = (node: string, content: string) => `<items node="${node}">${content}</items>`;
    const item = (id: string, version: number) => `<item id="${id}"><v xmlns="urn:x">${version}</v></item>`;

    async function waitingAfter(...stanzas: string[]): Promise<string[]> {
      const juliet = await bench.user();
      says(juliet, 'inactive');
      gets(juliet, ...stanzas);
      expect(juliet.taken()).to.deep.equal([]);
      says(juliet, 'active');
      return juliet.taken();
    }

    it('keeps the latest version of each item of each node of each account', async () => {
      const first = event('a@b', items('n', item('1', 1)));
      const others = [
        event('a@b', items('n', item('2', 1))),
        event('a@b', items('m', item('1', 1))),
        event('d@e', items('n', item('1', 1))),
      ];
      const second = event('a@b', items('n', item('1', 2)));
      expect(await waitingAfter(first, ...others, second)).to.deep.equal([...others, second]);
    });

    it('does not mistake one item for another because of how they are called', async () => {
      const both = [event('a@b', items('n x', item('1', 1))), event('a@b', items('n', item('x 1', 1)))];
      expect(await waitingAfter(...both)).to.deep.equal(both);
    });

    it('drops no retraction, purge or deletion, and keeps their order', async () => {
      const all = [
        event('a@b', items('n', item('1', 1))),
        event('a@b', items('n', '<retract id="1"/>')),
        event('a@b', items('n', '<retract id="2"/>')),
        event('a@b', items('n', '<retract id="2"/>')),
        event('a@b', '<purge node="n"/>'),
        event('a@b', '<purge node="n"/>'),
        event('a@b', '<delete node="n"/>'),
        event('a@b', items('n', item('1', 2) + item('2', 1))),
        event('a@b', items('n', item('1', 3) + item('2', 2))),
      ];
      expect(await waitingAfter(...all)).to.deep.equal(all);
    });

    it('has an item that is published again behind its retraction', async () => {
      const retraction = event('a@b', items('n', '<retract id="1"/>'));
      const again = event('a@b', items('n', item('1', 2)));
      expect(await waitingAfter(event('a@b', items('n', item('1', 1))), retraction, again)).to.deep.equal([
        retraction,
        again,
      ]);
    });

    it('keeps events without an id, and events that say nothing', async () => {
      const all = [
        event('a@b', items('n', '<item/>')),
        event('a@b', items('n', '<item/>')),
        event('a@b', items('n', '')),
        event('a@b', ''),
      ].map((one) => readStanza(one).toString());
      expect(await waitingAfter(...all)).to.deep.equal(all);
    });
  });

  describe('of carbons (XEP-0280)', () => {
    const carbon = (juliet: StubSession, direction: 'sent' | 'received', peer: string, content: string) => {
      const ends = direction === 'sent' ? { to: Jid.parse(peer) } : { from: Jid.parse(peer) };
      const message = readStanza(`<message type='chat'>${content}</message>`).with(ends);
      return carbonOf(message, direction, juliet.account.jid).with({ to: juliet.jid });
    };

    it('keeps the latest chat state for each contact and direction, in order', async () => {
      const juliet = await bench.user();
      says(juliet, 'inactive');
      const paused = typing.replace('composing', 'paused');
      const all = [
        carbon(juliet, 'received', 'a@b/c', typing),
        carbon(juliet, 'received', 'd@e/f', typing),
        carbon(juliet, 'sent', 'a@b/c', typing),
        carbon(juliet, 'received', 'a@b/c', paused),
      ];
      for (const one of all) juliet.send(one);
      gets(juliet, `<presence from='a@b/c'/>`);
      expect(juliet.taken()).to.deep.equal([]);
      says(juliet, 'active');
      expect(juliet.taken()).to.deep.equal([...all.slice(1).map(String), '<presence from="a@b/c"/>']);
    });

    for (const direction of ['sent', 'received'] as const) {
      it(`wakes the client for a message, behind what waited: ${direction}`, async () => {
        const juliet = await bench.user();
        says(juliet, 'inactive');
        const waiting = carbon(juliet, direction, 'a@b/c', typing);
        const important = carbon(juliet, direction, 'a@b/c', '<body>hi</body>');
        juliet.send(waiting);
        juliet.send(important);
        expect(juliet.taken()).to.deep.equal([waiting, important].map(String));
      });
    }

    it('keeps receipts of different contacts, and of one contact', async () => {
      const juliet = await bench.user();
      says(juliet, 'inactive');
      const receipt = (id: string) => `<received xmlns="urn:xmpp:receipts" id="${id}"/>`;
      const all = [
        carbon(juliet, 'received', 'a@b/c', receipt('1')),
        carbon(juliet, 'received', 'a@b/c', receipt('2')),
        carbon(juliet, 'sent', 'a@b/c', receipt('3')),
      ];
      for (const one of all) juliet.send(one);
      expect(juliet.taken()).to.deep.equal([]);
      says(juliet, 'active');
      expect(juliet.taken()).to.deep.equal(all.map(String));
    });

    it('does not look into what a stranger sends', async () => {
      const juliet = await bench.user();
      says(juliet, 'inactive');
      const forged = carbon(juliet, 'received', 'a@b/c', typing).with({ from: Jid.parse('eve@x') });
      juliet.send(forged);
      expect(juliet.taken()).to.deep.equal([forged.toString()]);
    });
  });

  it('bounds what waits', async () => {
    const juliet = await bench.user();
    says(juliet, 'inactive');
    for (let n = 0; n < 500; n++) gets(juliet, `<presence from='a@b/${n}'/>`);
    expect(juliet.taken()).to.have.length(0);
    gets(juliet, `<presence from='a@b/one-more'/>`);
    expect(juliet.taken()).to.have.length(501);
  });

  it('bounds the bytes of what waits', async () => {
    const juliet = await bench.user();
    says(juliet, 'inactive');
    const status = `<status>${'x'.repeat(50_000)}</status>`;
    // The latest of one sender takes the place of the one before.
    for (let n = 0; n < 20; n++) gets(juliet, `<presence from='a@b/c'>${status}</presence>`);
    for (let n = 0; n < 9; n++) gets(juliet, `<presence from='a@b/${n}'>${status}</presence>`);
    expect(juliet.taken()).to.have.length(0);
    gets(juliet, `<presence from='a@b/one-more'>${status}</presence>`);
    expect(juliet.taken()).to.have.length(11);
  });

  it('takes the same word twice', async () => {
    const juliet = await bench.user();
    says(juliet, 'active');
    says(juliet, 'inactive');
    gets(juliet, `<presence from='d@e/f'/>`);
    says(juliet, 'inactive');
    expect(juliet.taken()).to.deep.equal([]);
    says(juliet, 'active');
    says(juliet, 'active');
    expect(juliet.taken()).to.have.length(1);
  });
});
