import { befriend, Stage } from '../support/conversation.ts';
import type { TestClient } from '../support/test-client.ts';

// Behaviors that clients of other servers with AMP rely on. Alice and bob are strangers unless a state says otherwise, and reports
// about every recipient are allowed.
const settings = { limits: { disabled: true }, amp: { presencePrivacy: 'open' } } as const;
const amp = 'http://jabber.org/protocol/amp';
const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';

const rule = (condition: string, value: string, action: string) =>
  `<rule action="${action}" condition="${condition}" value="${value}"/>`;
const message = (to: string, rules: readonly string[]) =>
  `<message type="chat" to="${to}" id="a1"><body>hello</body><amp xmlns="${amp}">${rules.join('')}</amp></message>`;
const delivered = `<message type="chat" id="a1"><body>hello</body><amp xmlns="${amp}">...</amp>...</message>`;
const bounced = (condition: string) =>
  `<message type="error" id="a1"><error type="cancel"><${condition} xmlns="${stanzas}">*</${condition}>...</error>...</message>`;

/** The report on a rule, from alice's domain to her. */
function report(alice: TestClient, target: string, fired: string, status: string): string {
  const about = `<amp xmlns="${amp}" status="${status}" from="${alice.jid}" to="${target}">${fired}</amp>`;
  const failed = `<failed-rules xmlns="${amp}#errors">${fired}</failed-rules>`;
  const error = `<error type="modify" code="500"><undefined-condition xmlns="${stanzas}"/>${failed}</error>`;
  const [type, failure] = status === 'error' ? [' type="error"', error] : ['', ''];
  return `<message from="${alice.domain}" to="${alice.jid}" id="a1"${type}>${about}${failure}</message>`;
}

/** The error that refuses a message because of its rules. */
function refusal(alice: TestClient, list: string, condition: string, code: number, rules: readonly string[]): string {
  const all = `<amp xmlns="${amp}" status="{none}" from="{none}" to="{none}">${rules.join('')}</amp>`;
  const offending = `<${list} xmlns="${amp}">${rules.join('')}</${list}>`;
  const error = `<error type="modify" code="${code}"><${condition} xmlns="${stanzas}"/>${offending}</error>`;
  return `<message from="${alice.domain}" to="${alice.jid}" id="a1" type="error">${all}${error}</message>`;
}

/** A recipient in some state: the address alice writes to, and the checks of what bob received. */
interface Recipient {
  readonly to: string;
  /** Bob has received the message in the end. */
  arrives(): Promise<void>;
  arrivesNot(): Promise<void>;
}

/** A state of bob, and the outcome for a message to him. */
interface State {
  readonly name: string;
  readonly outcome: 'direct' | 'stored' | 'none';
  /** The error that alice gets if no rule changes it. */
  readonly error?: string;
  prepare(stage: Stage, alice: TestClient): Promise<Recipient>;
}

async function online(stage: Stage, address: (bob: TestClient) => string): Promise<Recipient> {
  const { bob } = await stage.enter(['bob']);
  return {
    to: address(bob),
    arrives: async () => void (await bob.receives(delivered)),
    arrivesNot: () => bob.receivesNothing(),
  };
}

async function offline(stage: Stage, before: (bob: TestClient) => Promise<unknown> = async () => {}) {
  const account = await stage.account('bob');
  const bob = await account.connects();
  await before(bob);
  await bob.closes();
  const messages = async () => (await account.arrives()).arrival.filter(({ name }) => name === 'message').length;
  return {
    to: account.jid,
    arrives: () => times(1, messages()),
    arrivesNot: () => times(0, messages()),
  };
}

async function times(wanted: number, count: Promise<number>): Promise<void> {
  const found = await count;
  if (found !== wanted) throw new Error(`${found} messages had been stored, not ${wanted}`);
}

const nowhere = (to: (stage: Stage) => string) => async (stage: Stage) => {
  return { to: to(stage), arrives: async () => {}, arrivesNot: async () => {} };
};

