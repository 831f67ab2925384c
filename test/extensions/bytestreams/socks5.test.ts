import { expect } from 'chai';
import { Socks5Handshake } from '../../../src/extensions/bytestreams/socks5.ts';

const key = '972b7bf47291ca609517f67f86b5081086052dad';
const greeting = Buffer.of(5, 1, 0);
const request = (name: string, { version = 5, command = 1, addressType = 3 } = {}) =>
  Buffer.concat([Buffer.of(version, command, 0, addressType, name.length), Buffer.from(name), Buffer.of(0, 0)]);
const address = Buffer.concat([Buffer.of(3, 40), Buffer.from(key), Buffer.of(0, 0)]);

/** Gives the bytes to a new handshake in these pieces. Returns all its steps but "more", as text. */
function shake(...pieces: readonly Buffer[]): string[] {
  const handshake = new Socks5Handshake();
  const steps: string[] = [];
  for (const piece of pieces) {
    handshake.receive(piece);
    for (let step = handshake.next(); step.kind !== 'more'; step = handshake.next()) {
      if (step.kind === 'reply') steps.push(step.reply.toString('hex'));
      else if (step.kind === 'failed') return [...steps, `failed ${step.reply.toString('hex')}`];
      else {
        expect(handshake.accepted).to.deep.equal(Buffer.concat([Buffer.of(5, 0, 0), address]));
        expect(handshake.refused).to.deep.equal(Buffer.concat([Buffer.of(5, 2, 0), address]));
        return [...steps, `${step.key}+${step.rest}`];
      }
    }
  }
  return steps;
}

describe('a SOCKS5 handshake (RFC 1928, XEP-0065 §6.3)', () => {
  it('reads the key that is asked for', () => {
    expect(shake(greeting, request(key))).to.deep.equal(['0500', `${key}+`]);
  });

  it('reads bytes one by one, and leaves those behind the request', () => {
    const all = Buffer.concat([greeting, request(key), Buffer.from('hello')]);
    expect(shake(all)).to.deep.equal(['0500', `${key}+hello`]);
    expect(shake(...Array.from(all, (byte) => Buffer.of(byte)))).to.deep.equal(['0500', `${key}+`]);
  });

  it('takes keys in capitals', () => {
    const shaken = new Socks5Handshake();
    shaken.receive(Buffer.concat([greeting, request(key.toUpperCase())]));
    shaken.next();
    expect(shaken.next()).to.deep.include({ kind: 'request', key });
  });

  it('chooses no authentication among many methods', () => {
    expect(shake(Buffer.of(5, 3, 1, 2, 0))).to.deep.equal(['0500']);
  });

  const failures: Readonly<Record<string, readonly [pieces: readonly Buffer[], steps: readonly string[]]>> = {
    SOCKS4: [[Buffer.of(4, 1)], ['failed ']],
    HTTP: [[Buffer.from('GET / HTTP/1.1\r\n')], ['failed ']],
    'only methods with authentication': [[Buffer.of(5, 1, 2)], ['failed 05ff']],
    'no method': [[Buffer.of(5, 0)], ['failed 05ff']],
    'another version in the request': [
      [greeting, request(key, { version: 4 })],
      ['0500', 'failed '],
    ],
    BIND: [
      [greeting, request(key, { command: 2 })],
      ['0500', 'failed 0507000100000000' + '0000'],
    ],
    UDP: [
      [greeting, request(key, { command: 3 })],
      ['0500', 'failed 0507000100000000' + '0000'],
    ],
    'an IPv4 address': [
      [greeting, request(key, { addressType: 1 })],
      ['0500', 'failed 0508000100000000' + '0000'],
    ],
  };
  for (const [name, [pieces, steps]] of Object.entries(failures)) {
    it(`fails: ${name}`, () => {
      expect(shake(...pieces)).to.deep.equal(steps);
    });
  }

  for (const name of ['', 'example.org', `${key}0`, key.replace('9', 'g')]) {
    it(`refuses the name ${JSON.stringify(name)}`, () => {
      expect(shake(greeting, request(name)).at(-1)).to.match(/^failed 050200/);
    });
  }
});
