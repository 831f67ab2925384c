import { expect } from 'chai';
import type { Stanza } from '../../src/protocol/stanza.ts';
import type { Outgoing, OutgoingStore } from '../../src/storage/outgoing.ts';
import { OutgoingCopies } from '../../src/streams/outgoing-copies.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';

/** A table in memory, which outlives its server. */
class MemoryOutgoing implements OutgoingStore {
  readonly rows: Outgoing[] = [];
  #ids = 0;

  add(stanza: Omit<Outgoing, 'id'>): Promise<number> {
    this.#ids += 1;
    this.rows.push({ ...stanza, id: this.#ids });
    return Promise.resolve(this.#ids);
  }

  remove(ids: readonly number[]): Promise<void> {
    this.rows.splice(0, this.rows.length, ...this.rows.filter(({ id }) => !ids.includes(id)));
    return Promise.resolve();
  }

  list(afterId: number, limit: number): Promise<Outgoing[]> {
    return Promise.resolve(this.rows.filter(({ id }) => id > afterId).slice(0, limit));
  }
}

describe('Copies of stanzas on their way out', () => {
  const message = (id: string) =>
    readStanza(`<message from='a@a.example' to='b@b.example' id='${id}'><body/></message>`);

  it('are taken back at the next start, and those of what was sent since are not', async () => {
    const store = new MemoryOutgoing();
    const routed: Stanza[] = [];
    const start = () =>
      new OutgoingCopies({
        store,
        domain: 'a.example',
        route: (stanza) => void routed.push(stanza),
        clock: new ManualClock(),
        log: new RecordingLog(),
      });
    start().add(message('before'));
    const copies = start();
    const left = await copies.left();
    copies.add(message('since'));
    await copies.restore(left);
    expect(routed.map(({ id }) => id)).to.deep.equal(['before']);
    expect(store.rows.map(({ bytes }) => bytes.toString().includes('id="since"'))).to.deep.equal([true]);
  });
});
