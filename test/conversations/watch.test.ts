import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { ControlClient } from '../../src/cli/control-client.ts';
import { type Server, startServer } from '../../src/compose/server.ts';
import { configSchema } from '../../src/config/schema.ts';
import { addUser } from '../../src/web/control/user-operations.ts';
import { watch } from '../../src/web/control/watch-operations.ts';
import type { WatchRequest } from '../../src/web/watch/watch-filter.ts';
import type { WatchItem } from '../../src/web/watch/watcher.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { TestClient } from '../support/test-client.ts';

describe('Watching a server through its control socket', () => {
  let directory: string;
  let log: RecordingLog;
  let server: Server;
  let stopped: Promise<void> | undefined;
  let romeo: TestClient;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ampere-watch-'));
    const config = configSchema({ directory, environment: {} }).parse({
      dataDir: '.',
      listen: { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [], components: [], http: [], https: [], proxy: [] },
      tls: { required: false },
      s2s: { enabled: false },
      authentication: { scramIterations: 4096 },
      storage: { quickCheck: false, ballastBytes: 0 },
    });
    log = new RecordingLog();
    stopped = undefined;
    server = await startServer(config, { log });
    await server.administration.call(addUser, { jid: 'romeo@localhost', password: 'wherefore' });
    romeo = await TestClient.connect({ host: '127.0.0.1', port: server.addresses.c2s[0]?.port ?? 0 }, 'localhost');
    await romeo.opens();
    await romeo.authenticates({ username: 'romeo', password: 'wherefore' });
    await romeo.binds('orchard');
  });
  afterEach(async () => {
    romeo.disconnects();
    await stop();
    await rm(directory, { recursive: true });
  });

  /** Stops the server, once. */
  const stop = () => {
    stopped ??= server.stop();
    return stopped;
  };

  /** Begins to watch, and gives the items without what differs from run to run. */
  async function watching(request: Partial<WatchRequest>): Promise<AsyncGenerator<object | undefined>> {
    const control = (await ControlClient.connect(directory)) ?? expect.fail('no control socket');
    const items = control.follow(watch, { bodies: false, ...request });
    const first = items.next();
    // The answer of the server begins with the watch.
    while (!log.lines.some((line) => line.includes('POST /watch'))) await setImmediate();
    return (async function* () {
      for (let next = await first; !next.done; next = await items.next()) yield stable(next.value);
      await items.return();
    })();
  }

  const stable = (item: WatchItem) => {
    if (item.what !== 'stanza') return item;
    const { at, ...rest } = item;
    return rest;
  };
  const upTo = async (count: number, items: AsyncGenerator<object | undefined>) => {
    const got: (object | undefined)[] = [];
    while (got.length < count) got.push((await items.next()).value);
    await items.return(undefined);
    return got;
  };

  it('shows stanzas in both directions, without what they say', async () => {
    const items = await watching({ kinds: ['message'] });
    romeo.sends(
      '<presence/><message to="romeo@localhost/orchard" id="m1" type="chat"><body>Good morrow</body></message>',
    );
    const via = { what: 'stanza', via: 'c2s', peer: 'romeo@localhost/orchard' };
    const content = { bytes: 24, content: '<body>…</body>' };
    const message = { kind: 'message', type: 'chat', id: 'm1', to: 'romeo@localhost/orchard' };
    const [read, written] = await upTo(2, items);
    expect(read).to.deep.equal({ ...via, direction: 'in', ...message, ...content });
    expect(written).to.deep.include({ ...via, direction: 'out', ...message, from: 'romeo@localhost/orchard' });
    expect(written).to.have.property('content').that.includes('<body>…</body>');
  });

  it('shows what they say to an operator who asks for it, and logs that', async () => {
    const items = await watching({ kinds: ['message'], bodies: true });
    romeo.sends('<message to="romeo@localhost/orchard"><body>Good morrow</body></message>');
    const [read] = await upTo(1, items);
    expect(read).to.include({ content: '<body>Good morrow</body>' });
    expect(
      log.lines.filter((line) => line.startsWith('info administration') && line.includes('POST /watch')),
    ).to.have.length(1);
  });

  it('shows lines of the log', async () => {
    const items = await watching({ kinds: ['log'], jid: 'mercutio@localhost' });
    await server.administration.call(addUser, { jid: 'tybalt@localhost', password: 'x' });
    const control = (await ControlClient.connect(directory)) ?? expect.fail('no control socket');
    await control.call(addUser, { jid: 'mercutio@localhost', password: 'x' });
    const [line] = await upTo(1, items);
    expect(line).to.have.property('line').that.includes('mercutio@localhost').and.not.includes('tybalt');
  });

  it('ends with the server', async () => {
    const items = await watching({ kinds: ['iq'], ns: 'urn:none' });
    const last = upTo(1, items);
    await stop();
    expect(await last).to.deep.equal([{ what: 'end', reason: 'the server stops' }]);
  });

  it('admits few watchers, and forgets one that has disconnected', async () => {
    const open = await Promise.all(Array.from({ length: 8 }, () => watching({ kinds: ['iq'], ns: 'urn:none' })));
    const opened = () =>
      log.lines.filter((line) => line.startsWith('info administration') && line.includes('POST /watch'));
    while (opened().length < 8) await setImmediate();
    const control = (await ControlClient.connect(directory)) ?? expect.fail('no control socket');
    const refusal = await control
      .follow(watch, { bodies: false })
      .next()
      .catch(({ code }: { code: string }) => code);
    expect(refusal).to.equal('conflict');
    for (const items of open) await items.return(undefined);
  });
});
