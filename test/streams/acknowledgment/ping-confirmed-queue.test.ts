import { expect } from 'chai';
import { Stanza } from '../../../src/protocol/stanza.ts';
import { PingConfirmedQueue } from '../../../src/streams/acknowledgment/ping-confirmed-queue.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('what is sent to somebody who acknowledges nothing', () => {
  let clock: ManualClock;
  let pingConfirmed: PingConfirmedQueue;
  let pings: ((answer: unknown) => void)[];
  let kept: Set<string | undefined>;
  let ended: boolean;

  beforeEach(() => {
    clock = new ManualClock();
    [pings, kept, ended] = [[], new Set(), false];
    const recipient = {
      hasEnded: () => ended,
      keep: ({ id }: Stanza) => {
        kept.add(id);
        return { id: Promise.resolve(1), durable: Promise.resolve(), release: () => void kept.delete(id) };
      },
      ping: () => new Promise((resolve) => pings.push(resolve)),
    };
    pingConfirmed = new PingConfirmedQueue(recipient, { ackEveryStanzas: 3, ackAfterMs: 100, maxStanzas: 4 }, clock);
  });

  async function send(...ids: string[]): Promise<void> {
    for (const id of ids) void pingConfirmed.add(Stanza.message({ id }));
    clock.advance(100);
    await turn();
  }

  async function answer(what: unknown): Promise<void> {
    pings.shift()?.(what);
    await turn();
  }

  it('is kept until a ping sent behind it is answered (XEP-0199 §4.1)', async () => {
    await send('1', '2');
    await send('3');
    expect([pings.length, ...kept]).to.deep.equal([1, '1', '2', '3']);
    await answer('pong');
    expect([...kept]).to.deep.equal(['3']);
    clock.advance(100);
    expect(pings).to.have.length(1);
    await answer('pong');
    expect([...kept]).to.deep.equal([]);
  });

  it('is kept however much it is, as long as an answer can come', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `${index}`);
    await send(...ids);
    expect([...kept]).to.deep.equal(ids);
    ended = true;
    await answer(undefined);
    expect(pingConfirmed.end().map(({ stanza }) => stanza.id)).to.deep.equal(ids);
  });

  it('is kept up to a limit if no answer comes', async () => {
    const ids = ['1', '2', '3', '4', '5', '6'];
    await send(...ids);
    for (let silences = 1; silences < 10; silences++) {
      await answer(undefined);
      clock.advance(0);
    }
    expect([...kept]).to.deep.equal(ids);
    await answer(undefined);
    expect([...kept]).to.deep.equal(['3', '4', '5', '6']);
    clock.advance(0);
    expect(pings).to.have.length(1);
    await answer('pong');
    expect([...kept]).to.deep.equal([]);
  });
});
