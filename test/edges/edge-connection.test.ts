import { expect } from 'chai';
import { EdgeConnection } from '../../src/edges/edge-connection.ts';
import { toCore } from '../../src/edges/records.ts';
import { linkMemory, ThreadLink } from '../../src/edges/thread-link.ts';
import { RecordingUser } from '../streams/recording-user.ts';
import { turn } from '../streams/socket-pair.ts';

describe('The side of the core of a connection at an edge', () => {
  function connected() {
    const link = new ThreadLink(linkMemory(), 'core', { took: () => {}, relieved: () => {} });
    const user = new RecordingUser();
    const limits = { outgoingBufferBytes: 1_000_000, writeStallMs: 60_000 };
    const peer = { id: 1, remoteAddress: '127.0.0.1', start: 'starttls' } as const;
    return { user, link, connection: new EdgeConnection(peer, user, { link, limits, forget: () => {} }) };
  }

  it('is lost when TLS is asked for and something has come in the clear while it was paused (RFC 6120 §5.4.3.3)', async () => {
    const { user, link, connection } = connected();
    connection.take(toCore.bytes, Buffer.from('one'));
    connection.pause('work');
    connection.take(toCore.bytes, Buffer.from('two'));
    connection.resume('work');
    connection.startTls('starttls', 'a.example', 'proceed');
    await turn();
    expect(user.bytes.toString()).to.equal('one');
    expect(user.events).to.deep.equal(['disconnected']);
    link.close();
  });

  it('overlooks white space that was on its way or kept back when TLS was asked for', async () => {
    const { user, link, connection } = connected();
    connection.pause('work');
    connection.take(toCore.bytes, Buffer.from('\n'));
    connection.resume('work');
    connection.startTls('starttls', 'a.example', 'proceed');
    connection.take(toCore.bytes, Buffer.from(' \r\n'));
    await turn();
    expect([user.bytes.toString(), user.events]).to.deep.equal(['', []]);
    connection.take(toCore.bytes, Buffer.from(' <'));
    expect(user.events).to.deep.equal(['disconnected']);
    link.close();
  });

  it('tells of its end also if that was kept back when TLS was asked for', async () => {
    const { user, link, connection } = connected();
    connection.pause('work');
    connection.take(toCore.bytes, Buffer.from('\n'));
    connection.take(toCore.gone, Buffer.alloc(0));
    connection.startTls('starttls', 'a.example', 'proceed');
    connection.resume('work');
    await turn();
    expect([user.bytes.toString(), user.events]).to.deep.equal(['', ['disconnected']]);
    link.close();
  });
});
