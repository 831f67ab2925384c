import { expect } from 'chai';
import { comesFromThisMachine, isLoopbackRequest } from '../../../src/web/http/local-request.ts';

describe('A request from this machine', () => {
  const cases: readonly (readonly [
    what: string,
    address: string,
    headers: Readonly<Record<string, string>>,
    isLocal: boolean,
    isNamed: boolean,
  ])[] = [
    ['to localhost', '127.0.0.1', { host: 'localhost:5280' }, true, true],
    ['to its address', '127.0.0.1', { host: '127.0.0.1:5280' }, true, true],
    ['to its IPv6 address', '::1', { host: '[::1]:5280' }, true, true],
    ['in capitals, to the usual port', '127.0.0.2', { host: 'LocalHost' }, true, true],
    ['on a socket for both versions of IP', '::ffff:127.0.0.1', { host: 'localhost' }, true, true],
    ['of a page whose name leads here', '127.0.0.1', { host: 'rebound.example:5280' }, true, false],
    ['to a name that begins like ours', '127.0.0.1', { host: 'localhost.example' }, true, false],
    ['without a name', '127.0.0.1', {}, true, false],
    ['from another machine', '192.0.2.1', { host: 'localhost' }, false, false],
    ...['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'].map(
      (name) =>
        [`through a proxy with ${name}`, '127.0.0.1', { host: 'localhost', [name]: 'x' }, false, false] as const,
    ),
  ];
  for (const [what, remoteAddress, headers, isLocal, isNamed] of cases)
    it(`${what}: ${isLocal ? 'local' : 'not local'}${isNamed ? ', and nothing else can be meant' : ''}`, () => {
      expect(comesFromThisMachine({ remoteAddress, headers })).to.equal(isLocal);
      expect(isLoopbackRequest({ remoteAddress, headers })).to.equal(isNamed);
    });
});
