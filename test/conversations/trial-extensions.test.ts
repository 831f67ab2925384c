import { get } from 'node:http';
import { expect } from 'chai';
import { extensions } from '../../src/extensions/index.ts';
import { Stage } from '../support/conversation.ts';
import { echoService } from '../trials/echo-service.ts';
import { page } from '../trials/page.ts';
import { presenceLog } from '../trials/presence-log.ts';
import { stamp } from '../trials/stamp.ts';

const anyPort = [{ host: '127.0.0.1', port: 0 }];

/** Each of these is one file in test/trials and one line in the list below; nothing else of the server knows it. */
describe('An extension of each kind is one file and one line in a list', () => {
  const presences: string[] = [];
  let written = Promise.resolve();
  const stage = new Stage({
    settings: { listen: { c2s: anyPort, c2sTls: anyPort, http: anyPort } },
    extensions: (deps) => [
      ...extensions(deps),
      stamp(() => written),
      echoService('echo.localhost', deps.routing.route),
      presenceLog(presences),
      page,
    ],
  });

  const stanzaId = (by: string) => `<stanza-id xmlns="urn:xmpp:sid:0" by="${by}" id="[0-9]+"/>`;

  it('a stamp: romeo sends, juliet receives a stanza-id, and romeo is acknowledged when it is written', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    romeo.sends('<enable xmlns="urn:xmpp:sm:3"/>');
    await romeo.receives('<enabled xmlns="urn:xmpp:sm:3"/>');
    const writing = Promise.withResolvers<void>();
    written = writing.promise;
    romeo.sends(`<message to="${juliet.jid}" type="chat"><body>hi</body></message>`);
    const message = await juliet.receives('<message>...</message>');
    expect(message.raw).to.match(new RegExp(stanzaId(juliet.bare)));
    romeo.sends('<r xmlns="urn:xmpp:sm:3"/>');
    await romeo.receives('<a xmlns="urn:xmpp:sm:3" h="0"/>');
    writing.resolve();
    await romeo.receives('<a xmlns="urn:xmpp:sm:3" h="1"/>');
  });

  it('a service: it is listed, describes itself, answers a request and sends a message back', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const items = await romeo.asks(
      '<iq type="get" to="localhost"><query xmlns="http://jabber.org/protocol/disco#items"/></iq>',
    );
    expect(items.raw).to.include('<item jid="echo.localhost" name="Echo"/>');
    const info = await romeo.asks(
      '<iq type="get" to="echo.localhost"><query xmlns="http://jabber.org/protocol/disco#info"/></iq>',
    );
    expect(info.raw).to.include('category="client" type="bot" name="Echo"');
    const time = await romeo.asks('<iq type="get" to="echo.localhost"><time xmlns="urn:xmpp:time"/></iq>');
    expect(time.attributes.get('type')).to.equal('result');
    romeo.sends('<message to="echo.localhost" type="chat" id="e"><body>hello?</body></message>');
    await romeo.receives('<message from="echo.localhost" type="chat" id="e"><body>hello?</body>...</message>');
  });

  it('a presence hook: it sees presence go and come, and adds to it', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    presences.splice(0);
    romeo.sends(`<presence to="${juliet.jid}"/>`, '<presence><show>away</show></presence>');
    const shown = await juliet.receives(`<presence from="${romeo.jid}">...</presence>`);
    expect(shown.raw).to.include('<mark xmlns="urn:example:mark"/>');
    await romeo.drains();
    const [sender, receiver] = [romeo, juliet].map(({ bare }) => bare.split('@')[0]);
    expect(presences).to.deep.equal([`${receiver} hears of ${sender}`, `${sender} announces again`]);
  });

  it('an HTTP route: a browser gets its page', async () => {
    const { http } = stage.server;
    if (!http) throw new Error('the server has no HTTP listener');
    const body = await new Promise<string>((resolve, reject) => {
      get({ host: http.host, port: http.port, path: '/hello/juliet' }, (response) => {
        response.setEncoding('utf8').on('data', resolve);
      }).on('error', reject);
    });
    expect(body).to.equal('hello juliet');
  });
});
