import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { xml } from '../../src/xml/element.ts';
import { Payload } from '../../src/xml/payload.ts';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

describe('ampere watch', () => {
  const workplace = new Workplace();
  let server: RunningAdministration;
  beforeEach(async () => {
    workplace.configure();
    server = await RunningAdministration.start(workplace.path('data'));
  });
  afterEach(() => server.stop());

  const body = Payload.of(xml('body', {}, 'a secret\u202e'));
  const to = Jid.parse('juliet@localhost/balcony');
  const message = new Stanza('message', { to, type: 'chat', id: '7' }, body);

  /** Watches until the server has sent the message and logged something, and stops. */
  async function watched(...options: string[]): Promise<string> {
    const done = workplace.done('watch', ...options);
    const { c2s } = server.traffic;
    while (!c2s.observer) await setImmediate();
    server.log.info({ jid: to.toString() }, 'authenticated');
    c2s.observer.sent(message, to.toString());
    await server.stop();
    return (await done).replaceAll(/\d\d:\d\d:\d\d\.\d{3}/g, 'HH:MM:SS');
  }

  it('prints stanzas and the log for people, without what is said', async () => {
    expect(await watched('--jid', 'Juliet@localhost')).to.equal(
      [
        'info authenticated {"jid":"juliet@localhost/balcony"}',
        'HH:MM:SS c2s juliet@localhost/balcony <- message chat to juliet@localhost/balcony id 7 24 bytes',
        '  <body>…</body>',
        '(the watch has ended: the server stops)',
        '',
      ].join('\n'),
    );
  });

  it('cannot be made to write control characters to the terminal', async () => {
    expect(await watched('--bodies', '--kind', 'message')).to.contain('<body>a secret\\u202e</body>');
  });

  it('prints JSON for programs, one value a line', async () => {
    const [line = ''] = (await watched('--kind', 'message', '--kind', 'presence', '--json')).split('\n');
    expect(JSON.parse(line)).to.include({ what: 'stanza', kind: 'message', content: '<body>…</body>' });
  });

  it('refuses what is not an address', async () => {
    const { code, err } = await workplace.run(['watch', '--jid', 'a@@b']);
    expect([code, err]).to.deep.equal([2, 'ampere: "a@@b" is not an address: its domainpart is not a domain name.\n']);
  });
});
