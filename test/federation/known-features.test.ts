import { expect } from 'chai';
import { KnownFeatures } from '../../src/federation/known-features.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { ns } from '../../src/protocol/namespaces.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { errorReply, iqResult } from '../../src/protocol/stanza-replies.ts';
import { OutgoingRequests } from '../../src/routing/outgoing-requests.ts';
import { xml } from '../../src/xml/element.ts';
import { ManualClock } from '../support/manual-clock.ts';

const pair = { local: 'a.example', remote: 'b.example' };
const hourMs = 3_600_000;

describe('The features of other servers (XEP-0030 §3)', () => {
  let clock: ManualClock;
  let requests: OutgoingRequests;
  let known: KnownFeatures;
  let asked: Stanza[];

  beforeEach(() => {
    clock = new ManualClock();
    requests = new OutgoingRequests(clock);
    known = new KnownFeatures(requests, clock);
    asked = [];
  });

  const ask = () => known.of(pair, (request) => void asked.push(request));
  const answer = (reply: Stanza | undefined) => reply && requests.settle(reply, Jid.parse('b.example'));
  const last = () => asked.at(-1) ?? expect.fail('nobody has asked');
  const features = (...names: string[]) =>
    xml('query', { xmlns: ns.discoInfo }, ...names.map((name) => xml('feature', { var: name })));

  it('are cached for an hour, so that changes are noticed (D-46)', async () => {
    const first = ask();
    const second = ask();
    answer(iqResult(last(), features('urn:x', 'urn:y')));
    expect([...(await first)]).to.deep.equal(['urn:x', 'urn:y']);
    expect(await second).to.equal(await first);
    clock.advance(hourMs - 1);
    expect([...(await ask())]).to.deep.equal(['urn:x', 'urn:y']);
    expect(asked).to.have.lengthOf(1);
    clock.advance(1);
    void ask();
    expect(asked).to.have.lengthOf(2);
  });

  it('are asked for again after a minute without a usable answer', async () => {
    for (const silence of [true, false]) {
      const before = asked.length;
      const asking = ask();
      if (silence) clock.advance(10_000);
      else answer(errorReply(last(), StanzaError.serviceUnavailable()));
      const error: unknown = await asking.catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(StanzaError);
      clock.advance(59_999);
      await ask().catch(() => undefined);
      expect(asked).to.have.lengthOf(before + 1);
      clock.advance(1);
    }
  });

  it('are cached for at most a thousand domains', async () => {
    const asking = ask();
    const long = Array.from({ length: 10 }, (_, index) => `urn:${index}:${'x'.repeat(2000)}`);
    answer(iqResult(last(), features(...long)));
    expect([...(await asking)]).to.deep.equal(long.slice(0, 8));
  });
});
