import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { utf8 } from '../../../src/browser/chat/base64.ts';
import { passwordExchange, tokenExchange } from '../../../src/browser/chat/sasl.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('The authentication of the chat page', () => {
  const examples = [
    {
      source: 'RFC 5802 §5',
      mechanism: 'SCRAM-SHA-1',
      nonce: 'fyko+d2lbbFgONRv9qkxdawL',
      challenge: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
      response: 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
      final: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
    },
    {
      source: 'RFC 7677 §3',
      mechanism: 'SCRAM-SHA-256',
      nonce: 'rOprNGfwEbeRWgbNEkqO',
      challenge: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
      response:
        'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
      final: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    },
  ];

  for (const { source, mechanism, nonce, challenge, response, final } of examples) {
    it(`does ${mechanism} as in the example (${source})`, async () => {
      const exchange = passwordExchange(['PLAIN', mechanism], 'user', 'pencil', nonce) ?? expect.fail();
      expect(exchange.mechanism).to.equal(mechanism);
      expect(text(await exchange.initial())).to.equal(`n,,n=user,r=${nonce}`);
      expect(exchange.proves(utf8(final))).to.equal(false);
      expect(text(await exchange.respond(utf8(challenge)))).to.equal(response);
      expect(exchange.proves(utf8('v=AAAA'))).to.equal(false);
      expect(exchange.proves(utf8(final))).to.equal(true);
    });
  }

  for (const [what, challenge] of [
    ['a nonce that is not that of the client', 'r=other,s=QSXCR+Q6sek8bf92,i=4096'],
    ['a nonce without a part of the server', 'r=abc,s=QSXCR+Q6sek8bf92,i=4096'],
    ['too few iterations', 'r=abcd,s=QSXCR+Q6sek8bf92,i=1'],
    ['so many iterations that the page would hang', 'r=abcd,s=QSXCR+Q6sek8bf92,i=100000000'],
    ['no iterations', 'r=abcd,s=QSXCR+Q6sek8bf92'],
    ['an extension that it does not know', 'm=x,r=abcd,s=QSXCR+Q6sek8bf92,i=4096'],
  ] as const)
    it(`does not answer a challenge with ${what}`, async () => {
      const exchange = passwordExchange(['SCRAM-SHA-1'], 'user', 'pencil', 'abc') ?? expect.fail();
      const refused = await exchange.respond(utf8(challenge)).then(
        () => false,
        () => true,
      );
      expect(refused).to.equal(true);
    });

  it('chooses the strongest mechanism, and never shows the password', () => {
    const offered = ['SCRAM-SHA-1', 'PLAIN', 'SCRAM-SHA-512', 'SCRAM-SHA-256'];
    expect(passwordExchange(offered, 'user', 'pencil')?.mechanism).to.equal('SCRAM-SHA-512');
    expect(passwordExchange(['PLAIN', 'SCRAM-SHA-256-PLUS'], 'user', 'pencil')).to.equal(undefined);
  });

  it('escapes the name, and prepares the password (RFC 5802 §5.1, RFC 4013)', async () => {
    const exchange = passwordExchange(['SCRAM-SHA-1'], 'a=b,c', 'x', 'n') ?? expect.fail();
    expect(text(await exchange.initial())).to.equal('n,,n=a=3Db=2Cc,r=n');
    const answers = ['p\u00adencil', 'pencil', '\uff50encil'].map(async (password) => {
      const same = passwordExchange(['SCRAM-SHA-1'], 'user', password, 'abc');
      return text((await same?.respond(utf8('r=abcd,s=QSXCR+Q6sek8bf92,i=4096'))) ?? new Uint8Array());
    });
    expect(new Set(await Promise.all(answers)).size).to.equal(1);
  });

  it('shows a token as a hash, and wants one back (XEP-0484)', async () => {
    const exchange = tokenExchange('user', 'secret');
    const hash = (role: string) => createHmac('sha256', 'secret').update(role).digest();
    const expected = Buffer.concat([Buffer.from('user\0'), hash('Initiator')]);
    expect(Buffer.from(await exchange.initial())).to.deep.equal(expected);
    expect(exchange.proves(Uint8Array.from(hash('Initiator')))).to.equal(false);
    expect(exchange.proves(Uint8Array.from(hash('Responder')))).to.equal(true);
  });
});
