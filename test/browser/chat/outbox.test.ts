import { expect } from 'chai';
import { Outbox } from '../../../src/browser/chat/outbox.ts';

const stanza = (id: string) => ({ id, text: `<message id="${id}"/>`, isRepeated: true });
const ids = (stanzas: readonly { readonly id: string }[]) => stanzas.map(({ id }) => id).join('');

describe('The outbox of the chat page (XEP-0198 §4)', () => {
  it('keeps what the server has not handled, also over a reload', () => {
    const outbox = new Outbox();
    for (const id of ['a', 'b', 'c']) outbox.add(stanza(id));
    expect(ids(outbox.acknowledge(1))).to.equal('a');
    const restored = new Outbox(JSON.parse(JSON.stringify(outbox.save())));
    expect(ids(restored.acknowledge(2))).to.equal('b');
    expect(ids(restored.unacknowledged)).to.equal('c');
  });

  it('counts on after 2^32 - 1', () => {
    const outbox = new Outbox({ acknowledged: 2 ** 32 - 1, unacknowledged: [stanza('a'), stanza('b')] });
    expect(ids(outbox.acknowledge(1))).to.equal('ab');
  });

  it('believes no count of stanzas that it has not sent', () => {
    const outbox = new Outbox({ acknowledged: 5, unacknowledged: [stanza('a')] });
    for (const h of [7, 4, Number.NaN]) expect(ids(outbox.acknowledge(h))).to.equal('');
    expect(ids(outbox.unacknowledged)).to.equal('a');
  });

  it('begins again with a new session', () => {
    const outbox = new Outbox({ acknowledged: 5, unacknowledged: [stanza('a')] });
    expect(ids(outbox.restart())).to.equal('a');
    outbox.add(stanza('b'));
    expect(ids(outbox.acknowledge(1))).to.equal('b');
  });
});
