import { expect } from 'chai';
import { childOf, parseTree } from '../support/xml-tree.ts';
import { RoomBench } from './room-bench.ts';

const juliet = 'juliet@a.example/balcony';
const romeo = 'romeo@b.example/orchard';
const nurse = 'nurse@a.example/chamber';
const user = 'http://jabber.org/protocol/muc#user';

describe('Between occupants of a room', () => {
  let bench: RoomBench;

  beforeEach(() => {
    bench = new RoomBench().peopled(juliet, romeo, nurse);
  });

  const configures = (values: Record<string, string>) => {
    bench.configures(juliet, values);
    bench.all();
  };
  const errorOf = (client: string) => bench.gets(client).map((line) => line.replace(' text', ''));
  const stanzaError = (id: string, condition: string) =>
    `<message type='error' id='${id}'><error type='cancel' by='${nurse}'>` +
    `<${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`;

  describe('a private message (XEP-0045 §7.5)', () => {
    const whispers = (client: string, nick: string) =>
      bench.sends(client, "<message type='chat' id='p'><body>psst</body></message>", nick);

    it('reaches all clients of the occupant and nobody else, marked as private', () => {
      bench.enters('nurse@a.example/phone', 'nurse');
      bench.all();
      whispers(romeo, 'Nurse');
      const [message] = bench.stanzas(nurse);
      expect(String(message)).to.match(
        new RegExp(
          `^<message from="hall@rooms.example/romeo" to="${nurse}" id="p" type="chat"><body>psst</body><occupant-id `,
        ),
      );
      expect(String(message)).to.contain(`<x xmlns="${user}"/>`);
      expect(bench.gets('nurse@a.example/phone')).to.deep.equal(['romeo: psst']);
      expect(bench.all()).to.deep.equal([]);
    });

    it('is refused to outsiders, to a nickname that nobody has, and as the room allows', () => {
      whispers('x@x.example/x', 'nurse');
      expect(errorOf('x@x.example/x')).to.deep.equal(['error not-acceptable']);
      whispers(romeo, 'tybalt');
      expect(errorOf(romeo)).to.deep.equal(['error item-not-found']);
      configures({ 'muc#roomconfig_allowpm': 'moderators' });
      whispers(romeo, 'nurse');
      expect(errorOf(romeo)).to.deep.equal(['error forbidden']);
      whispers(romeo, 'romeo');
      expect(bench.gets(romeo)).to.deep.equal(['romeo: psst']);
      whispers(juliet, 'nurse');
      expect(bench.gets(nurse)).to.deep.equal(['juliet: psst']);
    });

    it('that comes back as an error goes to its author, removes nobody and shows no JID', () => {
      whispers(romeo, 'nurse');
      bench.all();
      bench.sends(nurse, stanzaError('p', 'service-unavailable'), 'romeo');
      const [error] = bench.stanzas(romeo);
      expect(String(error)).to.contain('from="hall@rooms.example/nurse"').and.to.not.contain('nurse@a.example');
      expect(bench.room.occupants.size).to.equal(3);
      bench.sends(nurse, stanzaError('other', 'service-unavailable'), 'romeo');
      expect(bench.room.occupants.size).to.equal(2);
    });
  });

  describe('a request (XEP-0045 §17.4)', () => {
    const version = "<query xmlns='jabber:iq:version'/>";
    const asks = (client: string, nick: string, content: string) =>
      bench.sends(client, `<iq type='get' id='q'>${content}</iq>`, nick);

    it('goes to one client under another id, and its answer comes back from the occupant', () => {
      asks(romeo, 'nurse', version);
      const [request] = bench.stanzas(nurse);
      expect(String(request?.from)).to.equal('hall@rooms.example/romeo');
      expect(request?.id).to.not.equal('q');
      bench.sends(juliet, `<iq type='result' id='${request?.id}'/>`, 'romeo');
      expect(bench.all()).to.deep.equal([]);
      bench.sends(nurse, `<iq type='result' id='${request?.id}'>${version}</iq>`, 'romeo');
      expect(bench.stanzas(romeo).map(String)).to.deep.equal([
        `<iq from="hall@rooms.example/nurse" to="${romeo}" id="q" type="result">${version}</iq>`,
      ]);
      bench.sends(nurse, `<iq type='result' id='${request?.id}'/>`, 'romeo');
      expect(bench.all()).to.deep.equal([]);
    });

    it('to discover an occupant is a bad one from outside (§6.6)', () => {
      asks('x@x.example/x', 'nurse', "<query xmlns='http://jabber.org/protocol/disco#info'/>");
      asks('x@x.example/x', 'nurse', version);
      expect(errorOf('x@x.example/x')).to.deep.equal(['error bad-request', 'error not-acceptable']);
    });

    for (const content of ["<vCard xmlns='vcard-temp'/>", "<pubsub xmlns='http://jabber.org/protocol/pubsub'/>"]) {
      it(`that the server of the user answers goes to the bare JID: ${content}`, () => {
        asks(romeo, 'nurse', content);
        expect(bench.gets('nurse@a.example')).to.deep.equal(['iq get']);
      });
    }

    it('has an answer after a while in any case', () => {
      asks(romeo, 'nurse', version);
      const [request] = bench.stanzas(nurse);
      bench.takes({ kind: 'expire-request', nowMs: bench.nowMs, id: request?.id ?? '' });
      expect(errorOf(romeo)).to.deep.equal(['error remote-server-timeout']);
      bench.sends(nurse, `<iq type='result' id='${request?.id}'/>`, 'romeo');
      expect(bench.all()).to.deep.equal([]);
    });

    it('gets the error of the other, without its JID', () => {
      asks(romeo, 'nurse', version);
      const [request] = bench.stanzas(nurse);
      const error = stanzaError(request?.id ?? '', 'service-unavailable').replace(/message/g, 'iq');
      bench.sends(nurse, error, 'romeo');
      const [answer] = bench.stanzas(romeo);
      expect(String(answer)).to.contain('service-unavailable').and.to.not.contain('nurse@a.example');
    });

    it('is refused to outsiders, and if too many are open', () => {
      asks('x@x.example/x', 'nurse', version);
      expect(errorOf('x@x.example/x')).to.deep.equal(['error not-acceptable']);
      for (let n = 0; n < 65; n += 1) asks(romeo, 'nurse', version);
      expect(errorOf(romeo)).to.deep.equal(['error resource-constraint']);
    });

    it('to oneself says whether one is still in the room (XEP-0410)', () => {
      const ping = "<ping xmlns='urn:xmpp:ping'/>";
      asks(romeo, 'romeo', ping);
      expect(bench.gets(romeo)).to.deep.equal(['iq result']);
      asks('romeo@b.example/other', 'romeo', ping);
      expect(errorOf('romeo@b.example/other')).to.deep.equal(['error not-acceptable']);
      asks(romeo, 'nurse', ping);
      expect(bench.gets(nurse)).to.deep.equal(['iq get']);
    });
  });

  it('a probe brings the presence of an occupant to those in the room', () => {
    bench.sends(romeo, "<presence type='probe'/>", 'nurse');
    bench.sends('x@x.example/x', "<presence type='probe'/>", 'nurse');
    expect(bench.all()).to.deep.equal(['romeo < +nurse none/participant', 'x < error not-acceptable text']);
  });

  it('presence to the room itself is for the own nickname', () => {
    bench.sends(romeo, '<presence><show>dnd</show></presence>');
    expect(bench.gets(nurse)).to.deep.equal(['+romeo none/participant (dnd)']);
    bench.sends('x@x.example/x', '<presence/>');
    expect(errorOf('x@x.example/x')).to.deep.equal(['error jid-malformed']);
  });

  describe('an invitation (XEP-0045 §7.8.2)', () => {
    const invites = (client: string, ...invitees: string[]) => {
      const all = invitees.map((to) => `<invite to='${to}'><reason>come</reason></invite>`).join('');
      bench.sends(client, `<message><x xmlns='${user}'>${all}</x></message>`);
    };
    const declines = (client: string, to: string) =>
      bench.sends(
        client,
        `<message><x xmlns='${user}'><decline to='${to}'><reason>no</reason></decline></x></message>`,
      );

    it('comes from the room, names the inviter by nickname where JIDs are hidden, and has the password', () => {
      configures({ 'muc#roomconfig_passwordprotectedroom': '1', 'muc#roomconfig_roomsecret': 'x' });
      invites(romeo, 'tybalt@a.example', 'paris@a.example/x');
      expect(bench.stanzas('paris@a.example')).to.have.length(1);
      expect(bench.stanzas('tybalt@a.example').map(String)).to.deep.equal([
        '<message from="hall@rooms.example" to="tybalt@a.example">' +
          `<x xmlns="${user}"><invite from="hall@rooms.example/romeo"><reason>come</reason></invite>` +
          '<password>x</password></x>' +
          '<x xmlns="jabber:x:conference" jid="hall@rooms.example" password="x" reason="come"/></message>',
      ]);
      expect(bench.room.affiliations.has('tybalt@a.example')).to.equal(false);
    });

    it('may continue a conversation (§7.9, XEP-0249 §3)', () => {
      const invite = "<invite to='tybalt@a.example'><continue thread='t1'/></invite>";
      bench.sends(romeo, `<message><x xmlns='${user}'>${invite}</x></message>`);
      const text = String(bench.stanzas('tybalt@a.example')[0]);
      expect(text).to.contain('<continue thread="t1"/>');
      expect(text).to.contain('<x xmlns="jabber:x:conference" jid="hall@rooms.example" continue="true" thread="t1"/>');
    });

    it('names the inviter by bare JID where JIDs are visible', () => {
      configures({ 'muc#roomconfig_whois': 'anyone' });
      invites(romeo, 'tybalt@a.example');
      expect(String(bench.stanzas('tybalt@a.example')[0])).to.contain('<invite from="romeo@b.example">');
    });

    it('to a members-only room makes a member first', () => {
      configures({ 'muc#roomconfig_membersonly': '1' });
      invites(juliet, 'tybalt@a.example');
      expect(bench.changes[0]?.kind).to.equal('affiliations');
      expect(bench.room.affiliations.get('tybalt@a.example')?.affiliation).to.equal('member');
      expect(bench.gets(juliet)).to.deep.equal(['room ! member/none tybalt@a.example']);
    });

    it('is refused to outsiders, and of outcasts', () => {
      invites('x@x.example/x', 'tybalt@a.example');
      expect(errorOf('x@x.example/x')).to.deep.equal(['error forbidden']);
      bench.administers(juliet, "<item affiliation='outcast' jid='tybalt@a.example'/>");
      bench.all();
      invites(juliet, 'tybalt@a.example');
      expect(errorOf(juliet)).to.deep.equal(['error not-allowed']);
    });

    it('can be declined once, within a week, and only by the invitee', () => {
      invites(romeo, 'tybalt@a.example');
      declines('x@x.example/x', 'romeo@b.example');
      expect(errorOf('x@x.example/x')).to.deep.equal(['error item-not-found']);
      declines('tybalt@a.example/x', 'romeo@b.example');
      expect(String(bench.stanzas('romeo@b.example')[0])).to.contain(
        '<decline from="tybalt@a.example"><reason>no</reason>',
      );
      declines('tybalt@a.example/x', 'romeo@b.example');
      expect(errorOf('tybalt@a.example/x')).to.deep.equal(['error item-not-found']);
      invites(romeo, 'tybalt@a.example');
      bench.nowMs += 7 * 24 * 60 * 60 * 1000;
      declines('tybalt@a.example/x', 'romeo@b.example');
      expect(errorOf('tybalt@a.example/x')).to.deep.equal(['error item-not-found']);
    });
  });

  describe('a request for voice (XEP-0045 §7.13, §8.6)', () => {
    const form = (fields: Record<string, string>) => {
      const all = Object.entries({ FORM_TYPE: 'http://jabber.org/protocol/muc#request', ...fields });
      const written = all.map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`).join('');
      return `<message><x xmlns='jabber:x:data' type='submit'>${written}</x></message>`;
    };
    const request = form({ 'muc#role': 'participant' });
    const answer = (changes: Record<string, string> = {}) =>
      form({ 'muc#jid': romeo, 'muc#roomnick': 'romeo', 'muc#request_allow': '1', ...changes });
    const role = () => bench.room.occupants.named('romeo')?.role;

    beforeEach(() => {
      bench.administers(juliet, "<item nick='romeo' role='visitor'/>");
      bench.all();
    });

    it('goes to the moderators, and one of them gives voice', () => {
      bench.sends(romeo, request);
      const [asked] = bench.stanzas(juliet).map((stanza) => parseTree(stanza.toString()));
      const x = asked && childOf(asked, 'x');
      expect(x?.children.map(({ attributes }) => attributes.get('var')).filter(Boolean)).to.deep.equal([
        'FORM_TYPE',
        'muc#role',
        'muc#jid',
        'muc#roomnick',
        'muc#request_allow',
      ]);
      expect(bench.all()).to.deep.equal([]);
      bench.sends(juliet, answer());
      expect(bench.gets(nurse)).to.deep.equal(['+romeo none/participant by=juliet']);
    });

    it('that was granted holds for a day, also if the visitor comes again', () => {
      bench.configures(juliet, { 'muc#roomconfig_moderatedroom': '1' });
      bench.sends(juliet, answer());
      bench.sends(romeo, "<presence type='unavailable'/>", 'romeo');
      bench.all();
      expect(bench.enters(romeo, 'romeo').at(-2)).to.equal(`+romeo none/participant ${romeo} 110`);
    });

    it('is made once in half an hour', () => {
      bench.sends(romeo, request);
      bench.sends(romeo, request);
      expect(errorOf(romeo)).to.deep.equal(['error policy-violation']);
      bench.nowMs += 30 * 60 * 1000;
      bench.all();
      bench.sends(romeo, request);
      expect(bench.gets(juliet)).to.have.length(1);
    });

    it('is answered only by a moderator, for the same user, and may be refused', () => {
      bench.sends(nurse, answer());
      expect(errorOf(nurse)).to.deep.equal(['error forbidden']);
      bench.sends(juliet, answer({ 'muc#jid': 'other@b.example/x' }));
      bench.sends(juliet, answer({ 'muc#request_allow': '0' }));
      expect([role(), bench.all()]).to.deep.equal(['visitor', []]);
    });
  });

  describe('a registration (XEP-0045 §7.10)', () => {
    const query = (content: string) => `<query xmlns='jabber:iq:register'>${content}</query>`;
    const asks = (client: string) => {
      bench.sends(client, `<iq type='get' id='r'>${query('')}</iq>`);
      return String(bench.stanzas(client)[0]);
    };
    const registers = (client: string, nick: string) => {
      const field = `<field var='muc#register_roomnick'><value>${nick}</value></field>`;
      bench.sends(client, `<iq type='set' id='r'>${query(`<x xmlns='jabber:x:data' type='submit'>${field}</x>`)}</iq>`);
      return bench.gets(client).map((line) => line.replace(' text', ''));
    };

    it('reserves a nickname and makes a member; it can end', () => {
      expect(asks(romeo)).to.contain('muc#register_roomnick').and.to.not.contain('<registered');
      expect(registers(romeo, 'Montague')).to.include('iq result');
      expect(bench.gets(nurse)).to.deep.equal(['+romeo member/participant']);
      expect(asks(romeo)).to.contain('<registered/><username>Montague</username>');
      expect(bench.enters('x@x.example/x', 'montague')).to.deep.equal(['error conflict text']);
      bench.sends(romeo, `<iq type='set' id='r'>${query('<remove/>')}</iq>`);
      expect(bench.room.affiliations.has('romeo@b.example')).to.equal(false);
    });

    it('leaves admins what they are', () => {
      registers(juliet, 'Capulet');
      bench.sends(juliet, `<iq type='set' id='r'>${query('<remove/>')}</iq>`);
      expect(bench.room.affiliations.get('juliet@a.example')?.affiliation).to.equal('owner');
    });

    it('is refused for the nickname of somebody else, and to outsiders of a members-only room', () => {
      expect(registers(romeo, 'nurse')).to.deep.equal(['error conflict']);
      expect(registers(romeo, ' ')).to.deep.equal(['error jid-malformed']);
      configures({ 'muc#roomconfig_membersonly': '1' });
      expect(registers('x@x.example/x', 'x')).to.deep.equal(['error not-allowed']);
    });
  });
});