function blocks(bob: TestClient, alice: TestClient) {
  const item = `<block xmlns="urn:xmpp:blocking"><item jid="${alice.bare}"/></block>`;
  return bob.gets(`<iq type="set">${item}</iq>`, '<iq type="result"/>');
}

const states: readonly State[] = [
  { name: 'online, by full JID', outcome: 'direct', prepare: (stage) => online(stage, ({ jid }) => jid) },
  { name: 'online, by bare JID', outcome: 'direct', prepare: (stage) => online(stage, ({ bare }) => bare) },
  { name: 'offline', outcome: 'stored', prepare: (stage) => offline(stage) },
  {
    name: 'online, and blocks alice',
    outcome: 'none',
    error: 'service-unavailable',
    prepare: async (stage, alice) => {
      const { bob } = await stage.enter(['bob']);
      await blocks(bob, alice);
      return { to: bob.jid, arrives: async () => {}, arrivesNot: () => bob.receivesNothing() };
    },
  },
  {
    name: 'offline, and blocks alice',
    outcome: 'none',
    error: 'service-unavailable',
    prepare: (stage, alice) => offline(stage, (bob) => blocks(bob, alice)),
  },
  {
    name: 'nobody',
    outcome: 'none',
    error: 'service-unavailable',
    prepare: nowhere((stage) => `nobody@${stage.domain}`),
  },
  {
    name: 'at a domain that is not there',
    outcome: 'none',
    error: 'remote-server-not-found',
    prepare: nowhere(() => 'bob@unknown.invalid'),
  },
];
const withoutStore: State = {
  name: 'a contact, and offline where nothing is stored',
  outcome: 'none',
  error: 'service-unavailable',
  prepare: async (stage, alice) => {
    const bob = await offline(stage, (client) => befriend(alice, client));
    await alice.drains();
    return bob;
  },
};

const lists = [['direct'], ['stored'], ['none'], ['direct', 'stored', 'none']] as const;

/** Plays one message: the effect of the rule that is met, or else the default. */
async function play(stage: Stage, state: State, action: string, list: readonly string[]): Promise<void> {
  const { alice } = await stage.enter(['alice']);
  const bob = await state.prepare(stage, alice);
  const met = list.includes(state.outcome);
  alice.sends(
    message(
      bob.to,
      list.map((value) => rule('deliver', value, action)),
    ),
  );
  if (met && action !== 'drop') {
    await alice.receives(report(alice, bob.to, rule('deliver', state.outcome, action), action));
  }
  const goesOn = !met || action === 'notify';
  if (goesOn && state.error) await alice.receives(bounced(state.error));
  await alice.receivesNothing();
  await (goesOn && state.outcome !== 'none' ? bob.arrives() : bob.arrivesNot());
}

function describeStates(stage: Stage, chosen: readonly State[]): void {
  for (const action of ['notify', 'error', 'drop']) {
    for (const state of chosen) {
      for (const list of lists) {
        it(`${action} when ${list.join(', ')}: bob is ${state.name} (D-4, N-25)`, () =>
          play(stage, state, action, list));
      }
    }
  }
}

describe('Established behaviors of AMP: what would be done with the message (XEP-0079 §3.3.1)', () => {
  describeStates(new Stage({ settings }), states);
});

describe('Established behaviors of AMP: nothing is stored (XEP-0079 §3.3.1)', () => {
  describeStates(new Stage({ settings: { ...settings, offline: { maxMessages: 0 } } }), [withoutStore]);
});

