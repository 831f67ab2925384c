import { expect } from 'chai';
import { archive } from '../../src/extensions/archive/archive.ts';
import { offline } from '../../src/extensions/offline/offline.ts';
import type { Account } from '../../src/routing/account.ts';
import { Bench } from './bench.ts';

describe('AMP and the archive', () => {
  const bench = new Bench(({ storage, routing, clock, log }) => ({
    extensions: [
      offline({ ...routing, store: storage.offline, quota: { maxMessages: 9, maxBytes: 10_000 }, clock, log }),
      archive({ ...routing, options: { enabled: true, keepDays: 365, maxPerAccount: null }, storage, clock, log }),
    ],
  }));

  /** The bodies in the archive of an account. */
  async function archived({ key }: Account): Promise<string> {
    const record = await bench.storage.archive.open(key);
    const everything = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };
    const rows = await bench.storage.archive.page(record?.archive ?? 0, everything, 10, 'first');
    return rows.map(({ bytes }) => /<body>(.*)<\/body>/.exec(bytes.toString())?.[1]).join(' ');
  }

  it('have a stored message that may expire in the archive of the sender alone (D-16, D-37)', async () => {
    const romeo = await bench.user('romeo', '<presence/>');
    const juliet = await bench.account('juliet');
    const amp = (rule: string) => `<amp xmlns='http://jabber.org/protocol/amp'><rule ${rule}/></amp>`;
    const contents = [
      `<body>soon</body>${amp("action='drop' condition='expire-at' value='2030-01-01T00:00:00Z'")}`,
      "<body>old</body><x xmlns='jabber:x:expire' seconds='60'/>",
      `<body>kept</body>${amp("action='notify' condition='deliver' value='stored'")}`,
    ];
    for (const content of contents)
      await bench.does(romeo, `<message to='${juliet.key}' type='chat'>${content}</message>`);
    expect(await archived(juliet)).to.equal('kept');
    expect(await archived(romeo.account)).to.equal('soon old kept');
  });

  it('have a message that was delivered before it expired in both archives (D-37)', async () => {
    const romeo = await bench.user('romeo', '<presence/>');
    const juliet = await bench.user('juliet', '<presence/>');
    const rule = "<rule action='drop' condition='expire-at' value='2030-01-01T00:00:00Z'/>";
    const amp = `<amp xmlns='http://jabber.org/protocol/amp'>${rule}</amp>`;
    await bench.does(romeo, `<message to='${juliet.account.key}' type='chat'><body>in time</body>${amp}</message>`);
    for (const { account } of [romeo, juliet]) expect(await archived(account)).to.equal('in time');
  });
});
