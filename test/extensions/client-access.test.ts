import { expect } from 'chai';
import { Devices } from '../../src/c2s/devices.ts';
import { clientAccess } from '../../src/extensions/client-access.ts';
import type { Account } from '../../src/routing/account.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench, errorText } from './bench.ts';

const dayMs = 86_400_000;
const phone = { key: 'phone', software: 'AwesomeXMPP', name: 'Pocket' };
const list = `<iq type='get' id='l'><list xmlns='urn:xmpp:cam:0'/></iq>`;
const revoke = (id: string) => `<iq type='set' id='r'><revoke xmlns='urn:xmpp:cam:0' ${id && `id='${id}'`}/></iq>`;

describe('Client Access Management (XEP-0494)', () => {
  /** What extensions are told. */
  let told: string[] = [];
  let keepMs = 60 * dayMs;
  const bench = new Bench(({ storage, sessions, hooks, clock, log }) => {
    const devices = new Devices({
      store: storage.devices,
      sessions,
      revoked: (account, device) => hooks.deviceRevoked(account, device),
      keepMs,
      clock,
      log,
    });
    const deviceRevoked = async (account: { toString(): string }, device: string) => {
      await bench.storage.accounts.count();
      told.push(`${account} ${device}`);
    };
    return { extensions: [clientAccess(devices), { name: 'listener', claims: [], deviceRevoked }] };
  });
  beforeEach(() => {
    told = [];
    keepMs = 60 * dayMs;
  });

  /** A session of a device that authenticates with the present password. */
  async function onDevice(account: Account, device = phone): Promise<StubSession> {
    const session = await bench.session(account, device.key);
    session.device = device;
    const passwordVersion = await version(account);
    await bench.storage.devices.seen([{ ...record(account), ...device, passwordVersion }]);
    return session;
  }

  const version = async ({ key }: Account) => (await bench.storage.accounts.credentials(key))?.passwordVersion ?? -1;
  const record = ({ key: owner }: Account) => {
    const atMs = bench.clock.nowMs();
    return { owner, key: 'phone', atMs, keepUntilMs: atMs + dayMs };
  };
  const changePassword = (account: Account) => bench.storage.accounts.changePassword(account.key, { scram: {} });

  async function giveToken(account: Account): Promise<boolean> {
    const passwordVersion = await version(account);
    const [issuedAtMs, expiresAtMs] = [bench.clock.nowMs(), bench.clock.nowMs() + dayMs];
    const token = { mechanism: 'X', secret: Buffer.of(1), issuedAtMs, expiresAtMs };
    return bench.storage.devices.issueToken({ ...record(account), passwordVersion }, token);
  }

  /** The `<client/>` elements that a session is shown. */
  async function clients(session: StubSession): Promise<string[]> {
    const [answer = ''] = await bench.asks(session, list);
    expect(answer).to.match(/^<iq [^>]*type="result"><clients xmlns="urn:xmpp:cam:0"/);
    return answer.match(/<client .*?<\/client>/g) ?? [];
  }

  it('lists the devices, and what gives them access (XEP-0494 §3.1)', async () => {
    const juliet = await onDevice(await bench.account());
    await giveToken(juliet.account);
    const seen = new Date(bench.clock.nowMs()).toISOString().replace('.000', '');
    expect(await clients(juliet)).to.deep.equal([
      `<client connected="true" id="phone" type="session"><first-seen>${seen}</first-seen><last-seen>${seen}</last-seen><auth><password/><fast/></auth><permission status="unrestricted"/><user-agent><software>AwesomeXMPP</software><device>Pocket</device></user-agent></client>`,
    ]);
  });

  it('remembers when a device left', async () => {
    const account = await bench.account();
    const gone = await onDevice(account);
    const other = await onDevice(account, { ...phone, key: 'laptop' });
    bench.clock.advance(5000);
    bench.ends(gone);
    const [first, second] = await clients(other);
    const left = new Date(bench.clock.nowMs()).toISOString().replace('.000', '');
    expect(first).to.contain('connected="false" id="phone"').and.contain(`<last-seen>${left}</last-seen>`);
    expect(second).to.contain('connected="true" id="laptop"');
  });

  it('lists sessions that name no device, and no device that has lost its access', async () => {
    const account = await bench.account();
    const anonymous = await bench.session(account, 'anonymous');
    bench.ends(await onDevice(account));
    await changePassword(account);
    const [only, ...others] = await clients(anonymous);
    expect(others).to.deep.equal([]);
    expect(only).to.match(
      /^<client connected="true" id="[\w-]{22}" .*<auth><password\/><\/auth>.*<user-agent\/><\/client>$/,
    );
  });

  it('revokes the access of a device (XEP-0494 §3.2)', async () => {
    const account = await bench.account();
    const lost = await onDevice(account);
    const other = await bench.session(account, 'other');
    await changePassword(account);
    const [answer] = await bench.asks(other, revoke('phone'));
    expect(answer).to.match(/^<iq [^>]*type="result"\/>$/);
    expect(told).to.deep.equal([`${account.key} phone`]);
    expect(lost.closedBy?.condition).to.equal('not-authorized');
    expect(other.closedBy).to.equal(undefined);
    bench.ends(lost);
    expect((await clients(other)).join()).not.to.contain('phone');
    const [again] = await bench.asks(other, revoke('phone'));
    expect(again).to.match(errorText('cancel', 'item-not-found'));
  });

  it('does what it can for a device that knows the password, and asks for another password (XEP-0494 §3.2)', async () => {
    const account = await bench.account();
    const lost = await onDevice(account);
    const other = await bench.session(account, 'other');
    await giveToken(account);
    const [answer] = await bench.asks(other, revoke('phone'));
    expect(answer).to.match(errorText('cancel', 'service-unavailable'));
    expect(answer).to.contain('<password-reset-required xmlns="urn:xmpp:cam:0"/>');
    expect(lost.closedBy?.condition).to.equal('not-authorized');
    expect(told).to.deep.equal([`${account.key} phone`]);
    expect(await bench.storage.devices.tokens(account.key, 'phone')).to.deep.equal([]);
  });

  it('answers a device that revokes itself before its session ends', async () => {
    const account = await bench.account();
    const own = await onDevice(account);
    await changePassword(account);
    const [answer] = await bench.asks(own, revoke('phone'));
    expect(answer).to.match(/^<iq [^>]*type="result"\/>$/);
    expect(own.closedBy?.condition).to.equal('not-authorized');
  });

  it('refuses what it does not know', async () => {
    const juliet = await bench.user();
    expect((await bench.asks(juliet, revoke('nothing')))[0]).to.match(errorText('cancel', 'item-not-found'));
    expect((await bench.asks(juliet, revoke('')))[0]).to.match(errorText('modify', 'bad-request'));
    expect(told).to.deep.equal([]);
  });

  it('is nothing for others (XEP-0494 §5)', async () => {
    const juliet = await onDevice(await bench.account());
    const romeo = await bench.user('romeo');
    for (const request of [list, revoke('phone')]) {
      const [answer] = await bench.asks(romeo, request.replace('<iq', `<iq to='${juliet.account.key}'`));
      expect(answer).to.match(errorText('cancel', 'service-unavailable'));
    }
    expect((await bench.asks(romeo, revoke('phone')))[0]).to.match(errorText('cancel', 'item-not-found'));
    expect(juliet.closedBy).to.equal(undefined);
  });

  it('remembers no device without a token, if the operator wants it so', async () => {
    keepMs = 0;
    bench.rebuild();
    const account = await bench.account();
    const device = new Devices({
      store: bench.storage.devices,
      sessions: bench.routing.sessions,
      revoked: () => {},
      keepMs: 0,
      clock: bench.clock,
      log: bench.log,
    });
    device.seen(account.jid, phone, await version(account));
    expect(await device.list(account.jid)).to.deep.equal([]);
  });

  it('writes notes of many logins at once, and the last ones when the server stops', async () => {
    const account = await bench.account();
    const written: number[] = [];
    const store = {
      ...bench.storage.devices,
      seen: async (devices: readonly unknown[]) => void written.push(devices.length),
    };
    const { clock, log, routing } = bench;
    const devices = new Devices({ store, sessions: routing.sessions, revoked: () => {}, keepMs: dayMs, clock, log });
    for (const key of ['a', 'b', 'a', 'c']) devices.seen(account.jid, { key }, 1);
    expect(written).to.deep.equal([]);
    clock.advance(2000);
    expect(written).to.deep.equal([3]);
    devices.seen(account.jid, { key: 'd' }, 1);
    await clientAccess(devices).closing?.();
    expect(written).to.deep.equal([3, 1]);
    clock.advance(2000);
    expect(written).to.deep.equal([3, 1]);
  });
});
