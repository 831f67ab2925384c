import { expect } from 'chai';
import { Jid } from '../../../src/protocol/jid.ts';
import { Stanza } from '../../../src/protocol/stanza.ts';
import type { RouteOptions } from '../../../src/routing/passage.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import type { KeptCopy } from '../../../src/streams/acknowledgment/kept-copies.ts';
import { PendingRedeliveries } from '../../../src/streams/acknowledgment/pending-redeliveries.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RecordingLog } from '../../support/recording-log.ts';

const full = new StorageError('full', 'for the test');

/** A message from Romeo that its session did not deliver, and what becomes of it. */
class Scene {
  readonly clock = new ManualClock();
  readonly log = new RecordingLog();
  readonly routed: string[] = [];
  readonly options: RouteOptions[] = [];
  readonly pendingRedeliveries: PendingRedeliveries;
  released = 0;

  constructor(work: () => Promise<void>) {
    this.pendingRedeliveries = new PendingRedeliveries({
      clock: this.clock,
      log: this.log,
      route: (stanza, options) => {
        this.routed.push(`${stanza.id} ${stanza.type ?? 'normal'} to ${stanza.to}`);
        this.options.push(options);
        if (stanza.type !== 'error') options.ackScope?.ackAfter(work());
      },
    });
  }

  async takes(rowId: number | undefined): Promise<void> {
    const [from, to] = [Jid.parse('romeo@a.example/orchard'), Jid.parse('juliet@a.example')];
    const release = () => {
      this.released += 1;
    };
    const copy: KeptCopy = { id: Promise.resolve(rowId), durable: Promise.resolve(), release };
    await this.pendingRedeliveries.take(
      [{ stanza: Stanza.message({ id: 'm', from, to }), atMs: undefined, copy }],
      'a.example',
    );
  }
}

describe('The way back of what a session did not deliver (XEP-0198 §4)', () => {
  it('is told that there is a place on the disk, which is given up when there is another', async () => {
    const scene = new Scene(() => Promise.resolve());
    await scene.takes(1);
    await scene.pendingRedeliveries.settled();
    expect(scene.options[0]?.again?.hasCopy).to.equal(true);
    expect(scene.released).to.equal(1);
  });

  it('leaves it in its place on the disk when there is no room for it elsewhere', async () => {
    const scene = new Scene(() => Promise.reject(full));
    await scene.takes(1);
    await scene.pendingRedeliveries.settled();
    expect(scene.routed).to.deep.equal(['m normal to juliet@a.example']);
    expect(scene.released).to.equal(0);
    expect(scene.log.lines).to.deep.equal([]);
  });

  it('ends at its sender when it has no place on the disk at all', async () => {
    const scene = new Scene(() => Promise.reject(full));
    await scene.takes(undefined);
    await scene.pendingRedeliveries.settled();
    expect(scene.routed).to.deep.equal(['m normal to juliet@a.example', 'm error to romeo@a.example/orchard']);
    expect(scene.released).to.equal(1);
  });

  it('is told to the operator if it fails for another reason', async () => {
    const scene = new Scene(() => Promise.reject(new Error('for the test')));
    await scene.takes(1);
    await scene.pendingRedeliveries.settled();
    expect(scene.log.alarms).to.have.length(1);
    expect(scene.released).to.equal(0);
  });

  it('is not waited for without end', async () => {
    const scene = new Scene(() => new Promise(() => {}));
    await scene.takes(1);
    const settled = scene.pendingRedeliveries.settled();
    scene.clock.advance(10_000);
    await settled;
    expect(scene.released).to.equal(0);
  });
});
