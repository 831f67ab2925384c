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

  it('an occupant is removed, with all its clients', () => {
    bench.takes({ kind: 'eject', nicks: ['Romeo'], reason: 'night', nowMs: bench.nowMs });
    expect(bench.all()).to.deep.equal([
      `romeo < -romeo none/none ${romeo} reason=night 110 307`,
      `juliet < -romeo none/none ${romeo} reason=night 307`,
    ]);
    const again = { kind: 'eject', nicks: ['romeo'], reason: undefined, nowMs: bench.nowMs } as const;
    expect(() => bench.takes(again)).to.throw('nobody has this nickname');
  });

  it('another configuration is announced, and occupants whom it excludes leave', () => {
    bench.takes({ kind: 'reconfigure', config: { ...bench.room.config, membersOnly: true }, nowMs: bench.nowMs });
    expect(bench.gets(romeo)).to.deep.equal([`-romeo none/none ${romeo} 110 322`]);
    expect(bench.gets(juliet)).to.deep.equal([`-romeo none/none ${romeo} 322`, 'room ! 104']);
  });

  it('newcomers do not get messages that are removed from the archive', () => {
    for (const body of ['one', 'two']) bench.sends(juliet, `<message type='groupchat'><body>${body}</body></message>`);
    const [, second] = bench.room.history;
    bench.takes({ kind: 'forget-history', beforeNumber: second?.number ?? 0, nowMs: bench.nowMs });
    bench.all();
    const came = bench.enters('nurse@a.example/x', 'nurse');
    expect(came.filter((line) => line.includes('late'))).to.deep.equal(['juliet: two (late)']);
  });

  it('a room is created without anybody in it, but not over another one', () => {
    const creation = { owner: Jid.parse('juliet@a.example'), occupantKey: Buffer.alloc(32), nowMs: bench.nowMs };
    const create = { kind: 'create', ...creation, config: bench.room.config } as const;
    expect(() => bench.takes(create)).to.throw('there is a room already');
    bench.takes({ kind: 'remove', destruction: {}, nowMs: bench.nowMs });
    bench.takes(create);
    expect([...bench.room.affiliations.keys()]).to.deep.equal(['juliet@a.example']);
    expect(bench.room.lockedFor).to.equal(undefined);
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
