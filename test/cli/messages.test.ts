import { expect } from 'chai';
import type { ExplainReport, SendOutcome, SendReport } from '../../src/extensions/amp/operator/message-operations.ts';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

const drop = { action: 'drop', condition: 'deliver', value: 'stored' };
const romeo = 'romeo@localhost/orchard';
const juliet = 'juliet@localhost';

const explanation: ExplainReport = {
  from: romeo,
  to: juliet,
  at: '2026-03-01T12:00:00Z',
  plan: { deliver: 'stored', destinations: [juliet] },
  rulesets: [
    {
      rules: [
        { action: 'drop', condition: 'deliver', value: 'direct', standing: 'unmet' },
        { action: 'notify', condition: 'deliver', value: 'stored', standing: 'fires' },
        { action: 'alert', condition: 'match-resource', value: 'exact', standing: 'unreached' },
      ],
    },
    {
      policy: 'ten minutes',
      rules: [{ action: 'drop', condition: 'expire-at', value: '2026-03-01T12:10:00Z', standing: 'unmet' }],
    },
  ],
  decision: 'keep',
  reports: [{ status: 'notify', to: romeo, when: 'after-effect' }],
  nextDueAt: '2026-03-01T12:10:00Z',
};

describe('ampere amp explain', () => {
  const workplace = new Workplace();
  let server: RunningAdministration;
  beforeEach(async () => {
    workplace.configure();
    server = await RunningAdministration.start(workplace.path('data'));
    server.explanation = explanation;
  });
  afterEach(() => server.stop());

  it('asks the server about a message made of options', async () => {
    await workplace.done(
      ...['amp', 'explain', '--from', romeo, '--to', juliet, '--type', 'normal', '--at', '2026-03-01T12:00:00Z'],
      ...['--rule', 'action=drop,condition=deliver,value=stored', '--rule', 'condition=x,value=z,action=y'],
    );
    const rules = [drop, { action: 'y', condition: 'x', value: 'z' }];
    const atMs = Date.UTC(2026, 2, 1, 12);
    expect(server.asked).to.deep.equal([{ from: romeo, to: juliet, type: 'normal', rules, atMs }]);
  });

  it('asks about a message in a file, or on standard input', async () => {
    const xml = `<message from="${romeo}" to="${juliet}"/>`;
    workplace.write('message.xml', xml);
    await workplace.done('amp', 'explain', '--file', 'message.xml');
    expect((await workplace.run(['amp', 'explain', '--file', '-'], { stdin: xml })).code).to.equal(0);
    expect(server.asked).to.deep.equal([{ xml }, { xml }]);
  });

  it('describes it in words', async () => {
    expect(await workplace.done('amp', 'explain', '--from', romeo, '--to', juliet)).to.equal(
      [
        'From romeo@localhost/orchard to juliet@localhost, 2026-03-01T12:00:00Z',
        'Without rules, the message would be stored for juliet@localhost.',
        'Rules of the sender:',
        '  1.  drop    deliver=direct        not met',
        '  2.  notify  deliver=stored        fires',
        '  3.  alert   match-resource=exact  not evaluated',
        'Rules of the policy ten minutes:',
        '  1.  drop  expire-at=2026-03-01T12:10:00Z  not met',
        'The rules do not change that.',
        'romeo@localhost/orchard gets a report (notify) afterwards.',
        'While the message waits, its rules are checked again at 2026-03-01T12:10:00Z.',
        '',
      ].join('\n'),
    );
  });

  it('describes a refusal and an error', async () => {
    const plan = { deliver: 'none', destinations: [], error: 'service-unavailable' } as const;
    const { nextDueAt: _, ...base } = explanation;
    server.explanation = { ...base, plan, rulesets: [], reports: [], decision: 'refuse', refusal: '<message/>' };
    const out = await workplace.done('amp', 'explain', '--from', romeo, '--to', juliet);
    expect(out).to.match(
      /would not be delivered, and the sender would get service-unavailable\.\nThe server refuses the rules.*:\n<message\/>\n$/,
    );
  });

  it('prints JSON', async () => {
    const out = await workplace.done('amp', 'explain', '--from', romeo, '--to', juliet, '--json');
    expect(JSON.parse(out)).to.deep.equal(explanation);
  });

  for (const [args, says] of [
    [['--rule', 'drop'], /--rule must be action/],
    [['--rule', 'action=drop,condition=deliver,value=stored,more=x'], /--rule must be action/],
    [['--at', 'tomorrow'], /--at must be a time/],
    [['--type', 'letter'], /type/],
    [['--file', '-', '--rule', 'action=drop,condition=deliver,value=stored'], /exclusive/],
  ] as const) {
    it(`ends with 2: ${args.join(' ')}`, async () => {
      const { code, err } = await workplace.run(['amp', 'explain', '--from', romeo, '--to', juliet, ...args]);
      expect(err).to.match(says);
      expect(code).to.equal(2);
      expect(server.asked).to.deep.equal([]);
    });
  }
});

