import { expect } from 'chai';
import { federationOptions, resolverOptions } from '../../src/config/federation-settings.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { temporaryDirectory } from './temporary-directory.ts';

describe('the settings of federation', () => {
  const directory = temporaryDirectory();
  const config = (s2s: object) => loadConfig(directory.write('server.json', JSON.stringify({ s2s })), {});

  it('have lists of prepared domains, and no list of allowed ones unless there is one', () => {
    const { allow, deny } = federationOptions(config({ deny: ['Spam.Example', '*.BAD.example'] }));
    expect([allow, deny]).to.deep.equal([undefined, ['spam.example', '*.bad.example']]);
    expect(federationOptions(config({ allow: [] })).allow).to.deep.equal([]);
  });

  it('have addresses in place of those of DNS, which may be in private networks', () => {
    const { overrides } = federationOptions(
      config({ overrides: { 'A.example': [{ host: '::1' }, { host: 'b.example', port: 5270, tls: 'direct' }] } }),
    );
    expect([...overrides]).to.deep.equal([
      [
        'a.example',
        [
          { host: '::1', port: 5269, tls: 'starttls', fixed: true },
          { host: 'b.example', port: 5270, tls: 'direct', fixed: true },
        ],
      ],
    ]);
  });

  it('have rules for single domains, with the usual limits where nothing else is said', () => {
    const { domains, limits } = federationOptions(
      config({
        domains: {
          'a.example': { authentication: 'certificate' },
          'b.example': { tlsRequired: false, stanzaBytes: 10_000 },
        },
      }),
    );
    expect(domains.get('a.example')).to.deep.equal({ authentication: 'certificate', limits });
    expect(domains.get('b.example')).to.deep.equal({
      tlsRequired: false,
      limits: { ...limits, xml: { ...limits.xml, maxBytes: 10_000 } },
    });
  });

  it('have the resolvers to ask, and how long', () => {
    const dns = { servers: ['127.0.0.1:5353'], timeoutSeconds: 2, tries: 1 };
    expect(resolverOptions(config({ dns }))).to.deep.equal({ servers: ['127.0.0.1:5353'], timeoutMs: 2000, tries: 1 });
  });
});
