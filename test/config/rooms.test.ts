import { expect } from 'chai';
import { configSchema } from '../../src/config/schema.ts';
import { roomDomains } from '../../src/config/stream-options.ts';

describe('The domains of rooms', () => {
  const domainsOf = (written: object) =>
    roomDomains(configSchema({ directory: '/', environment: {} }).parse({ domains: ['a.example'], ...written }));

  it('are below the domains served', () => {
    expect(domainsOf({ domains: ['a.example', 'b.example'] })).to.deep.equal([
      'conference.a.example',
      'conference.b.example',
    ]);
  });

  it('leave a component, a served domain and an IP address alone', () => {
    expect(domainsOf({ components: { 'conference.a.example': { secret: 'x' } } })).to.deep.equal([]);
    expect(domainsOf({ domains: ['a.example', 'conference.a.example'] })).to.deep.equal([
      'conference.conference.a.example',
    ]);
    expect(domainsOf({ domains: ['192.0.2.1', '[::1]'] })).to.deep.equal([]);
  });

  it('are those of the configuration, or none', () => {
    expect(domainsOf({ rooms: { domains: ['chat.example'] } })).to.deep.equal(['chat.example']);
    expect(domainsOf({ rooms: { enabled: false, domains: ['chat.example'] } })).to.deep.equal([]);
  });
});
