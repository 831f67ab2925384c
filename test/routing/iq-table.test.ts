import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { type IqEnds, type IqHandlerFor, IqTable } from '../../src/routing/iq-table.ts';
import { xml } from '../../src/xml/element.ts';
import { readStanza } from '../protocol/read-stanza.ts';

type Ends = IqEnds<'room' | 'occupant'>;

const [from, to] = [Jid.parse('juliet@a.example/balcony'), Jid.parse('hall@rooms.example')];
const get = readStanza(`<iq id='1' type='get' from='${from}' to='${to}'><x xmlns='urn:x'/></iq>`);
const handler = (changes: Partial<IqHandlerFor<Ends>> = {}): IqHandlerFor<Ends> => ({
  name: 'x',
  ns: 'urn:x',
  type: 'get',
  scopes: ['room', 'occupant'],
  handle: () => undefined,
  ...changes,
});

function repliesTo(sent: Stanza[]) {
  return {
    send: (result: Stanza) => void sent.push(result),
    sendMessages: (messages: Iterable<Stanza>) => void sent.push(...messages),
    refuse: () => undefined,
  };
}

describe('A table of iq handlers', () => {
  let sent: Stanza[];
  let table: IqTable<Ends>;

  beforeEach(() => {
    sent = [];
    table = new IqTable(repliesTo(sent));
  });

  it('gives a handler the request with its ends, and sends the result back', () => {
    table.add('rooms', [handler({ handle: ({ payload, scope }) => xml('y', { xmlns: payload.attrs.xmlns, scope }) })]);
    table.handle(get, { from, to, scope: 'room' });
    expect(sent.map(String)).to.deep.equal([
      `<iq from="${to}" to="${from}" id="1" type="result"><y xmlns="urn:x" scope="room"/></iq>`,
    ]);
  });

  it('answers nothing that has no handler in this scope', () => {
    table.add('rooms', [handler({ scopes: ['room'] })]);
    expect(() => table.handle(get, { from, to, scope: 'occupant' }))
      .to.throw(StanzaError)
      .with.property('condition', 'service-unavailable');
    expect(sent).to.deep.equal([]);
  });

  it('refuses a second handler for the same request, and names both owners', () => {
    table.add('rooms', [handler()]);
    expect(() => table.add('archive', [handler({ scopes: ['occupant'] })])).to.throw(
      'rooms and archive both answer an iq of type get with <x xmlns="urn:x"/> in the scope occupant',
    );
    expect(() => new IqTable<Ends>(repliesTo([])).add('rooms', [handler(), handler()])).to.throw(
      'rooms and rooms both',
    );
  });

  it('tells requests apart by scope, type, name and namespace', () => {
    table.add('rooms', [
      handler({ scopes: ['room'] }),
      handler({ scopes: ['occupant'] }),
      handler({ type: 'set' }),
      handler({ name: 'y' }),
      handler({ ns: 'urn:y' }),
    ]);
  });
});