describe('ampere send', () => {
  const workplace = new Workplace();
  let server: RunningAdministration;
  beforeEach(async () => {
    workplace.configure();
    server = await RunningAdministration.start(workplace.path('data'));
  });
  afterEach(() => server.stop());

  const reported = (outcome: SendOutcome, more: Partial<SendReport> = {}): SendReport => {
    return { outcome, id: 'x', from: 'localhost/x', to: juliet, ...more };
  };
  const send = (...args: string[]) => workplace.run(['send', '--to', juliet, '--body', 'hello', ...args]);

  it('asks the server to send', async () => {
    server.sending = reported('delivered');
    await send();
    await send(
      ...[
        '--from',
        'localhost/backup',
        '--type',
        'headline',
        '--subject',
        'news',
        '--wait',
        '2m',
        '--if-direct',
        'error',
      ],
      ...['--if-stored', 'drop', '--match-resource', 'other=alert', '--expire-in', '10m', '--on-expiry', 'alert'],
      ...['--rule', 'action=drop,condition=deliver,value=stored'],
    );
    const rules = [
      { action: 'alert', condition: 'match-resource', value: 'other' },
      { action: 'error', condition: 'deliver', value: 'direct' },
      drop,
      drop,
    ];
    const asked = {
      from: 'localhost/backup',
      type: 'headline',
      subject: 'news',
      rules,
      expireInMs: 600_000,
      onExpiry: 'alert',
    };
    expect(server.asked).to.deep.equal([
      { to: juliet, body: 'hello', rules: [], waitMs: 30_000 },
      { to: juliet, body: 'hello', waitMs: 120_000, ...asked },
    ]);
  });

  const ends: readonly (readonly [SendReport, number, string])[] = [
    [reported('delivered'), 0, 'was handed to a client.'],
    [reported('forwarded'), 0, 'was forwarded.'],
    [reported('gateway'), 0, 'was handed to a gateway.'],
    [reported('stored'), 10, 'was stored for later delivery.'],
    [
      reported('expired', { rule: { action: 'alert', condition: 'expire-at', value: 'T' } }),
      11,
      'expired: expire-at is T.',
    ],
    [reported('refused', { rule: { ...drop, action: 'alert' } }), 12, 'was not delivered: deliver is stored.'],
    [reported('refused', { error: 'item-not-found' }), 12, 'was not delivered: item-not-found.'],
    [reported('unknown'), 13, 'was sent; its outcome is not known yet.'],
  ];
  for (const [report, code, words] of ends) {
    it(`ends with ${code}: ${words}`, async () => {
      server.sending = report;
      expect(await send()).to.deep.equal({ code, out: `The message to ${juliet} ${words}\n`, err: '' });
      const { out } = await send('--json');
      expect(JSON.parse(out)).to.deep.equal(report);
    });
  }

  for (const [args, says] of [
    [['--wait', 'long'], /--wait must be a number with a unit \(s, m, h or d\)/],
    [['--wait', '30d'], /^ampere: The request is invalid: waitMs: [^\n]+\.\n$/],
    [['--expire-in', '10'], /--expire-in must be a number/],
    [['--on-expiry', 'drop'], /expire-in/],
    [['--if-stored', 'explode'], /if-stored/],
    [['--match-resource', 'any=notify'], /match-resource/],
  ] as const) {
    it(`ends with 2: ${args.join(' ')}`, async () => {
      const { code, err } = await send(...args);
      expect(err).to.match(says);
      expect(code).to.equal(2);
      expect(server.asked).to.deep.equal([]);
    });
  }

  it('lists its exit codes in its help', async () => {
    expect(await workplace.done('send', '--help')).to.match(/10\s+stored;\s+11\s+expired;\s+12\s+stopped/);
  });
});
