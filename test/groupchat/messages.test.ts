import { expect } from 'chai';
import { brief } from './brief.ts';
import { RoomBench } from './room-bench.ts';

const juliet = 'juliet@a.example/balcony';
const romeo = 'romeo@b.example/orchard';
const nurse = 'nurse@a.example/chamber';

const says = (content: string, id = 'm') => `<message type='groupchat' id='${id}'>${content}</message>`;
const body = (text: string) => says(`<body>${text}</body>`);

describe('Messages in a room', () => {
  let bench: RoomBench;

  beforeEach(() => {
    bench = new RoomBench().peopled(juliet, romeo);
  });

  const configures = (values: Record<string, string>) => {
    bench.configures(juliet, values);
    bench.all();
  };

  it('reach everybody, the author too, with the same id and content (§7.4)', () => {
    bench.sends(romeo, says("<body>hi</body><x xmlns='urn:x'/>"));
    const [one, other] = [bench.stanzas(romeo), bench.stanzas(juliet)].map((stanzas) => stanzas.map(String));
    expect(one).to.deep.equal([
      `<message from="hall@rooms.example/romeo" to="${romeo}" id="m" type="groupchat"><body>hi</body><x xmlns='urn:x'/>` +
        `<occupant-id xmlns="urn:xmpp:occupant-id:0" id="${idOf('romeo')}"/>` +
        '<stanza-id xmlns="urn:xmpp:sid:0" by="hall@rooms.example" id="id1"/></message>',
    ]);
    expect(other).to.deep.equal(one?.map((text) => text.replace(romeo, juliet)));
  });

  function idOf(nick: string): string {
    const found = [...bench.room.occupants.all].find((occupant) => occupant.nick === nick);
    return found?.occupantId ?? '';
  }

  it('share their content between all copies', () => {
    bench.sends(romeo, body('hi'));
    const [one] = bench.stanzas(romeo);
    const [other] = bench.stanzas(juliet);
    expect(one?.payload).to.equal(other?.payload);
  });

  it('get an id if they have none', () => {
    bench.sends(romeo, "<message type='groupchat'><body>hi</body></message>");
    expect(bench.stanzas(juliet)[0]?.id).to.match(/^[\w-]{22}$/);
  });

  it('are refused from outside, without voice, and where there is no room', () => {
    bench.sends(nurse, body('hi'));
    expect(bench.all()).to.deep.equal(['nurse < error not-acceptable text']);
    configures({ 'muc#roomconfig_moderatedroom': '1' });
    bench.enters(nurse, 'nurse');
    bench.gets(juliet);
    bench.gets(romeo);
    bench.sends(nurse, body('hi'));
    expect(bench.all()).to.deep.equal(['nurse < error forbidden text']);
    const nowhere = new RoomBench();
    nowhere.sends(nurse, body('hi'));
    expect(nowhere.all()).to.deep.equal(['nurse < error item-not-found text']);
  });

  it('of other types are refused, and so are groupchat messages to an occupant (§7.5)', () => {
    bench.sends(romeo, "<message type='chat'><body>hi</body></message>");
    bench.sends(romeo, body('hi'), 'juliet');
    expect(bench.all()).to.deep.equal(['romeo < error bad-request text', 'romeo < error bad-request text']);
  });

  const forged: readonly (readonly [string, string])[] = [
    ['a join with its password', "<x xmlns='http://jabber.org/protocol/muc'><password>p</password></x>"],
    ['a standing', "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner'/></x>"],
    ['an occupant id', "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>"],
    ['the id of the room', "<stanza-id xmlns='urn:xmpp:sid:0' by='HALL@rooms.example' id='forged'/>"],
    ['a delay of the room', "<delay xmlns='urn:xmpp:delay' from='hall@Rooms.example' stamp='2026-01-01T00:00:00Z'/>"],
    ['an old delay of the room', "<x xmlns='jabber:x:delay' from='hall@rooms.example' stamp='20260101T00:00:00'/>"],
    ['rules for the server', "<amp xmlns='http://jabber.org/protocol/amp'/>"],
    ['hats', "<hats xmlns='urn:xmpp:hats:0'/>"],
    ['affiliations', "<mav xmlns='urn:xmpp:muc:affiliations:1'/>"],
  ];
  for (const [title, element] of forged) {
    it(`pass on nothing that only the room may say: ${title}`, () => {
      bench.sends(romeo, says(`<body>hi</body>${element}`));
      const [message] = bench.stanzas(juliet);
      expect(String(message)).to.not.match(/forged|password|<amp|<hats|<mav|delay|affiliation/);
      bench.sends(romeo, `<presence>${element}</presence>`, 'romeo');
      const own = /forged|password|<amp|<hats|<mav|delay|'owner'/;
      expect(String(bench.stanzas(juliet)[0])).to.not.match(own);
    });
  }

  it('keep the ids and delays of others', () => {
    const element =
      "<stanza-id xmlns='urn:xmpp:sid:0' by='x.example' id='1'/>" +
      "<delay xmlns='urn:xmpp:delay' from='x.example' stamp='2026-01-01T00:00:00Z'/>";
    bench.sends(romeo, says(`<body>hi</body>${element}`));
    expect(String(bench.stanzas(juliet)[0])).to.contain(element);
  });

  it('have an id of the room if the archive can keep them, and not if they are chat states', () => {
    bench.sends(romeo, says("<composing xmlns='http://jabber.org/protocol/chatstates'/>"));
    expect(bench.changes).to.deep.equal([]);
    expect(String(bench.stanzas(juliet)[0]))
      .to.contain('occupant-id')
      .and.to.not.contain('stanza-id');
  });

  it('have the same occupant id under every nickname, and another one in another room (XEP-0421)', () => {
    const before = idOf('romeo');
    bench.sends(romeo, '<presence/>', 'montague');
    expect(idOf('montague')).to.equal(before);
    const other = new RoomBench();
    other.creation = { occupantKey: Buffer.alloc(32, 2) };
    other.peopled(juliet, romeo);
    expect(other.room.occupants.named('romeo')?.occupantId).to.not.equal(before);
  });

  describe('The subject', () => {
    it('is changed by moderators, and reflected and kept as it was written (§8.1)', () => {
      bench.sends(juliet, says("<subject xml:lang='it'>Amore</subject><x xmlns='urn:x'/>", 's'));
      expect(bench.gets(romeo)).to.deep.equal(['juliet # Amore']);
      const stanzas = () => bench.enters(nurse, 'nurse');
      expect(stanzas().at(-1)).to.equal('juliet # Amore (late)');
      expect(String(bench.room.subject?.message)).to.contain("xml:lang='it'").and.to.contain('id="s"');
    });

    it('is not changed by participants unless the room allows it', () => {
      bench.sends(romeo, says('<subject>no</subject>'));
      expect(bench.all()).to.deep.equal(['romeo < error forbidden text']);
      configures({ 'muc#roomconfig_changesubject': '1' });
      bench.sends(romeo, says('<subject>yes</subject>'));
      expect(bench.gets(juliet)).to.deep.equal(['romeo # yes']);
    });

    it('does not change with a message that has a body or a thread', () => {
      bench.sends(romeo, says('<subject>s</subject><body>b</body>'));
      bench.sends(romeo, says('<subject>s</subject><thread>t</thread>'));
      expect(bench.gets(juliet)).to.deep.equal(['romeo: b', 'romeo # s']);
      expect(bench.room.subject).to.equal(undefined);
    });

    it('may be empty, which is told with its time', () => {
      bench.sends(juliet, says('<subject/>'));
      expect(bench.enters(nurse, 'nurse').at(-1)).to.equal('juliet # (late)');
    });

    it('is no part of the history', () => {
      bench.sends(juliet, says('<subject>one</subject>'));
      bench.sends(juliet, says('<subject>two</subject>'));
      expect(bench.enters(nurse, 'nurse').filter((line) => line.includes('#'))).to.deep.equal(['juliet # two (late)']);
    });

    it('must not be too long', () => {
      bench.sends(juliet, says(`<subject>${'x'.repeat(4096)}</subject>`));
      expect(bench.all()).to.deep.equal(['juliet < error not-acceptable text']);
    });
  });

  describe('The history', () => {
    const seconds = 1000;

    beforeEach(() => {
      for (const text of ['one', 'two', 'three']) {
        bench.sends(romeo, body(text));
        bench.nowMs += 60 * seconds;
      }
      bench.all();
    });

    /** What somebody gets who asks for this history. */
    const history = (attributes: string) => {
      const lines = bench.enters(nurse, 'nurse', `<history ${attributes}/>`);
      return lines.filter((line) => line.endsWith('(late)')).map((line) => line.replace(/romeo: (.*) .late./, '$1'));
    };

    it('has the messages as they were, with a delay of the room (§7.2.13)', () => {
      bench.sends(nurse, "<presence><x xmlns='http://jabber.org/protocol/muc'/></presence>", 'nurse');
      const first = bench.stanzas(nurse).find(({ kind }) => kind === 'message');
      expect(brief(String(first))).to.equal('romeo: one (late)');
      expect(String(first))
        .to.contain('id="id1"')
        .and.to.contain('<delay xmlns="urn:xmpp:delay" from="hall@rooms.example" stamp="2026-01-01T00:00:00Z"/>');
    });

    const wanted: readonly (readonly [string, string[]])[] = [
      ['', ['one', 'two', 'three']],
      ["maxstanzas='2'", ['two', 'three']],
      ["maxstanzas='0'", []],
      ["maxchars='0'", []],
      ["maxchars='100000'", ['one', 'two', 'three']],
      ["seconds='130'", ['two', 'three']],
      ["since='2026-01-01T00:02:00Z'", ['three']],
      ["seconds='1000' maxstanzas='1'", ['three']],
      ["maxstanzas='many'", ['one', 'two', 'three']],
    ];
    for (const [attributes, texts] of wanted) {
      it(`is as long as a newcomer wants it: ${attributes || 'nothing said'} (§7.2.14)`, () => {
        expect(history(attributes)).to.deep.equal(texts);
      });
    }

    it('has whole stanzas only', () => {
      const stanzas = () => {
        bench.sends(nurse, "<presence><x xmlns='http://jabber.org/protocol/muc'/></presence>", 'nurse');
        return bench
          .stanzas(nurse)
          .filter(({ kind, payload }) => kind === 'message' && payload.has('body', 'jabber:client'));
      };
      const chars = String(stanzas().at(-1)).length;
      bench.sends(nurse, "<presence type='unavailable'/>", 'nurse');
      expect(history(`maxchars='${chars}'`)).to.deep.equal(['three']);
      bench.sends(nurse, "<presence type='unavailable'/>", 'nurse');
      expect(history(`maxchars='${chars - 1}'`)).to.deep.equal([]);
    });

    it('is at most as long as the room wants it', () => {
      configures({ 'muc#maxhistoryfetch': '1' });
      expect(history("maxstanzas='10'")).to.deep.equal(['three']);
    });

    it('has the last fifty messages at most', () => {
      configures({ 'muc#maxhistoryfetch': '1000' });
      for (let n = 0; n < 60; n += 1) bench.sends(romeo, body(String(n)));
      const texts = history('');
      expect([texts.length, texts[0], texts.at(-1)]).to.deep.equal([50, '10', '59']);
    });

    it('does not have a message that could not be stored', () => {
      bench.takes({ kind: 'forget-message', nowMs: bench.nowMs, number: 2 });
      expect(history('')).to.deep.equal(['one', 'three']);
    });
  });
});