describe('Established behaviors of AMP', () => {
  const stage = new Stage({ settings });

  it('the domain lists the feature, its node every action and condition (XEP-0079 §2.1.1)', async () => {
    const { alice } = await stage.enter(['alice']);
    const query = (node = '') => `<query xmlns="http://jabber.org/protocol/disco#info"${node}/>`;
    const found = (node: string, features: readonly string[]) =>
      `<iq type="result"><query xmlns="http://jabber.org/protocol/disco#info"${node}>${features
        .map((name) => `<feature var="${amp}${name}"/>`)
        .join('')}...</query></iq>`;
    await alice.gets(`<iq type="get" to="localhost">${query()}</iq>`, found('', ['']));
    const node = ` node="${amp}"`;
    const words = [
      '',
      '?action=notify',
      '?action=error',
      '?action=drop',
      '?condition=deliver',
      '?condition=match-resource',
    ];
    await alice.gets(`<iq type="get" to="localhost">${query(node)}</iq>`, found(node, words));
  });

  const refused = [
    ['an unknown action', 'unsupported-actions', 'bad-request', 400, [rule('deliver', 'direct', 'explode')]],
    ['an unknown condition', 'unsupported-conditions', 'bad-request', 400, [rule('moon', 'full', 'notify')]],
    [
      'rules without a word that is known',
      'invalid-rules',
      'not-acceptable',
      405,
      [rule('broken', 'rule', 'spec'), rule('also_broken', 'rule', 'spec')],
    ],
  ] as const;
  for (const [name, list, condition, code, rules] of refused) {
    it(`${name} is refused (D-17)`, async () => {
      const { alice, bob } = await stage.enter(['alice', 'bob']);
      alice.sends(message(bob.jid, rules));
      await alice.receives(refusal(alice, list, condition, code, rules));
      await bob.receivesNothing();
    });
  }

  it('addresses are checked before rules (D-8)', async () => {
    const { alice } = await stage.enter(['alice']);
    alice.sends(message('bob@@localhost', [rule('deliver', 'direct', 'explode')]));
    await alice.receives(
      `<message type="error"><error type="modify"><jid-malformed xmlns="${stanzas}"/>...</error>...</message>`,
    );
    await alice.receivesNothing();
  });

  it('a time in the past is reported, and the message delivered (D-11)', async () => {
    const { alice, bob } = await stage.enter(['alice', 'bob']);
    const past = rule('expire-at', '2020-06-06T12:20:20Z', 'notify');
    alice.sends(message(bob.jid, [past]));
    await bob.receives(delivered);
    await alice.receives(report(alice, bob.jid, past, 'notify'));
  });

  it('the addressed resource is any', () => notified('any', ({ jid }) => jid));
  it('the addressed resource is exact', () => notified('exact', ({ jid }) => jid));
  it('a resource other than the addressed one is other', () => notified('other', ({ bare }) => `${bare}/blahblahblah`));
  it('a resource is other for a bare address', () => notified('other', ({ bare }) => bare));

  it('rules that are not met are skipped (N-18)', async () => {
    const { alice, bob } = await stage.enter(['alice', 'bob']);
    const last = rule('deliver', 'direct', 'notify');
    alice.sends(message(bob.bare, [rule('deliver', 'none', 'error'), rule('deliver', 'stored', 'error'), last]));
    await bob.receives(delivered);
    await alice.receives(report(alice, bob.bare, last, 'notify'));
    await alice.receivesNothing();
  });

  /** Sends to bob, who has four resources, and expects that one of them gets the message. */
  async function notified(value: string, address: (bob: TestClient) => string): Promise<void> {
    const { alice } = await stage.enter(['alice']);
    const account = await stage.account('bob');
    const [bob, ...others] = await Promise.all(
      [5, 1, 1, 1].map((priority, index) =>
        account.arrives({ resource: `res${index}`, presence: `<presence><priority>${priority}</priority></presence>` }),
      ),
    );
    if (!bob) throw new Error('bob has not come');
    for (const client of [bob, ...others]) await client.drains();
    const met = rule('match-resource', value, 'notify');
    alice.sends(message(address(bob), [met]));
    await bob.receives(delivered);
    await alice.receives(report(alice, address(bob), met, 'notify'));
    for (const client of others) await client.receivesNothing();
  }
});
