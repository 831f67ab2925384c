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
    `<message from='a@b/c' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'/></message>`,
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
