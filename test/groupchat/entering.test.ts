import { expect } from 'chai';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { RoomBench } from './room-bench.ts';

const juliet = 'juliet@a.example/balcony';
const romeo = 'romeo@b.example/orchard';
const nurse = 'nurse@a.example/chamber';

describe('Entering a room', () => {
  let bench: RoomBench;

  beforeEach(() => {
    bench = new RoomBench();
  });

  it('creates it for its first occupant, who owns it, and locks it (XEP-0045 §10.1)', () => {
    expect(bench.enters(juliet, 'juliet')).to.deep.equal([`+juliet owner/moderator ${juliet} 110 201`, 'room #']);
    expect(bench.enters(romeo, 'romeo')).to.deep.equal(['error item-not-found text']);
    bench.configures(juliet, {});
    expect(bench.gets(juliet)).to.deep.equal(['iq result']);
    expect(bench.enters(romeo, 'romeo')).to.have.length(3);
  });

  it('opens a room that its creator does not configure after a while', () => {
    bench.enters(juliet, 'juliet');
    bench.takes({ kind: 'unlock', nowMs: bench.nowMs });
    expect(bench.enters(romeo, 'romeo')).to.have.length(3);
  });

  it('ends a room whose creator leaves before, or cancels', () => {
    bench.enters(juliet, 'juliet');
    bench.sends(juliet, "<presence type='unavailable'/>", 'juliet');
    bench.takes({ kind: 'end-if-over', nowMs: bench.nowMs });
    expect(bench.state.kind).to.equal('absent');
    bench.enters(juliet, 'juliet');
    const cancel = "<x xmlns='jabber:x:data' type='cancel'/>";
    const owner = 'http://jabber.org/protocol/muc#owner';
    bench.sends(juliet, `<iq type='set' id='c'><query xmlns='${owner}'>${cancel}</query></iq>`);
    expect(bench.gets(juliet)).to.deep.equal([`-juliet none/none 110 destroyed`, 'iq result']);
    expect(bench.state.kind).to.equal('absent');
  });

  it('is refused to somebody who may not create rooms', () => {
    bench.creation = { ...bench.creation, refusal: StanzaError.notAllowed() };
    expect(bench.enters(juliet, 'juliet')).to.deep.equal(['error not-allowed']);
  });

  it('shows the others first, then oneself with the id of the request, then the discussion, then the subject (§7.1)', () => {
    bench.peopled(juliet, nurse);
    bench.sends(juliet, "<message type='groupchat' id='m'><body>hi</body></message>");
    bench.sends(romeo, "<presence id='j'><x xmlns='http://jabber.org/protocol/muc'/></presence>", 'romeo');
    const stanzas = bench.stanzas(romeo);
    expect(stanzas[2]?.id).to.equal('j');
    bench.sends(romeo, "<presence type='unavailable'/>", 'romeo');
    bench.all();
    expect(bench.enters(romeo, 'romeo')).to.deep.equal([
      '+juliet owner/moderator',
      '+nurse none/participant',
      `+romeo none/participant ${romeo} 110`,
      'juliet: hi (late)',
      'room #',
    ]);
  });

  it('tells those who may see it the full JID (§7.2.3)', () => {
    bench.peopled(juliet, nurse);
    bench.enters(romeo, 'romeo');
    expect(bench.all()).to.deep.equal([`juliet < +romeo none/participant ${romeo}`, 'nurse < +romeo none/participant']);
  });

  it('warns of a room that shows full JIDs to everybody, or publishes what is said (§7.2.4, §7.2.12)', () => {
    bench.peopled(juliet);
    bench.configures(juliet, { 'muc#roomconfig_whois': 'anyone', 'muc#roomconfig_enablelogging': '1' });
    expect(bench.enters(romeo, 'romeo').slice(0, 2)).to.deep.equal([
      `+juliet owner/moderator ${juliet}`,
      `+romeo none/participant ${romeo} 100 110 170`,
    ]);
  });

  const refusals: readonly (readonly [string, Record<string, string>, string])[] = [
    ['a members-only room', { membersonly: '1' }, 'registration-required'],
    ['a wrong password', { passwordprotectedroom: '1', roomsecret: 'x' }, 'not-authorized'],
    ['a full room', { maxusers: '1' }, 'service-unavailable'],
  ];
  for (const [title, config, condition] of refusals) {
    it(`is refused because of ${title}: ${condition} (§7.2.5 to §7.2.9)`, () => {
      bench.peopled(juliet);
      const values = Object.entries(config).map(([name, value]) => [`muc#roomconfig_${name}`, value]);
      bench.configures(juliet, Object.fromEntries(values));
      expect(bench.enters(romeo, 'romeo', '<password>y</password>')).to.deep.equal([`error ${condition} text`]);
    });
  }

  it('needs the password of a protected room', () => {
    bench.peopled(juliet);
    bench.configures(juliet, { 'muc#roomconfig_passwordprotectedroom': '1', 'muc#roomconfig_roomsecret': 'x' });
    expect(bench.enters(romeo, 'romeo', '<password>x</password>')).to.have.length(3);
  });

  it('is refused to the banned, who learn nothing of nicknames and passwords (§7.2.7)', () => {
    bench.peopled(juliet);
    bench.administers(juliet, "<item affiliation='outcast' jid='b.example'/>");
    bench.configures(juliet, { 'muc#roomconfig_passwordprotectedroom': '1', 'muc#roomconfig_roomsecret': 'x' });
    expect(bench.enters(romeo, 'juliet')).to.deep.equal(['error forbidden text']);
  });

  it('lets an admin into a full room (§7.2.9)', () => {
    bench.peopled(juliet);
    bench.administers(juliet, "<item affiliation='admin' jid='nurse@a.example'/>");
    bench.configures(juliet, { 'muc#roomconfig_maxusers': '1' });
    expect(bench.enters(romeo, 'romeo')).to.deep.equal(['error service-unavailable text']);
    expect(bench.enters(nurse, 'nurse')).to.have.length(3);
  });

  for (const nick of ['juliet', 'JULIET', ' juliet ', 'ｊｕｌｉｅｔ']) {
    it(`is refused if somebody else has a nickname that looks like '${nick}' (§7.2.8, RFC 8266)`, () => {
      bench.peopled(juliet);
      expect(bench.enters(romeo, nick)).to.deep.equal(['error conflict text']);
    });
  }

  it('is refused if the nickname is reserved for somebody else (§7.2.8)', () => {
    bench.peopled(juliet);
    bench.administers(juliet, "<item affiliation='member' jid='nurse@a.example' nick='Angelica'/>");
    expect(bench.enters(romeo, 'angelica')).to.deep.equal(['error conflict text']);
    expect(bench.enters(nurse, 'Angelica')).to.have.length(3);
  });

  it('needs a nickname that can be seen and is not too long (§7.2.1)', () => {
    bench.peopled(juliet);
    expect(bench.enters(romeo, ' ')).to.deep.equal(['error jid-malformed text']);
    expect(bench.enters(romeo, 'x'.repeat(65))).to.deep.equal(['error jid-malformed text']);
    expect(bench.enters(romeo, 'a/b@c')).to.have.length(3);
    bench.sends(nurse, "<presence><x xmlns='http://jabber.org/protocol/muc'/></presence>");
    expect(bench.gets(nurse)).to.deep.equal(['error jid-malformed text']);
  });

  it('again from the same client brings everything anew, and others an update at most (§7.2.1)', () => {
    bench.peopled(juliet, romeo);
    expect(bench.enters(romeo, 'romeo')).to.deep.equal([
      '+juliet owner/moderator',
      `+romeo none/participant ${romeo} 110`,
      'room #',
    ]);
    expect(bench.gets(juliet)).to.deep.equal([]);
    bench.sends(romeo, "<presence><show>away</show><x xmlns='http://jabber.org/protocol/muc'/></presence>", 'romeo');
    expect(bench.gets(juliet)).to.deep.equal([`+romeo none/participant ${romeo} (away)`]);
    expect(bench.gets(romeo)).to.have.length(3);
  });

  it('under another nickname changes the nickname, and brings everything anew', () => {
    bench.peopled(juliet, romeo);
    const lines = bench.enters(romeo, 'montague');
    expect(lines[0]).to.equal(`-romeo none/none ${romeo} nick=montague 110 303`);
    expect(lines.slice(-3)).to.deep.equal([
      '+juliet owner/moderator',
      `+montague none/participant ${romeo} 110`,
      'room #',
    ]);
    expect(bench.gets(juliet)).to.deep.equal([
      `-romeo none/none ${romeo} nick=montague 303`,
      `+montague none/participant ${romeo}`,
    ]);
  });

  it('of the room itself is for the nickname that the client has (§7.2.1)', () => {
    bench.peopled(juliet, romeo);
    const lines = bench.enters(romeo, '');
    expect(lines).to.deep.equal(['+juliet owner/moderator', `+romeo none/participant ${romeo} 110`, 'room #']);
    expect(bench.enters(nurse, '')).to.deep.equal(['error jid-malformed text']);
  });

  it('shows nothing to a stranger who only sends presence: it learns that it is not in (§7.2.18)', () => {
    bench.peopled(juliet);
    bench.sends(romeo, '<presence/>', 'romeo');
    expect(bench.gets(romeo)).to.deep.equal(['-romeo none/none 110 307 333']);
    bench.sends(romeo, "<presence type='unavailable'/>", 'romeo');
    expect(bench.all()).to.deep.equal([]);
  });
});

