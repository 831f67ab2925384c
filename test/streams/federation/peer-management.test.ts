import { expect } from 'chai';
import { Jid } from '../../../src/protocol/jid.ts';
import { Stanza } from '../../../src/protocol/stanza.ts';
import type { Departing } from '../../../src/streams/federation/departing.ts';
import { PeerManagement } from '../../../src/streams/federation/peer-management.ts';
import { xml } from '../../../src/xml/element.ts';
import { parseFrame } from '../../../src/xml/parse-frame.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const management = { ackEveryStanzas: 10, ackAfterMs: 1000, maxStanzas: 2, maxBytes: 100_000 };
const frame = (name: string) => parseFrame(Buffer.from(`<${name} xmlns="urn:xmpp:sm:3"/>`));

describe('What has arrived at another server', () => {
  let peer: PeerManagement;

  beforeEach(() => {
    peer = new PeerManagement(
      {
        role: { local: 'a.example', remote: 'b.example' },
        over: false,
        wire: { fail: () => undefined },
        send: () => undefined,
        sendStanza: () => undefined,
      },
      { management, requests: { ask: () => Promise.resolve(undefined) }, clock: new ManualClock() },
    );
  });

  function departing(id: string): Departing {
    const stanza = Stanza.message({ to: Jid.parse('juliet@b.example'), id }, xml('body'));
    const departure = { failed: () => undefined };
    const times = { sinceMs: 0, atMs: 0, attempts: 1, storedElsewhere: false };
    return { stanza, departure, ...times, copy: undefined, back: () => undefined };
  }

  it('needs no room any more when the server refuses to acknowledge (XEP-0198 §3)', async () => {
    peer.begin();
    for (const id of ['1', '2', '3']) peer.transmit(departing(id));
    expect(peer.full).to.equal(true);
    const room = peer.room();
    peer.take(frame('failed'));
    await room;
    expect(peer.full).to.equal(false);
  });
});
