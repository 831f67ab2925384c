import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { externalServices } from '../../src/extensions/external-services.ts';
import type { Extension } from '../../src/routing/extension.ts';
import { childElements } from '../../src/xml/element.ts';
import { parseElement } from '../../src/xml/parse-element.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench, errorText } from './bench.ts';

const ttlSeconds = 43_200;
const options = {
  externalServices: [
    { type: 'stun', host: 'turn.example', ttlSeconds },
    { type: 'turn', host: 'turn.example', port: 1000, transport: 'tcp', name: 'Relay', secret: 'north', ttlSeconds },
    { type: 'turns', host: 'turn.example', secret: 'north', ttlSeconds },
    { type: 'turn', host: '192.0.2.1', username: 'guest', password: 'welcome', ttlSeconds },
  ],
} as const;

describe('External Service Discovery (XEP-0215)', () => {
  let extension: Extension<{ externalServices: typeof options.externalServices | [] }>;
  const sent: string[] = [];
  const bench = new Bench(({ clock }) => {
    extension = externalServices(options, clock);
    return { extensions: [extension], remotes: { send: (stanza) => void sent.push(stanza.toString()) } };
  });

  const ask = (session: StubSession, payload: string) =>
    bench.asks(session, `<iq type='get' id='e' to='localhost'>${payload}</iq>`);
  const services = (session: StubSession, attributes = '') =>
    ask(session, `<services xmlns='urn:xmpp:extdisco:2' ${attributes}/>`);
  const credentials = (session: StubSession, attributes: string) =>
    ask(session, `<credentials xmlns='urn:xmpp:extdisco:2'><service ${attributes}/></credentials>`);
  const found = ([answer]: string[]) =>
    childElements(childElements(parseElement(answer ?? ''))[0]!).map(({ attrs }) => ({ ...attrs }));

  it('lists all services, with usual ports and transports (XEP-0215 §3.1)', async () => {
    const juliet = await bench.user();
    const list = found(await services(juliet));
    expect(list.map(({ type, host, port, transport, name }) => [type, host, port, transport, name])).to.deep.equal([
      ['stun', 'turn.example', '3478', 'udp', undefined],
      ['turn', 'turn.example', '1000', 'tcp', 'Relay'],
      ['turns', 'turn.example', '5349', 'tcp', undefined],
      ['turn', '192.0.2.1', '3478', 'udp', undefined],
    ]);
    expect(list.map(({ restricted }) => restricted)).to.deep.equal([undefined, 'true', 'true', 'true']);
    expect(list[0]).to.not.have.any.keys('username', 'password', 'expires');
    expect(list[3]).to.include({ username: 'guest', password: 'welcome' }).and.not.have.property('expires');
  });

  it('makes temporary passwords from the shared secret, new ones for each request', async () => {
    const juliet = await bench.user();
    const [[, first], [, second]] = [found(await services(juliet)), found(await services(juliet))];
    const { username = '', password, expires = '' } = first!;
    const expiresAtSeconds = Math.floor(bench.clock.nowMs() / 1000) + ttlSeconds;
    expect(username).to.match(new RegExp(`^${expiresAtSeconds}:[\\w-]{16,}$`));
    expect(Date.parse(expires)).to.equal(expiresAtSeconds * 1000);
    expect(password).to.equal(createHmac('sha1', 'north').update(username).digest('base64'));
    expect(second?.['username']).to.not.equal(username);
    expect(JSON.stringify(first)).to.not.contain(juliet.account.jid.local);
  });

  it('lists services of one type (XEP-0215 §3.2)', async () => {
    const juliet = await bench.user();
    const answer = await services(juliet, "type='turn'");
    expect(answer[0]).to.contain('<services xmlns="urn:xmpp:extdisco:2" type="turn">');
    expect(found(answer).map(({ host }) => host)).to.deep.equal(['turn.example', '192.0.2.1']);
    expect(found(await services(juliet, "type='ftp'"))).to.deep.equal([]);
  });

  it('gives credentials for a service (XEP-0215 §3.3)', async () => {
    const juliet = await bench.user();
    const [relay, ...others] = found(await credentials(juliet, "host='Turn.example' type='turn'"));
    expect(relay).to.include({ host: 'turn.example', port: '1000' }).and.have.property('expires');
    expect(others).to.deep.equal([]);
    expect(found(await credentials(juliet, "host='192.0.2.1' type='turn' port='3478'"))).to.have.length(1);
  });

  for (const [attributes, condition] of [
    ["host='turn.example' type='turn' port='3478'", 'item-not-found'],
    ["host='turn.example' type='stun'", 'item-not-found'],
    ["host='other.example' type='turn'", 'item-not-found'],
    ["host='turn.example'", 'bad-request'],
    ["type='turn'", 'bad-request'],
  ] as const) {
    it(`refuses credentials for ${attributes}`, async () => {
      const [answer] = await credentials(await bench.user(), attributes);
      expect(answer).to.match(errorText(condition === 'bad-request' ? 'modify' : 'cancel', condition));
    });
  }

  it('tells users of other servers nothing', async () => {
    sent.length = 0;
    await bench.comes(
      "<iq type='get' id='e' from='romeo@elsewhere.example/r' to='localhost'><services xmlns='urn:xmpp:extdisco:2'/></iq>",
    );
    expect(sent).to.have.length(1);
    expect(sent[0]).to.match(errorText('auth', 'forbidden'));
  });

  it('follows a changed configuration', async () => {
    const juliet = await bench.user();
    (await extension.reload?.({ externalServices: [] }))?.();
    expect(found(await services(juliet))).to.deep.equal([]);
  });
});