describe('Occupants who come and go', () => {
  let bench: RoomBench;

  beforeEach(() => {
    bench = new RoomBench().peopled(juliet, romeo, nurse);
  });

  it('leave: oneself is told first, and the status is passed on (§7.14)', () => {
    bench.sends(romeo, "<presence type='unavailable'><status>bye</status></presence>", 'romeo');
    const [own, ...others] = bench.all();
    expect(own).to.equal(`romeo < -romeo none/none ${romeo} 110`);
    expect(others).to.deep.equal([`juliet < -romeo none/none ${romeo}`, 'nurse < -romeo none/none']);
    bench.enters(romeo, 'romeo');
    bench.all();
    bench.sends(romeo, "<presence type='unavailable'><status>bye</status></presence>", 'romeo');
    expect(bench.stanzas(nurse).toString()).to.contain('<status>bye</status>');
  });

  it('leave by their full JID, whatever nickname they name', () => {
    bench.sends(romeo, '<presence/>', 'montague');
    bench.all();
    bench.sends(romeo, "<presence type='unavailable'/>", 'romeo');
    expect(bench.gets(nurse)).to.deep.equal(['-montague none/none']);
    expect([...bench.room.occupants.all].map(({ nick }) => nick)).to.deep.equal(['juliet', 'nurse']);
  });

  it('change their presence (§7.7)', () => {
    bench.sends(romeo, '<presence><show>dnd</show></presence>', 'romeo');
    expect(bench.all()).to.deep.equal([
      `romeo < +romeo none/participant ${romeo} (dnd) 110`,
      `juliet < +romeo none/participant ${romeo} (dnd)`,
      'nurse < +romeo none/participant (dnd)',
    ]);
  });

  it('change their nickname: the old one goes with 303, the new one comes (§7.6)', () => {
    bench.sends(romeo, '<presence/>', 'montague');
    expect(bench.all()).to.deep.equal([
      `romeo < -romeo none/none ${romeo} nick=montague 110 303`,
      `juliet < -romeo none/none ${romeo} nick=montague 303`,
      'nurse < -romeo none/none nick=montague 303',
      `romeo < +montague none/participant ${romeo} 110`,
      `juliet < +montague none/participant ${romeo}`,
      'nurse < +montague none/participant',
    ]);
    bench.sends(romeo, '<presence/>', 'Juliet');
    expect(bench.all()).to.deep.equal(['romeo < error conflict text']);
  });

  it('may write their nickname differently', () => {
    bench.sends(romeo, '<presence/>', 'Romeo');
    expect(bench.gets(nurse)).to.deep.equal(['-romeo none/none nick=Romeo 303', '+Romeo none/participant']);
    expect(bench.room.occupants.size).to.equal(3);
  });

  it('are unseen with a role whose presence the room does not show, except by themselves (§7.2.2)', () => {
    bench.configures(juliet, { 'muc#roomconfig_presencebroadcast': ['moderator'] });
    bench.all();
    bench.sends(romeo, '<presence><show>dnd</show></presence>', 'romeo');
    bench.sends(juliet, '<presence><show>dnd</show></presence>', 'juliet');
    expect(bench.all()).to.deep.equal([
      `romeo < +romeo none/participant ${romeo} (dnd) 110`,
      `juliet < +juliet owner/moderator ${juliet} (dnd) 110`,
      'romeo < +juliet owner/moderator (dnd)',
      'nurse < +juliet owner/moderator (dnd)',
    ]);
    expect(bench.enters('x@a.example/x', 'x')[0]).to.equal('+juliet owner/moderator (dnd)');
    bench.administers(juliet, "<item nick='romeo' role='moderator'/>");
    expect(bench.gets(nurse)).to.deep.equal(['+romeo none/moderator by=juliet (dnd)']);
    bench.administers(juliet, "<item nick='romeo' role='participant'/>");
    expect(bench.gets(nurse)).to.deep.equal(['-romeo none/none by=juliet']);
    bench.sends(romeo, '<presence/>', 'montague');
    expect(bench.gets(nurse)).to.deep.equal([]);
    expect(bench.gets(romeo).slice(-2)).to.deep.equal([
      `-romeo none/none ${romeo} nick=montague 110 303`,
      `+montague none/participant ${romeo} 110`,
    ]);
  });

  it('are removed with 333 if they cannot be reached, but not because of other errors (§18.1.2)', () => {
    const error = (condition: string) =>
      `<message type='error'><error type='cancel'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`;
    bench.sends(romeo, error('not-acceptable'));
    expect(bench.all()).to.deep.equal([]);
    bench.sends(romeo, error('service-unavailable'));
    expect(bench.all()).to.deep.equal([
      `romeo < -romeo none/none ${romeo} 110 333`,
      `juliet < -romeo none/none ${romeo} 333`,
      'nurse < -romeo none/none 333',
    ]);
  });

  it('end a temporary room when the last one leaves (§10.9)', () => {
    bench.configures(juliet, { 'muc#roomconfig_persistentroom': '0' });
    for (const one of [romeo, nurse, juliet]) bench.sends(one, "<presence type='unavailable'/>", 'x');
    bench.takes({ kind: 'end-if-over', nowMs: bench.nowMs });
    expect(bench.state.kind).to.equal('absent');
  });
});

