import { expect } from 'chai';
import { DialFailure } from '../../src/federation/dial-failure.ts';
import { KeyVerifier, type KeyVerifierDeps } from '../../src/federation/key-verifier.ts';
import type { Established } from '../../src/federation/server-stream-out.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { ManualClock } from '../support/manual-clock.ts';

const question = { local: 'a.example', remote: 'b.example', streamId: 'x', key: 'key' };
const turn = () => new Promise(setImmediate);

describe('Whoever asks other servers about keys', () => {
  let clock: ManualClock;
  let verifier: KeyVerifier;
  let dialled: string[];
  let closed: number;
  /** What becomes of the next attempt; without an end unless it is said. */
  let dial: KeyVerifierDeps['dialler']['dial'];

  beforeEach(() => {
    clock = new ManualClock();
    dialled = [];
    closed = 0;
    dial = (_pair, _purpose, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    verifier = new KeyVerifier({
      dialler: {
        dial: (pair, ...rest) => {
          dialled.push(pair.remote);
          return dial(pair, ...rest);
        },
      },
      streamTo: () => undefined,
      clock,
      timeoutMs: () => 1000,
      shares: () => ({ dialbackQuestions: 5, dialbackQuestionsPerIp: 2 }),
    });
  });

  const asks = (remoteAddress: string, remote = 'b.example') =>
    verifier
      .verify({ ...question, remote }, { remoteAddress })
      .then((answer) => (answer instanceof StanzaError ? answer.condition : answer));

  it('opens a stream for it, and closes it', async () => {
    // Whoever asks uses no more of a stream.
    const close = () => {
      closed += 1;
    };
    const stream = { dialback: { verify: async () => 'valid' }, close };
    dial = async () => ({ stream, proof: undefined, features: [] }) as unknown as Established;
    expect(await asks('192.0.2.1')).to.equal('valid');
    expect([dialled, closed]).to.deep.equal([['b.example'], 1]);
  });

  it('says why there is no answer', async () => {
    dial = () => Promise.reject(DialFailure.notFound('nobody'));
    expect(await asks('192.0.2.1')).to.equal('remote-server-not-found');
  });

  it('waits for no answer without end', async () => {
    const asking = asks('192.0.2.1');
    await turn();
    clock.advance(1000);
    expect(await asking).to.equal('remote-server-timeout');
  });

  it('asks no more than its share for one address, so that the others go on', async () => {
    const silent = ['one', 'two'].map((name) => asks('192.0.2.1', name));
    expect(await asks('192.0.2.1', 'three')).to.equal('resource-constraint');
    dial = () => Promise.reject(DialFailure.notFound('nobody'));
    expect(await asks('192.0.2.2', 'four')).to.equal('remote-server-not-found');
    expect(dialled).to.deep.equal(['one', 'two', 'four']);
    clock.advance(1000);
    await Promise.all(silent);
    expect(await asks('192.0.2.1', 'five')).to.equal('remote-server-not-found');
  });

  it('counts a network of IPv6 as one address', async () => {
    for (const host of ['1', '2']) void asks(`2001:db8::${host}`);
    expect(await asks('2001:db8::3')).to.equal('resource-constraint');
  });

  it('asks no more than there is for all', async () => {
    for (let host = 0; host < 5; host++) void asks(`192.0.2.${host}`);
    expect(await asks('192.0.2.9')).to.equal('resource-constraint');
  });
});
