import { expect } from 'chai';
import { RoomBench } from './room-bench.ts';

const juliet = 'juliet@a.example/balcony';
const romeo = 'romeo@b.example/orchard';
const nurse = 'nurse@a.example/chamber';
const admin = 'http://jabber.org/protocol/muc#admin';

describe('Roles in a room (XEP-0045 §8, §9.6, §9.7)', () => {
  let bench: RoomBench;

  beforeEach(() => {
    bench = new RoomBench().peopled(juliet, romeo, nurse);
  });

  it('end with a kick: the target is told first, then the moderator, then the others', () => {
    bench.administers(juliet, "<item nick='Romeo' role='none'><reason>why not</reason></item>");
    const cause = 'by=juliet reason=why not';
    expect(bench.all()).to.deep.equal([
      `romeo < -romeo none/none ${romeo} ${cause} 110 307`,
      'juliet < iq result',
      `juliet < -romeo none/none ${romeo} ${cause} 307`,
      `nurse < -romeo none/none ${cause} 307`,
    ]);
  });

  it('make a moderator, who gets the list again with full JIDs, and takes that back', () => {
    bench.administers(juliet, "<item nick='romeo' role='moderator'/>");
    expect(bench.all()).to.deep.equal([
      `romeo < +juliet owner/moderator ${juliet}`,
      `romeo < +nurse none/participant ${nurse}`,
      `romeo < +romeo none/moderator ${romeo} by=juliet 110`,
      'juliet < iq result',
      `juliet < +romeo none/moderator ${romeo} by=juliet`,
      'nurse < +romeo none/moderator by=juliet',
    ]);
    bench.administers(juliet, "<item nick='romeo' role='participant'/>");
    expect(bench.gets(romeo)).to.deep.equal([
      '+juliet owner/moderator',
      '+nurse none/participant',
      `+romeo none/participant ${romeo} by=juliet 110`,
    ]);
  });

  it('are remembered for a day: who has lost voice does not get it by coming again (§5.1.1)', () => {
    bench.administers(juliet, "<item nick='romeo' role='visitor'/>");
    const comesAgain = () => {
      bench.sends(romeo, "<presence type='unavailable'/>", 'romeo');
      bench.all();
      return bench.enters(romeo, 'montague').at(-2);
    };
    expect(comesAgain()).to.equal(`+montague none/visitor ${romeo} 110`);
    bench.nowMs += 24 * 60 * 60 * 1000;
    expect(comesAgain()).to.equal(`+montague none/participant ${romeo} 110`);
  });

  it('are forgotten when the affiliation changes', () => {
    bench.administers(juliet, "<item nick='romeo' role='visitor'/>");
    bench.sends(romeo, "<presence type='unavailable'/>", 'romeo');
    bench.administers(juliet, "<item affiliation='member' jid='romeo@b.example'/>");
    expect(bench.enters(romeo, 'romeo').at(-2)).to.equal(`+romeo member/participant ${romeo} 110`);
  });

  const refused: readonly (readonly [string, string, string, string])[] = [
    ['of nobody', juliet, "<item nick='tybalt' role='none'/>", 'item-not-found'],
    ['without a nickname', juliet, "<item jid='romeo@b.example' role='none'/>", 'bad-request'],
    ['together with an affiliation', juliet, "<item nick='romeo' role='none' affiliation='none'/>", 'bad-request'],
    ['that does not exist', juliet, "<item nick='romeo' role='king'/>", 'bad-request'],
    ['without an item', juliet, '', 'bad-request'],
    ['by a participant', romeo, "<item nick='nurse' role='none'/>", 'forbidden'],
    ['by somebody outside', 'x@x.example/x', "<item nick='nurse' role='none'/>", 'forbidden'],
    ['of oneself', juliet, "<item nick='juliet' role='none'/>", 'conflict'],
    ['of an owner', juliet, "<item nick='juliet' role='visitor'/>", 'not-allowed'],
    [
      'with a long reason',
      juliet,
      `<item nick='romeo' role='none'><reason>${'x'.repeat(513)}</reason></item>`,
      'not-acceptable',
    ],
  ];
  for (const [title, actor, item, condition] of refused) {
    it(`are not changed ${title}: ${condition}`, () => {
      bench.administers(actor, item);
      expect(bench.gets(actor).map((line) => line.replace(' text', ''))).to.deep.equal([`error ${condition}`]);
    });
  }

  it('are listed for moderators (§8.5)', () => {
    bench.sends(juliet, `<iq type='get' id='l'><query xmlns='${admin}'><item role='participant'/></query></iq>`);
    expect(String(bench.stanzas(juliet)[0])).to.contain(
      `<item affiliation="none" role="participant" jid="${romeo}" nick="romeo"/>` +
        `<item affiliation="none" role="participant" jid="${nurse}" nick="nurse"/>`,
    );
    bench.sends(romeo, `<iq type='get' id='l'><query xmlns='${admin}'><item role='participant'/></query></iq>`);
    expect(bench.all()).to.deep.equal(['romeo < error forbidden text']);
  });
});