describe('One user with several clients under one nickname (XEP-0045 §7.2.8)', () => {
  const phone = 'romeo@b.example/phone';
  let bench: RoomBench;

  beforeEach(() => {
    bench = new RoomBench().peopled(juliet, romeo);
  });

  it('may share it; others see the client of the highest priority, and the latest of these', () => {
    expect(bench.enters(phone, 'romeo')).to.deep.equal([
      '+juliet owner/moderator',
      `+romeo none/participant ${phone} 110`,
      'room #',
    ]);
    expect(bench.gets(juliet)).to.deep.equal([`+romeo none/participant ${phone}`]);
    expect(bench.gets(romeo)).to.deep.equal([`+romeo none/participant ${phone} 110`]);
    bench.sends(romeo, '<presence><priority>5</priority><show>chat</show></presence>', 'romeo');
    expect(bench.gets(juliet)).to.deep.equal([`+romeo none/participant ${romeo} (chat)`]);
    bench.sends(phone, '<presence><show>away</show></presence>', 'romeo');
    expect(bench.gets(juliet)).to.deep.equal([`+romeo none/participant ${romeo} (chat)`]);
  });

  it('stay in the room as long as one of them does', () => {
    bench.enters(phone, 'romeo');
    bench.all();
    bench.sends(phone, "<presence type='unavailable'/>", 'romeo');
    expect(bench.gets(phone)).to.deep.equal([`-romeo none/none ${phone} 110`]);
    expect(bench.gets(juliet)).to.deep.equal([`+romeo none/participant ${romeo}`]);
    expect(bench.gets(romeo)).to.deep.equal([`+romeo none/participant ${romeo} 110`]);
    bench.sends(romeo, "<presence type='unavailable'/>", 'romeo');
    expect(bench.gets(juliet)).to.deep.equal([`-romeo none/none ${romeo}`]);
  });

  it('show nothing to others when one leaves that they did not see', () => {
    bench.sends(romeo, '<presence><priority>5</priority></presence>', 'romeo');
    bench.enters(phone, 'romeo');
    bench.all();
    bench.sends(phone, "<presence type='unavailable'/>", 'romeo');
    expect(bench.gets(phone)).to.deep.equal([`-romeo none/none ${romeo} 110`]);
    expect(bench.all()).to.deep.equal([]);
  });

  it('all get what is said, and go together when somebody kicks them', () => {
    bench.enters(phone, 'romeo');
    bench.all();
    bench.sends(juliet, "<message type='groupchat'><body>hi</body></message>");
    expect([...bench.gets(romeo), ...bench.gets(phone)]).to.deep.equal(['juliet: hi', 'juliet: hi']);
    bench.administers(juliet, "<item nick='romeo' role='none'/>");
    expect([...bench.gets(romeo), ...bench.gets(phone)]).to.deep.equal(
      Array(2).fill(`-romeo none/none ${phone} by=juliet 110 307`),
    );
  });

  it('are removed one by one if they cannot be reached', () => {
    bench.enters(phone, 'romeo');
    bench.all();
    const gone = "<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>";
    bench.sends(phone, `<presence type='error'><error type='cancel'>${gone}</error></presence>`, 'romeo');
    expect(bench.gets(juliet)).to.deep.equal([`+romeo none/participant ${romeo}`]);
    expect(bench.room.occupants.sessions.map(String)).to.deep.equal([juliet, romeo]);
  });

  it('part when one changes its nickname: others see somebody come', () => {
    bench.enters(phone, 'romeo');
    bench.all();
    bench.sends(phone, '<presence/>', 'montague');
    expect(bench.gets(phone)).to.deep.equal([
      `-romeo none/none ${phone} nick=montague 110 303`,
      `+montague none/participant ${phone} 110`,
      '+romeo none/participant',
    ]);
    expect(bench.gets(juliet)).to.deep.equal([
      `+montague none/participant ${phone}`,
      `+romeo none/participant ${romeo}`,
    ]);
    expect(bench.gets(romeo)).to.deep.equal(['+montague none/participant', `+romeo none/participant ${romeo} 110`]);
  });

  it('meet again under one nickname', () => {
    bench.enters(phone, 'montague');
    bench.all();
    bench.sends(phone, '<presence/>', 'romeo');
    expect(bench.gets(juliet)).to.deep.equal([`-montague none/none ${phone}`, `+romeo none/participant ${phone}`]);
    expect(bench.room.occupants.size).to.equal(2);
  });

  it('may not be more than ten', () => {
    for (let n = 2; n <= 10; n += 1) expect(bench.enters(`romeo@b.example/${n}`, 'romeo')).to.have.length(3);
    expect(bench.enters('romeo@b.example/11', 'romeo')).to.deep.equal(['error conflict text']);
  });

  it('get the spelling of the one who came first (§7.2.10)', () => {
    expect(bench.enters(phone, 'ROMEO')[1]).to.equal(`+romeo none/participant ${phone} 110 210`);
  });
});
