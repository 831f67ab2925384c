import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { RoomBench } from './room-bench.ts';

const juliet = 'juliet@a.example/balcony';
const romeo = 'romeo@b.example/orchard';
const nurse = 'nurse@a.example/chamber';
const image = (text: string) => Buffer.from(text).toString('base64');
const hashOf = (text: string) => createHash('sha1').update(text).digest('hex');
const photo = (text: string) => `<PHOTO><TYPE>image/png</TYPE><BINVAL>${image(text)}</BINVAL></PHOTO>`;

describe('The avatar of a room (XEP-0486)', () => {
  let bench: RoomBench;

  beforeEach(() => {
    bench = new RoomBench().peopled(juliet, romeo);
  });

  const sets = (client: string, content: string) =>
    bench.sends(client, `<iq type='set' id='v'><vCard xmlns='vcard-temp'>${content}</vCard></iq>`);
  /** The hash in a presence of the room itself. */
  const shown = (client: string) => {
    const last = bench.stanzas(client).at(-1);
    expect(String(last?.from)).to.equal('hall@rooms.example');
    return /<photo>(.*)<[/]photo>|<photo[/]>/.exec(String(last))?.[1];
  };

  it('is set by an owner, and everybody is told (§4.2)', () => {
    sets(juliet, photo('rose'));
    expect(bench.room.avatarHashes).to.deep.equal([hashOf('rose')]);
    const [answer, notice] = bench.all();
    expect([answer, notice]).to.deep.equal(['juliet < iq result', 'juliet < room ! 104']);
    sets(juliet, photo('lily'));
    expect([shown(juliet), shown(romeo)]).to.deep.equal([hashOf('lily'), hashOf('lily')]);
  });

  it('may be in several formats, each with a hash (§6.1)', () => {
    sets(juliet, `<FN>Hall</FN>${photo('rose')}${photo('rose as png')}<PHOTO><EXTVAL>http://x</EXTVAL></PHOTO>`);
    expect(bench.room.avatarHashes).to.deep.equal([hashOf('rose'), hashOf('rose as png')]);
    const [change] = bench.changes;
    expect(change?.kind === 'vcard' && change.vcard?.xml).to.contain('<FN>Hall</FN>');
  });

  it('is no news if it stays the same', () => {
    sets(juliet, photo('rose'));
    bench.all();
    sets(juliet, `<FN>Hall</FN>${photo('rose')}`);
    expect(bench.all()).to.deep.equal(['juliet < iq result', 'juliet < room ! 104', 'romeo < room ! 104']);
  });

  it('is removed by an empty vCard', () => {
    sets(juliet, photo('rose'));
    bench.all();
    sets(juliet, '');
    expect(bench.room.avatarHashes).to.deep.equal([]);
    expect(shown(romeo)).to.equal(undefined);
    expect(bench.enters(nurse, 'nurse').at(-1)).to.equal('room #');
  });

  it('is shown to those who come, after everything else', () => {
    sets(juliet, photo('rose'));
    bench.sends(nurse, "<presence><x xmlns='http://jabber.org/protocol/muc'/></presence>", 'nurse');
    expect(shown(nurse)).to.equal(hashOf('rose'));
  });

  it('is changed by owners only, and not too large', () => {
    sets(romeo, photo('rose'));
    sets(juliet, photo('x'.repeat(60_000)));
    expect(bench.all()).to.deep.equal(['romeo < error forbidden text', 'juliet < error not-acceptable text']);
    expect(bench.room.avatarHashes).to.deep.equal([]);
  });
});
