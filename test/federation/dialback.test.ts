import { expect } from 'chai';
import { Dialback, type DialbackDeps, type DialbackStream } from '../../src/federation/dialback.ts';
import type { DialbackAnswer } from '../../src/federation/dialback-message.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { parseFrame } from '../../src/xml/parse-frame.ts';
import { RecordingLog } from '../support/recording-log.ts';

const question = { local: 'a.example', remote: 'b.example', streamId: 'x', key: 'key' };

describe('A dialback verification', () => {
  let log: RecordingLog;
  let dialback: Dialback;

  beforeEach(() => {
    log = new RecordingLog();
    // Whoever only asks uses no more of either.
    const stream = { remoteAddress: '192.0.2.1', send: () => undefined } as unknown as DialbackStream;
    dialback = new Dialback(stream, { log } as unknown as DialbackDeps);
  });

  const answers = (type: string) =>
    dialback.take(
      parseFrame(
        Buffer.from(`<verify xmlns="jabber:server:dialback" from="b.example" to="a.example" id="x" type="${type}"/>`),
      ),
    );
  const word = (answer: DialbackAnswer) => (answer instanceof StanzaError ? answer.condition : answer);

  it('is forgotten when it is aborted', async () => {
    const abort = new AbortController();
    const asked = dialback.verify(question, abort.signal);
    abort.abort();
    expect(word(await asked)).to.equal('remote-server-timeout');
    answers('valid');
    expect(log.lines.join()).to.contain('unexpected dialback answer');
  });

  it('that is repeated waits only for the later answer', async () => {
    const { signal } = new AbortController();
    const asked = [dialback.verify(question, signal), dialback.verify(question, signal)];
    answers('valid');
    expect((await Promise.all(asked)).map(word)).to.deep.equal(['remote-server-timeout', 'valid']);
  });
});
