import { expect } from 'chai';
import { type OutgoingStanza, PeerManagement } from '../../src/federation/peer-management.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { StreamError } from '../../src/protocol/stream-error.ts';
import type { AckScope } from '../../src/routing/ack-scope.ts';
import { xml } from '../../src/xml/element.ts';
import { parseFrame } from '../../src/xml/parse-frame.ts';
import { serialize } from '../../src/xml/serialize.ts';
import { ManualClock } from '../support/manual-clock.ts';

const management = { ackEveryStanzas: 3, ackAfterMs: 1000, maxStanzas: 5, maxBytes: 100_000 };
const sm = 'xmlns="urn:xmpp:sm:3"';
const turn = () => new Promise(setImmediate);

describe('The confirmation of stanzas by another server', () => {
  let clock: ManualClock;
  let peer: PeerManagement;
  /** Elements and stanzas that were sent: the text of the former, the ids of the latter. */
  let sent: string[];
  let failures: unknown[];
  let copies: Map<string, 'kept' | 'released'>;
  let returned: (string | undefined)[];
  let pings: ((answer: Stanza | undefined) => void)[];

  beforeEach(() => {
    clock = new ManualClock();
    [sent, failures, returned, pings] = [[], [], [], []];
    copies = new Map();
    const requests = {
      ask: () => new Promise<Stanza | undefined>((resolve) => pings.push(resolve)),
    };
    peer = new PeerManagement(
      {
        role: { local: 'a.example', remote: 'b.example' },
        over: false,
        wire: { fail: (error) => void failures.push(error) },
        send: (element) => void sent.push(serialize(element, 'jabber:server')),
        sendStanza: ({ id }) => void sent.push(id ?? ''),
      },
      { management, requests, clock },
    );
  });

  const hears = (text: string) => peer.take(parseFrame(Buffer.from(text)));
  const condition = (run: () => void) => {
    try {
      run();
    } catch (error) {
      return error instanceof StreamError ? error.condition : error;
    }
    return undefined;
  };
  const keeps = (id: string) => {
    copies.set(id, 'kept');
    return { id: Promise.resolve(1), durable: Promise.resolve(), release: () => void copies.set(id, 'released') };
  };
  const sends = (...ids: readonly string[]) => {
    for (const id of ids) {
      const stanza = Stanza.message({ to: Jid.parse('juliet@b.example'), id }, xml('body'));
      const times = { sinceMs: 0, atMs: 0, attempts: 1, storedElsewhere: false };
      const takeBack = (entry: OutgoingStanza) => void returned.push(entry.stanza.id);
      peer.transmit({ stanza, handoff: { failed: () => undefined }, ...times, copy: keeps(id), takeBack });
    }
  };
  const released = () => [...copies].flatMap(([id, state]) => (state === 'released' ? id : []));

  describe('if both servers have stream management', () => {
    beforeEach(() => {
      peer.begin();
      hears(`<enabled ${sm}/>`);
      sent.length = 0;
    });

    it('is requested after a number of stanzas, or a time (XEP-0198 §4)', () => {
      sends('1', '2');
      expect(sent).to.deep.equal(['1', '2']);
      clock.advance(1000);
      expect(sent.slice(2)).to.deep.equal([`<r ${sm}/>`]);
      hears(`<a ${sm} h="2"/>`);
      sends('3', '4', '5');
      expect(sent.slice(3)).to.deep.equal(['3', '4', '5', `<r ${sm}/>`]);
    });

    it('covers exactly the stanzas that the other server counts', () => {
      sends('1', '2', '3');
      hears(`<a ${sm} h="2"/>`);
      expect(released()).to.deep.equal(['1', '2']);
      expect(peer.pending).to.equal(1);
      expect(condition(() => hears(`<a ${sm} h="4"/>`))).to.equal('undefined-condition');
    });

    it('is incomplete when the stream ends: the other stanzas go back, in order', () => {
      sends('1', '2', '3');
      hears(`<a ${sm} h="1"/>`);
      peer.end();
      expect([returned, released()]).to.deep.equal([['2', '3'], ['1']]);
    });

    it('times an unanswered request', () => {
      expect(peer.unansweredMs(clock.monotonicMs())).to.equal(0);
      sends('1', '2', '3');
      clock.advance(5000);
      expect(peer.unansweredMs(clock.monotonicMs())).to.equal(5000);
      hears(`<a ${sm} h="3"/>`);
      expect(peer.unansweredMs(clock.monotonicMs())).to.equal(0);
    });

    it('makes room for more', async () => {
      sends('1', '2', '3', '4', '5', '6');
      expect(peer.full).to.equal(true);
      const room = peer.room();
      hears(`<a ${sm} h="6"/>`);
      await room;
      expect(peer.full).to.equal(false);
    });

    it('is requested at once when nothing more will be sent', async () => {
      sends('1');
      const settled = peer.settled();
      expect(sent).to.deep.equal(['1', `<r ${sm}/>`]);
      hears(`<a ${sm} h="1"/>`);
      await settled;
    });

    it('is sent to the other server for its final stanzas', async () => {
      const durable = Promise.withResolvers<void>();
      const takes = (work?: Promise<void>) =>
        peer.count((origin: AckScope) => {
          expect(origin.needsAck).to.equal(true);
          if (work) origin.ackAfter(work);
        });
      takes();
      takes(durable.promise);
      takes();
      hears(`<r ${sm}/>`);
      expect(sent).to.deep.equal([`<a ${sm} h="1"/>`]);
      durable.resolve();
      await turn();
      expect(sent).to.deep.equal([`<a ${sm} h="1"/>`, `<a ${sm} h="3"/>`]);
      await peer.finish();
      expect(sent).to.have.length(3);
    });

    it('ends the stream if a stanza can never be final', async () => {
      peer.count((origin) => origin.ackAfter(Promise.reject(new Error('the disk'))));
      await turn();
      expect(String(failures)).to.equal('Error: the disk');
    });
  });

  describe('if the other server enables stream management', () => {
    it('works in both directions', () => {
      hears(`<enable ${sm}/>`);
      expect(sent).to.deep.equal([`<enabled ${sm}/>`]);
      sends('1');
      hears(`<a ${sm} h="1"/>`);
      expect(released()).to.deep.equal(['1']);
    });

    it('can be enabled only once (XEP-0198 §3)', () => {
      hears(`<enable ${sm}/>`);
      expect(condition(() => hears(`<enable ${sm}/>`))).to.equal('policy-violation');
    });

    it('cannot resume another stream (XEP-0198 §5)', () => {
      hears(`<resume ${sm} previd="x" h="0"/>`);
      expect(sent.join()).to.match(/^<failed .*<item-not-found /);
    });
  });

  describe('without stream management', () => {
    it('is the answer to a ping behind them (XEP-0199)', async () => {
      sends('1', '2', '3');
      clock.advance(0);
      await turn();
      expect(released()).to.deep.equal([]);
      pings[0]?.(Stanza.iq({ type: 'result', id: 'p' }));
      await turn();
      expect([released(), peer.pending]).to.deep.equal([['1', '2', '3'], 0]);
    });

    it('is missing when the stream ends: all stanzas go back, in order', () => {
      sends('1', '2');
      peer.end();
      expect([returned, released()]).to.deep.equal([['1', '2'], []]);
    });

    it('is neither sent nor accepted as an acknowledgment', () => {
      peer.count((origin) => expect(origin.needsAck).to.equal(false) && undefined);
      expect(condition(() => hears(`<a ${sm} h="0"/>`))).to.equal('policy-violation');
      hears(`<r ${sm}/>`);
      expect(sent.join()).to.match(/^<failed .*<unexpected-request /);
    });
  });

  describe('if the other server refuses stream management (XEP-0198 §3)', () => {
    it('no longer limits sending', async () => {
      peer.begin();
      sends('1', '2', '3', '4', '5', '6');
      expect(peer.full).to.equal(true);
      const room = peer.room();
      hears(`<failed ${sm}/>`);
      await room;
      expect(peer.full).to.equal(false);
    });

    it('is no longer expected: the stream does not count as dead', () => {
      peer.begin();
      sends('1', '2', '3');
      expect(sent.at(-1)).to.equal(`<r ${sm}/>`);
      hears(`<failed ${sm}/>`);
      clock.advance(5000);
      expect(peer.unansweredMs(clock.monotonicMs())).to.equal(0);
    });

    it('comes from a ping, also for stanzas sent before', async () => {
      peer.begin();
      sends('1');
      hears(`<failed ${sm}/>`);
      sends('2');
      clock.advance(1000);
      await turn();
      pings[0]?.(Stanza.iq({ type: 'error', id: 'p' }));
      await turn();
      expect(released()).to.deep.equal(['1', '2']);
    });
  });
});
