import { Stage } from '../support/conversation.ts';

const query = (type: string, inner: string, to = '') =>
  `<iq type="${type}"${to}><query xmlns="jabber:iq:private">${inner}</query></iq>`;
const notes = '<storage xmlns="storage:rosternotes"><note jid="a@b.example">A &amp; B</note></storage>';
const refusal = (condition: string) => {
  return `<iq type="error"><error type="*"><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>...</error></iq>`;
};

describe('Private XML storage (XEP-0049)', () => {
  const stage = new Stage();

  it('gives an empty element back at first (XEP-0049 §2.3)', async () => {
    const { juliet } = await stage.enter(['juliet']);
    await juliet.gets(
      query('get', '<storage xmlns="storage:rosternotes"/>'),
      query('result', '<storage xmlns="storage:rosternotes"/>'),
    );
  });

  it('gives back what was put in, to every resource of the account (XEP-0049 §2.2, §2.3)', async () => {
    const account = await stage.account('juliet');
    const balcony = await account.connects();
    await balcony.gets(query('set', notes), '<iq type="result"/>');
    const chamber = await account.connects();
    await chamber.gets(query('get', '<storage xmlns="storage:rosternotes"/>'), query('result', notes));
    await chamber.gets(
      query('get', '<storage xmlns="storage:other"/>'),
      query('result', '<storage xmlns="storage:other"/>'),
    );
    await chamber.gets(
      query('get', '<store xmlns="storage:rosternotes"/>'),
      query('result', '<store xmlns="storage:rosternotes"/>'),
    );
  });

  it('replaces what is there under the same name (XEP-0049 §2.2)', async () => {
    const { juliet } = await stage.enter(['juliet']);
    await juliet.asks(query('set', notes));
    await juliet.gets(query('set', '<storage xmlns="storage:rosternotes">new</storage>'), '<iq type="result"/>');
    await juliet.gets(
      query('get', '<storage xmlns="storage:rosternotes"/>'),
      query('result', '<storage xmlns="storage:rosternotes">new</storage>'),
    );
  });

  it('belongs to its owner alone (XEP-0049 §2.4)', async () => {
    const { eve, juliet } = await stage.enter(['eve', 'juliet']);
    await juliet.asks(query('set', notes));
    const to = ` to="${juliet.bare}"`;
    await eve.gets(query('get', '<storage xmlns="storage:rosternotes"/>', to), refusal('forbidden'));
    await eve.gets(query('set', '<storage xmlns="storage:rosternotes"/>', to), refusal('forbidden'));
    await eve.gets(
      query('get', '<storage xmlns="storage:rosternotes"/>'),
      query('result', '<storage xmlns="storage:rosternotes"/>'),
    );
  });

  for (const [name, request] of [
    ['a get of nothing', query('get', '')],
    ['a get of two things', query('get', '<a xmlns="urn:example:a"/><b xmlns="urn:example:b"/>')],
    ['a set of nothing', query('set', '')],
    ['a set without a namespace of its own', query('set', '<storage/>')],
  ] as const) {
    it(`${name} is not acceptable (XEP-0049 §2.4)`, async () => {
      const { juliet } = await stage.enter(['juliet']);
      await juliet.gets(request, refusal('not-acceptable'));
    });
  }

  it('outlives the server (XEP-0049 §2.2)', async () => {
    const account = await stage.account('juliet');
    await (await account.connects()).asks(query('set', notes));
    await stage.server.restart();
    await (await account.connects()).gets(
      query('get', '<storage xmlns="storage:rosternotes"/>'),
      query('result', notes),
    );
  });
});
