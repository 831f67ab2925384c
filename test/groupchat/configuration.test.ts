import { expect } from 'chai';
import { RoomBench } from './room-bench.ts';

const juliet = 'juliet@a.example/balcony';
const romeo = 'romeo@b.example/orchard';
const nurse = 'nurse@a.example/chamber';
const owner = 'http://jabber.org/protocol/muc#owner';

describe('The configuration of a room (XEP-0045 §10.2)', () => {
  let bench: RoomBench;

  beforeEach(() => {
    bench = new RoomBench().peopled(juliet, romeo, nurse);
  });

  const config = (changes: Record<string, string | string[]>) => {
    const values = Object.entries(changes).map(([name, value]) => [
      /[#{]/.test(name) ? name : `muc#roomconfig_${name}`,
      value,
    ]);
    bench.configures(juliet, Object.fromEntries(values));
  };

  it('is a form with every option and the owners', () => {
    bench.sends(juliet, `<iq type='get' id='c'><query xmlns='${owner}'/></iq>`);
    const text = String(bench.stanzas(juliet)[0]);
    expect(text).to.contain('<value>http://jabber.org/protocol/muc#roomconfig</value>');
    expect(text).to.match(/var="muc#roomconfig_roomowners"[^>]*><value>juliet@a.example<\/value>/);
  });

  it("is nobody else's business", () => {
    bench.sends(romeo, `<iq type='get' id='c'><query xmlns='${owner}'/></iq>`);
    bench.configures(romeo, { 'muc#roomconfig_roomname': 'Mine' });
    bench.sends(romeo, `<iq type='set' id='d'><query xmlns='${owner}'><destroy/></query></iq>`);
    expect(bench.all()).to.deep.equal(Array(3).fill('romeo < error forbidden text'));
  });

  it('changes, and the occupants are told after the result (§10.2.1)', () => {
    config({ roomname: 'Hall' });
    expect(bench.room.config.name).to.equal('Hall');
    expect(bench.all()).to.deep.equal([
      'juliet < iq result',
      'juliet < room ! 104',
      'romeo < room ! 104',
      'nurse < room ! 104',
    ]);
  });

  it('is not news if nothing changes', () => {
    config({ roomname: '' });
    expect(bench.changes).to.deep.equal([]);
    expect(bench.all()).to.deep.equal(['juliet < iq result']);
  });

  const news: readonly (readonly [Record<string, string>, string])[] = [
    [{ whois: 'anyone' }, '172'],
    [{ enablelogging: '1' }, '170'],
    [{ whois: 'anyone', enablelogging: '1', roomname: 'x' }, '104 170 172'],
  ];
  for (const [changes, codes] of news) {
    it(`tells by ${codes} that ${Object.keys(changes).join(', ')} changed`, () => {
      config(changes);
      expect(bench.gets(romeo)).to.deep.equal([`room ! ${codes}`]);
    });
  }

  it('tells by 171 and 173 of the way back', () => {
    config({ whois: 'anyone', enablelogging: '1' });
    bench.all();
    config({ whois: 'moderators', enablelogging: '0' });
    expect(bench.gets(romeo)).to.deep.equal(['room ! 171 173']);
  });

  it('of roles that are shown lets occupants come and go for the others (§7.2.2)', () => {
    const own = `+nurse none/participant ${nurse} 110`;
    config({ presencebroadcast: ['moderator'] });
    expect(bench.gets(nurse)).to.deep.equal([own, '-romeo none/none', 'room ! 104']);
    expect(bench.gets(juliet)).to.include(`-nurse none/none ${nurse}`);
    config({ presencebroadcast: ['moderator', 'participant'] });
    expect(bench.gets(nurse)).to.deep.equal([own, '+romeo none/participant', 'room ! 104']);
  });

  it('of members only removes the others with 322', () => {
    bench.administers(juliet, "<item affiliation='member' jid='nurse@a.example'/>");
    bench.all();
    config({ membersonly: '1' });
    expect(bench.gets(romeo)).to.deep.equal([`-romeo none/none ${romeo} 110 322`]);
    expect(bench.gets(nurse)).to.deep.equal(['-romeo none/none 322', 'room ! 104']);
  });

  it('names admins and owners completely: those who are missing fall', () => {
    config({ roomadmins: ['romeo@b.example', 'x@a.example'], roomowners: ['juliet@a.example', 'nurse@a.example/x'] });
    expect(bench.gets(nurse).slice(0, 4)).to.deep.equal([
      `+juliet owner/moderator ${juliet}`,
      `+romeo admin/moderator ${romeo}`,
      `+nurse owner/moderator ${nurse} 110`,
      `+romeo admin/moderator ${romeo}`,
    ]);
    bench.all();
    config({ roomadmins: [], roomowners: ['nurse@a.example'] });
    expect([...bench.room.affiliations].map(([jid, { affiliation }]) => `${jid} ${affiliation}`)).to.deep.equal([
      'juliet@a.example member',
      'romeo@b.example member',
      'x@a.example member',
      'nurse@a.example owner',
    ]);
  });

  const refused: readonly (readonly [string, Record<string, string | string[]>, string])[] = [
    ['a value that an option cannot have', { whois: 'nobody' }, 'not-acceptable'],
    ['two values for one', { roomname: ['a', 'b'] }, 'not-acceptable'],
    ['protection without a password', { passwordprotectedroom: '1' }, 'not-acceptable'],
    ['no owner', { roomowners: [] }, 'conflict'],
    ['an owner that is no JID', { roomowners: ['@'] }, 'not-acceptable'],
  ];
  for (const [title, changes, condition] of refused) {
    it(`is refused with ${title}, and then nothing has changed`, () => {
      const before = bench.state;
      config({ roomdesc: 'new', ...changes });
      expect(bench.all()).to.deep.equal([`juliet < error ${condition} text`]);
      expect(bench.state).to.equal(before);
    });
  }

  it('understands the names of other servers, and ignores what it does not know', () => {
    config({
      'muc#roomconfig_mam': '0',
      '{http://prosody.im/protocol/muc}roomconfig_allowmemberinvites': '0',
      'muc#roomconfig_historylength': '5',
      'muc#unknown': 'x',
    });
    const { archiving, allowInvites, historyLength } = bench.room.config;
    expect([archiving, allowInvites, historyLength]).to.deep.equal([false, false, 5]);
  });

  it('is unchanged by a cancelled form', () => {
    const cancel = "<x xmlns='jabber:x:data' type='cancel'/>";
    bench.sends(juliet, `<iq type='set' id='c'><query xmlns='${owner}'>${cancel}</query></iq>`);
    expect(bench.all()).to.deep.equal(['juliet < iq result']);
    expect(bench.state.kind).to.equal('existing');
  });
});

describe('The end of a room (XEP-0045 §10.9)', () => {
  const destroy = (content = '', jid = '') =>
    `<iq type='set' id='d'><query xmlns='${owner}'><destroy${jid && ` jid='${jid}'`}>${content}</destroy></query></iq>`;
  let bench: RoomBench;

  beforeEach(() => {
    bench = new RoomBench().peopled(juliet, romeo);
  });

  it('is told to each client once, with the reason and the alternative', () => {
    bench.sends(juliet, destroy('<reason>over</reason><password>p</password>', 'other@rooms.example'));
    const parts = 'none/none 110 destroyed other@rooms.example over p';
    expect(bench.all()).to.deep.equal([`juliet < -juliet ${parts}`, `romeo < -romeo ${parts}`, 'juliet < iq result']);
  });

  it('leaves a stone behind: for a month nobody but its owners takes the address', () => {
    bench.sends(juliet, destroy('', 'other@rooms.example'));
    bench.all();
    bench.sends(romeo, "<presence><x xmlns='http://jabber.org/protocol/muc'/></presence>", 'romeo');
    expect(String(bench.stanzas(romeo)[0])).to.contain('>xmpp:other@rooms.example?join</gone>');
    bench.nowMs += 31 * 24 * 60 * 60 * 1000;
    expect(bench.enters(romeo, 'romeo')[0]).to.contain('201');
  });

  it('is refused with a reason or a password that is too long', () => {
    for (const name of ['reason', 'password']) bench.sends(juliet, destroy(`<${name}>${'x'.repeat(513)}</${name}>`));
    expect(bench.all()).to.deep.equal(Array(2).fill('juliet < error not-acceptable text'));
  });

  it('names the alternative in a URI (RFC 5122)', () => {
    bench.sends(juliet, destroy('', 'other?%hall@rooms.example/nick'));
    bench.all();
    bench.sends(romeo, "<presence><x xmlns='http://jabber.org/protocol/muc'/></presence>", 'romeo');
    expect(String(bench.stanzas(romeo)[0])).to.contain('>xmpp:other%3F%25hall@rooms.example?join</gone>');
  });

  it('can be undone by an owner, with other occupant ids', () => {
    bench.sends(juliet, destroy());
    bench.all();
    expect(bench.enters(juliet, 'juliet')[0]).to.contain('201');
  });

  it('keeps a temporary room with members free for its owners for a day', () => {
    bench.configures(juliet, { 'muc#roomconfig_persistentroom': '0' });
    bench.administers(juliet, "<item affiliation='member' jid='nurse@a.example'/>");
    for (const one of [romeo, juliet]) bench.sends(one, "<presence type='unavailable'/>", 'x');
    bench.takes({ kind: 'end-if-over', nowMs: bench.nowMs });
    bench.all();
    expect(bench.enters(romeo, 'romeo')).to.deep.equal(['error gone']);
    expect(bench.enters(juliet, 'juliet')[0]).to.contain('201');
  });
});
