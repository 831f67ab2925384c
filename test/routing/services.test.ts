import { expect } from 'chai';
import { type ServiceSource, Services } from '../../src/routing/services.ts';
import { serviceOf } from '../support/service-of.ts';

const service = (domain: string, name?: string) => ({
  ...serviceOf(domain, false, () => {}),
  ...(name !== undefined && { name }),
});

/** A source whose services can be changed. */
class Source implements ServiceSource {
  all: ReturnType<typeof service>[] = [];

  at(domain: string) {
    return this.all.find((one) => one.domain === domain);
  }
}

describe('The services of a server', () => {
  let services: Services;
  let source: Source;

  beforeEach(() => {
    services = new Services((domain) => domain === 'a.example');
    source = new Source();
    services.join(source);
  });

  it('are found by their domains, also those that come later', () => {
    const rooms = service('rooms.a.example');
    services.add(rooms);
    expect(services.at('rooms.a.example')).to.equal(rooms);
    expect(services.at('echo.a.example')).to.equal(undefined);
    source.all = [service('echo.a.example')];
    expect(services.at('echo.a.example')).to.equal(source.all[0]);
  });

  it('are listed below their domain, with their names (XEP-0030 §4.1)', () => {
    services.add(service('rooms.a.example', 'Rooms'));
    services.add(service('elsewhere.example'));
    services.add(service('not-a.example'));
    source.all = [service('echo.a.example')];
    expect(services.itemsOf('a.example')).to.deep.equal([
      { jid: 'rooms.a.example', name: 'Rooms' },
      { jid: 'echo.a.example' },
    ]);
  });

  it('have domains of their own', () => {
    services.add(service('rooms.a.example'));
    source.all = [service('echo.a.example')];
    expect(() => services.add(service('rooms.a.example'))).to.throw('two services have the domain rooms.a.example');
    expect(() => services.add(service('echo.a.example'))).to.throw('two services have the domain echo.a.example');
    expect(() => services.add(service('a.example'))).to.throw('a.example is a domain of accounts');
    expect(() => services.checkFree([service('rooms.a.example')])).to.throw('two services');
    const other = new Source();
    other.all = [service('rooms.a.example')];
    expect(() => services.join(other)).to.throw('two services');
    services.checkFree(source.all);
  });
});
