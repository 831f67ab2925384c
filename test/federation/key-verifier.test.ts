import { expect } from 'chai';
import { DialFailure } from '../../src/federation/dial-failure.ts';
import { KeyVerifier, type KeyVerifierDeps } from '../../src/federation/key-verifier.ts';
import type { Established } from '../../src/federation/server-stream-out.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { ManualClock } from '../support/manual-clock.ts';

const question = { local: 'a.example', remote: 'b.example', streamId: 'x', key: 'key' };
const turn = () => new Promise(setImmediate);

describe('KeyVerifier', () => {
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

  it('opens a stream for a key, and closes it', async () => {
    // Whoever asks uses no more of a stream.
    const close = () => {
      closed += 1;
    };
    const stream = { dialback: { verify: async () => 'valid' }, close };
    dial = async () => ({ stream, proof: undefined, features: [] }) as unknown as Established;
    expect(await asks('192.0.2.1')).to.equal('valid');
    expect([dialled, closed]).to.deep.equal([['b.example'], 1]);
  });

  it('answers with an error if no stream can be opened', async () => {
    dial = () => Promise.reject(DialFailure.notFound('nobody'));
    expect(await asks('192.0.2.1')).to.equal('remote-server-not-found');
  });

  it('does not wait forever for an answer', async () => {
    const asking = asks('192.0.2.1');
    await turn();
    clock.advance(1000);
    expect(await asking).to.equal('remote-server-timeout');
  });

  it('verifies no more keys of one address than its share', async () => {
    const silent = ['one', 'two'].map((name) => asks('192.0.2.1', name));
    expect(await asks('192.0.2.1', 'three')).to.equal('resource-constraint');
    dial = () => Promise.reject(DialFailure.notFound('nobody'));
    expect(await asks('192.0.2.2', 'four')).to.equal('remote-server-not-found');
    expect(dialled).to.deep.equal(['one', 'two', 'four']);
    clock.advance(1000);
    await Promise.all(silent);
    expect(await asks('192.0.2.1', 'five')).to.equal('remote-server-not-found');
  });

  it('counts an IPv6 /64 as one address', async () => {
    for (const host of ['1', '2']) void asks(`2001:db8::${host}`);
    expect(await asks('2001:db8::3')).to.equal('resource-constraint');
  });

  it('verifies no more keys than the total', async () => {
    for (let host = 0; host < 5; host++) void asks(`192.0.2.${host}`);
    expect(await asks('192.0.2.9')).to.equal('resource-constraint');
  });
});
