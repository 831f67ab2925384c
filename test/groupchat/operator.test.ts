import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { RoomBench } from './room-bench.ts';

const juliet = 'juliet@a.example/balcony';
const romeo = 'romeo@b.example/orchard';

describe('What the operator changes in a room, whatever the rights in it are', () => {
  let bench: RoomBench;

  beforeEach(() => {
    bench = new RoomBench().peopled(juliet, romeo);
  });

  const makes = (user: string, affiliation: 'owner' | 'outcast' | 'none') =>
    bench.takes({ kind: 'set-affiliation', user: Jid.parse(user), affiliation, nowMs: bench.nowMs });

  it('somebody becomes an owner, and the occupants see it', () => {
    makes('romeo@b.example', 'owner');
    expect(bench.all()).to.include.members([
      `romeo < +romeo owner/moderator ${romeo} 110`,
      `juliet < +romeo owner/moderator ${romeo}`,
    ]);
  });

  it('an outcast has to leave', () => {
    makes('romeo@b.example', 'outcast');
    expect(bench.gets(romeo)).to.deep.equal([`-romeo outcast/none ${romeo} 110 301`]);
    expect(bench.gets(juliet)).to.deep.equal([`-romeo outcast/none ${romeo} 301`]);
  });

  it('the last owner can go', () => {
    makes('juliet@a.example', 'none');
    expect([...bench.room.affiliations]).to.deep.equal([]);
  });

  it('nothing is said if nothing changes', () => {
    makes('tybalt@b.example', 'none');
    expect(bench.all()).to.deep.equal([]);
    expect(bench.changes).to.deep.equal([]);
  });

  it('everybody is told that the room is destroyed', () => {
    bench.takes({ kind: 'remove', destruction: { reason: 'fire' }, nowMs: bench.nowMs });
    expect(bench.all()).to.deep.equal([
      'juliet < -juliet none/none 110 destroyed fire',
      'romeo < -romeo none/none 110 destroyed fire',
    ]);
    expect(bench.state).to.deep.include({ kind: 'absent' });
  });
});
