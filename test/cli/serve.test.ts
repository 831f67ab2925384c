import { EventEmitter, once } from 'node:events';
import { expect } from 'chai';
import { serve } from '../../src/cli/serve.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';

/** A server whose life the test controls, served with signals of the test. */
class Scene {
  readonly signals = new EventEmitter();
  readonly clock = new ManualClock();
  readonly log = new RecordingLog();
  readonly started = Promise.withResolvers<void>();
  readonly stopped = Promise.withResolvers<void>();
  readonly happened: string[] = [];
  /** What the supervisor was told. */
  readonly told: string[] = [];
  fail: (error: Error) => void = () => {};
  reloadFailure: Error | undefined;
  readonly over: Promise<void>;

  constructor() {
    const server = {
      reload: async () => {
        this.happened.push('reload');
        if (this.reloadFailure) throw this.reloadFailure;
      },
      stop: () => {
        this.happened.push('stop');
        this.signals.emit('stopping');
        return this.stopped.promise;
      },
    };
    this.over = serve({
      start: async (fail) => {
        this.fail = fail;
        await this.started.promise;
        return server;
      },
      ready: () => {
        this.happened.push('ready');
        this.signals.emit('readied');
      },
      signals: this.signals,
      supervisor: {
        ready: () => this.told.push('ready'),
        reloading: () => this.told.push('reloading'),
        stopping: () => this.told.push('stopping'),
      },
      reopenLog: () => this.happened.push('reopen'),
      clock: this.clock,
      log: this.log,
      hurry: () => this.happened.push('hurry'),
    });
  }

  /** A scene with a server that is ready. */
  static async ready(): Promise<Scene> {
    const scene = new Scene();
    scene.started.resolve();
    await once(scene.signals, 'readied');
    return scene;
  }
}

describe('serving', () => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    it(`ends in peace with ${signal}, and leaves no listener behind`, async () => {
      const scene = await Scene.ready();
      scene.signals.emit(signal);
      await once(scene.signals, 'stopping');
      scene.stopped.resolve();
      await scene.over;
      expect(scene.happened).to.deep.equal(['ready', 'stop']);
      expect(scene.signals.listenerCount(signal)).to.equal(0);
    });
  }

  it('hurries at a second signal, but not at the echo of the first', async () => {
    const scene = await Scene.ready();
    scene.signals.emit('SIGINT');
    scene.clock.advance(1000);
    scene.signals.emit('SIGTERM');
    expect(scene.happened).not.to.include('hurry');
    scene.clock.advance(1);
    scene.signals.emit('SIGINT');
    expect(scene.happened).to.include('hurry');
    scene.stopped.resolve();
    await scene.over;
  });

  it('reloads at SIGHUP and goes on when that fails', async () => {
    const scene = await Scene.ready();
    scene.signals.emit('SIGHUP');
    scene.reloadFailure = new Error('port 0');
    scene.signals.emit('SIGHUP');
    scene.signals.emit('SIGUSR1');
    scene.signals.emit('SIGUSR2');
    scene.signals.emit('SIGTERM');
    scene.stopped.resolve();
    await scene.over;
    expect(scene.happened).to.deep.equal(['ready', 'reload', 'reload', 'reopen', 'stop']);
    expect(scene.told.filter((state) => state !== 'ready')).to.deep.equal(['reloading', 'reloading', 'stopping']);
    expect(scene.log.alarms.join()).to.match(/reload failed; nothing was changed.*port 0/);
  });

  it('stops what was asked to stop before it was ready', async () => {
    const scene = new Scene();
    scene.signals.emit('SIGHUP');
    scene.signals.emit('SIGTERM');
    scene.started.resolve();
    scene.stopped.resolve();
    await scene.over;
    expect(scene.happened).to.deep.equal(['ready', 'stop']);
  });

  it('stops and rejects when the server cannot go on', async () => {
    const scene = await Scene.ready();
    scene.fail(new Error('the disk is gone'));
    scene.stopped.resolve();
    expect(await scene.over.catch(String)).to.equal('Error: the disk is gone');
    expect(scene.happened).to.deep.equal(['ready', 'stop']);
  });

  it('rejects when the server does not start', async () => {
    const scene = new Scene();
    scene.started.reject(new Error('no port'));
    expect(await scene.over.catch(String)).to.equal('Error: no port');
    expect(scene.happened).to.deep.equal([]);
    expect(scene.signals.listenerCount('SIGTERM')).to.equal(0);
  });
});
