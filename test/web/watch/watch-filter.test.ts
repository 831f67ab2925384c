import { expect } from 'chai';
import { WatchFilter, type WatchRequest } from '../../../src/web/watch/watch-filter.ts';
import { xml } from '../../../src/xml/element.ts';
import { Payload } from '../../../src/xml/payload.ts';

describe('The filter of a watch', () => {
  const seen = {
    kind: 'message',
    from: 'romeo@montague.example/orchard',
    to: 'juliet@capulet.example',
    peer: 'juliet@capulet.example/balcony',
    payload: Payload.of(xml('body', {}, 'Good morrow'), xml('request', { xmlns: 'urn:xmpp:receipts' })),
  };
  const cases: readonly (readonly [request: Omit<WatchRequest, 'bodies'>, shown: boolean])[] = [
    [{}, true],
    [{ kinds: ['message'] }, true],
    [{ kinds: ['presence', 'iq', 'log'] }, false],
    [{ jid: 'romeo@montague.example' }, true],
    [{ jid: 'romeo@montague.example/orchard' }, true],
    [{ jid: 'romeo@montague.example/tomb' }, false],
    [{ jid: 'romeo@montague.exampl' }, false],
    [{ jid: 'juliet@capulet.example/balcony' }, true],
    [{ domain: 'capulet.example' }, true],
    [{ domain: 'example' }, false],
    [{ domain: 'romeo@montague.example' }, false],
    [{ jid: 'romeo@montague.example', domain: 'capulet.example' }, false],
    [{ ns: 'urn:xmpp:receipts' }, true],
    [{ ns: 'urn:xmpp:carbons:2' }, false],
  ];
  for (const [request, shown] of cases)
    it(`${shown ? 'shows' : 'hides'} a message for ${JSON.stringify(request)}`, () => {
      expect(new WatchFilter(request).shows(seen)).to.equal(shown);
    });

  const lines: readonly (readonly [request: Omit<WatchRequest, 'bodies'>, shown: boolean])[] = [
    [{}, true],
    [{ kinds: ['log'] }, true],
    [{ kinds: ['message'] }, false],
    [{ jid: 'romeo@montague.example' }, true],
    [{ jid: 'juliet@capulet.example' }, false],
    [{ domain: 'montague.example' }, true],
    [{ ns: 'jabber:client' }, false],
  ];
  for (const [request, shown] of lines)
    it(`${shown ? 'shows' : 'hides'} a line of the log for ${JSON.stringify(request)}`, () => {
      expect(new WatchFilter(request).showsLine('{"jid":"romeo@montague.example"}')).to.equal(shown);
    });
});
