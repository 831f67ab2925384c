import { expect } from 'chai';
import { Workplace } from '../cli/run.ts';
import { ResilientClient, type SentMessage } from './resilient-client.ts';
import { ServerFixture } from './server-under-test.ts';

describe('accounts changed between a kill and the next start (XEP-0198 §5)', () => {
  const fixture = new ServerFixture();
  const workplace = new Workplace();
  const names = ['romeo', 'juliet', 'tybalt'];

  /** Kills a server while the sessions of Juliet and Tybalt are attached, each with an unacknowledged message. */
  async function killed(): Promise<readonly [juliet: ResilientClient, tybalt: ResilientClient]> {
    workplace.configure({
      domains: ['localhost'],
      dataDir: fixture.dataDir,
      authentication: { scramIterations: 4096 },
    });
    const server = await fixture.start(names);
    const acknowledged: SentMessage[] = [];
    const events = { acknowledged: (messages: readonly SentMessage[]) => void acknowledged.push(...messages) };
    const [romeo, juliet, tybalt] = names.map((name) => new ResilientClient(name, true, events));
    if (!romeo || !juliet || !tybalt) throw new Error('there must be three clients');
    for (const client of [romeo, juliet, tybalt]) await client.connects(server.port);
    for (const client of [juliet, tybalt]) client.stopsReading();
    for (const to of ['juliet', 'tybalt']) romeo.sends({ id: `to-${to}`, to });
    await romeo.readsAcknowledgments();
    server.kill();
    await server.end();
    for (const client of [romeo, juliet, tybalt]) client.disconnects();
    return [juliet, tybalt];
  }

  /** Starts the server again and reconnects both. */
  async function returned(juliet: ResilientClient, tybalt: ResilientClient): Promise<void> {
    const server = await fixture.start(names);
    for (const client of [juliet, tybalt]) await client.connects(server.port);
    for (const client of [juliet, tybalt]) await client.readsAll();
    for (const client of [juliet, tybalt]) client.disconnects();
    await server.stop();
  }

  it('cannot resume a session after a change of password, and get its messages from the store', async () => {
    const [juliet, tybalt] = await killed();
    await workplace.done('user', 'passwd', 'juliet@localhost', '--password', 'juliet-password');
    await returned(juliet, tybalt);
    expect([juliet.resumed, tybalt.resumed]).to.deep.equal([false, true]);
    expect([juliet.received, tybalt.received]).to.deep.equal([['to-juliet'], ['to-tybalt']]);
  });

  it('leave nothing to a new account of the same name when they are removed', async () => {
    const [juliet, tybalt] = await killed();
    await workplace.done('user', 'rm', 'juliet@localhost');
    await workplace.done('user', 'add', 'juliet@localhost', '--password', 'juliet-password');
    await returned(juliet, tybalt);
    expect([juliet.resumed, tybalt.resumed]).to.deep.equal([false, true]);
    expect([juliet.received, tybalt.received]).to.deep.equal([[], ['to-tybalt']]);
  });
});
