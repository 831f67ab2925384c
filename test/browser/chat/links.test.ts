import { expect } from 'chai';
import { reachable, sharedFile } from '../../../src/browser/chat/files.ts';
import { textParts } from '../../../src/browser/chat/links.ts';

describe('Addresses in messages of the chat page', () => {
  const links = (text: string) => textParts(text).flatMap(({ href }) => href ?? []);

  for (const [text, expected] of [
    ['see https://a.example/b?c=d#e.', ['https://a.example/b?c=d#e']],
    ['(https://a.example/b) and https://a.example/b_(c)', ['https://a.example/b', 'https://a.example/b_(c)']],
    ['xmpp:juliet@capulet.example?message', ['xmpp:juliet@capulet.example?message']],
    ['HTTP://A.EXAMPLE, mailto:a@b.example!', ['HTTP://A.EXAMPLE', 'mailto:a@b.example']],
    ['javascript:alert(1) data:text/html,x vbscript:x file:///etc/passwd', []],
    ['java https://[not.an.address', []],
    ['<a href="https://a.example">', ['https://a.example']],
    ['nothing', []],
  ] as const)
    it(`are found: ${text}`, () => {
      expect(links(text)).to.deep.equal(expected);
      expect(
        textParts(text)
          .map((part) => part.text)
          .join(''),
      ).to.equal(text);
    });

  const origins = ['http://localhost:5280', 'https://localhost:5281'];

  it('lead to pictures that the page shows only if this server has them', () => {
    expect(sharedFile('https://localhost:5281/files/x/A%20b.PNG', origins)).to.deep.include({
      name: 'A b.PNG',
      picture: true,
    });
    expect(sharedFile('https://elsewhere.example/a.png', origins).picture).to.equal(false);
    expect(sharedFile('https://localhost:5281/files/x/a.svg', origins).picture).to.equal(false);
    expect(sharedFile('https://localhost:5281/files/x/%E0%A4%A.png', origins).name).to.equal('%E0%A4%A.png');
  });

  it('are those of the listener of the page, on this machine only', () => {
    const url = 'https://localhost:5281/files/x/a.png';
    const local = { origin: 'http://localhost:5280', hostname: 'localhost' };
    expect(reachable(url, origins, local)).to.equal('http://localhost:5280/files/x/a.png');
    expect(reachable('https://elsewhere.example/a.png', origins, local)).to.equal('https://elsewhere.example/a.png');
    expect(reachable(url, origins, { origin: 'https://chat.example', hostname: 'chat.example' })).to.equal(url);
  });
});