describe('Affiliations with a room (XEP-0045 §9, §10.3 to §10.8)', () => {
  let bench: RoomBench;

  beforeEach(() => {
    bench = new RoomBench().peopled(juliet, romeo, nurse);
  });

  const lists = (client: string, ...items: string[]) => {
    bench.sends(client, `<iq type='get' id='l'><query xmlns='${admin}'>${items.join('')}</query></iq>`);
    const [stanza] = bench.stanzas(client);
    return String(stanza).match(/<item [^>]*>|<forbidden/g) ?? [];
  };

  it('end with a ban: all clients of the user go, by bare JID (§9.1)', () => {
    bench.enters('romeo@b.example/phone', 'montague');
    bench.all();
    bench.administers(juliet, `<item affiliation='outcast' jid='${romeo}'><reason>why not</reason></item>`);
    expect(bench.gets(nurse)).to.deep.equal([
      '-romeo outcast/none by=juliet reason=why not 301',
      '-montague outcast/none by=juliet reason=why not 301',
    ]);
    bench.all();
    expect(bench.enters(romeo, 'romeo')).to.deep.equal(['error forbidden text']);
    expect(lists(juliet, "<item affiliation='outcast'/>")).to.deep.equal([
      '<item affiliation="outcast" jid="romeo@b.example">',
    ]);
    bench.administers(juliet, "<item affiliation='none' jid='romeo@b.example'/>");
    expect(bench.enters(romeo, 'romeo').at(-1)).to.equal('room #');
  });

  it('ban whole domains, but not those who have an affiliation of their own', () => {
    bench.administers(juliet, "<item affiliation='member' jid='nurse@a.example'/>");
    bench.enters('x@a.example/x', 'x');
    bench.all();
    bench.administers(juliet, "<item affiliation='outcast' jid='a.example'/>");
    expect([...bench.room.occupants.all].map(({ nick }) => nick)).to.deep.equal(['juliet', 'romeo', 'nurse']);
  });

  it('change the role: members have voice, admins are moderators, and it falls with the affiliation', () => {
    bench.configures(juliet, { 'muc#roomconfig_moderatedroom': '1' });
    const becomes = (affiliation: string) => {
      bench.administers(juliet, `<item affiliation='${affiliation}' nick='romeo'/>`);
      const { role } = bench.room.occupants.named('romeo')!;
      return role;
    };
    expect(['member', 'admin', 'owner', 'member', 'none'].map(becomes)).to.deep.equal([
      'participant',
      'moderator',
      'moderator',
      'participant',
      'visitor',
    ]);
  });

  it('that are taken in a members-only room remove the user with 321 (§9.4)', () => {
    bench.administers(juliet, "<item affiliation='member' nick='romeo'/>");
    bench.configures(juliet, { 'muc#roomconfig_membersonly': '1' });
    bench.all();
    bench.administers(juliet, "<item affiliation='none' nick='romeo'/>");
    expect(bench.all()).to.deep.equal([
      `romeo < -romeo none/none ${romeo} by=juliet 110 321`,
      'juliet < iq result',
      `juliet < -romeo none/none ${romeo} by=juliet 321`,
    ]);
  });

  it('of somebody outside are told to those who see full JIDs (§9.3)', () => {
    bench.administers(juliet, "<item affiliation='member' jid='tybalt@a.example'/>");
    expect(bench.all()).to.deep.equal(['juliet < iq result', 'juliet < room ! member/none tybalt@a.example']);
  });

  it('change together or not at all', () => {
    const before = bench.state;
    bench.administers(
      juliet,
      "<item affiliation='member' jid='a@a.example'/>",
      "<item affiliation='none' jid='juliet@a.example'/>",
    );
    expect(bench.all()).to.deep.equal(['juliet < error conflict text']);
    expect(bench.state).to.equal(before);
    bench.administers(
      juliet,
      "<item affiliation='member' jid='a@a.example'/>",
      "<item affiliation='owner' jid='b@a.example'/>",
      "<item role='none' nick='romeo'/>",
    );
    expect(bench.all()[0]).to.equal(`romeo < -romeo none/none ${romeo} by=juliet 110 307`);
    expect([...bench.room.affiliations].map(([jid, { affiliation }]) => `${jid} ${affiliation}`)).to.deep.equal([
      'juliet@a.example owner',
      'a@a.example member',
      'b@a.example owner',
    ]);
  });

  it('leave the room to its last owner, who may go when there is another', () => {
    bench.administers(juliet, "<item affiliation='admin' jid='juliet@a.example'/>");
    expect(bench.gets(juliet)).to.deep.equal(['error conflict text']);
    bench.administers(
      juliet,
      "<item affiliation='admin' jid='juliet@a.example'/>",
      "<item affiliation='owner' jid='nurse@a.example'/>",
    );
    expect(bench.gets(juliet)).to.include('iq result');
  });

  it('reserve a nickname, which no one else can reserve, and which a ban frees', () => {
    bench.administers(juliet, "<item affiliation='member' jid='a@a.example' nick='Angelica'/>");
    bench.administers(juliet, "<item affiliation='member' jid='b@a.example' nick='angelica'/>");
    expect(bench.gets(juliet)).to.include('error conflict text');
    bench.administers(juliet, "<item affiliation='outcast' jid='a@a.example'/>");
    bench.administers(juliet, "<item affiliation='member' jid='b@a.example' nick='angelica'/>");
    expect(lists(juliet, "<item affiliation='member'/>")).to.deep.equal([]);
    expect(bench.room.reservedNicks.get('angelica')).to.equal('b@a.example');
  });

  it('are listed: nobody is on two lists, and several lists can be asked for at once (§9.5)', () => {
    bench.administers(
      juliet,
      "<item affiliation='member' jid='a@a.example' nick='A'/>",
      "<item affiliation='admin' jid='b@a.example'/>",
    );
    bench.all();
    expect(lists(juliet, "<item affiliation='member'/>", "<item affiliation='admin'/>")).to.deep.equal([
      '<item affiliation="member" jid="a@a.example" nick="A"/>',
      '<item affiliation="admin" jid="b@a.example"/>',
    ]);
    expect(lists(romeo, "<item affiliation='member'/>")).to.deep.equal(['<forbidden']);
  });
});
