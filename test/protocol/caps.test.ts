import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { capsElement, provenTexts, verificationString, verificationText } from '../../src/protocol/caps.ts';
import { type Capabilities, discoInfoElement, readDiscoInfo } from '../../src/protocol/disco.ts';
import { parseElement } from '../../src/xml/parse-element.ts';
import { serialize } from '../../src/xml/serialize.ts';

const exodus: Capabilities = {
  identities: [{ category: 'client', type: 'pc', name: 'Exodus 0.9.1' }],
  features: [
    'http://jabber.org/protocol/muc',
    'http://jabber.org/protocol/disco#items',
    'http://jabber.org/protocol/disco#info',
    'http://jabber.org/protocol/caps',
    'http://jabber.org/protocol/muc',
  ],
};

const psi: Capabilities = {
  identities: [
    { category: 'client', type: 'pc', name: 'Psi 0.11', lang: 'en' },
    { category: 'client', type: 'pc', name: 'Ψ 0.11', lang: 'el' },
  ],
  features: exodus.features,
  forms: [
    {
      type: 'result',
      formType: 'urn:xmpp:dataforms:softwareinfo',
      fields: [
        { var: 'software_version', values: ['0.11'] },
        { var: 'software', values: ['Psi'] },
        { var: 'os_version', values: ['10.5.1'] },
        { var: 'os', values: ['Mac'] },
        { var: 'ip_version', type: 'text-multi', values: ['ipv6', 'ipv4'] },
      ],
    },
  ],
};

describe('entity capabilities (XEP-0115)', () => {
  it('hashes the simple example of §5.2', () => {
    expect(verificationString(exodus)).to.equal('QgayPKawpkPSDYmwT/WM94uAlu0=');
  });

  it('hashes the complex example of §5.3', () => {
    expect(verificationText(psi)).to.equal(
      'client/pc/el/Ψ 0.11<client/pc/en/Psi 0.11<http://jabber.org/protocol/caps<' +
        'http://jabber.org/protocol/disco#info<http://jabber.org/protocol/disco#items<http://jabber.org/protocol/muc<' +
        'urn:xmpp:dataforms:softwareinfo<ip_version<ipv4<ipv6<os<Mac<os_version<10.5.1<software<Psi<software_version<0.11<',
    );
    expect(verificationString(psi)).to.equal('q07IKJEyjvHSyhy//CH0CxmKi8w=');
  });

  it('sorts by bytes, not by UTF-16 units', () => {
    const identities = [{ category: 'server', type: 'im' }];
    expect(verificationText({ identities, features: ['\u{1F600}', '\uFF5E', 'b', 'B'] })).to.equal(
      'server/im//<B<b<\uFF5E<\u{1F600}<',
    );
  });

  it('sorts forms by FORM_TYPE and leaves out those without', () => {
    const form = (formType?: string) => ({
      type: 'result' as const,
      ...(formType === undefined ? {} : { formType }),
      fields: [{ var: 'v', values: [] }],
    });
    const text = verificationText({ identities: [], features: [], forms: [form('b'), form(), form('a')] });
    expect(text).to.equal('a<v<b<v<');
  });

  it('proves the texts that a hash covers, however the answer presents them (§5.4)', () => {
    const caps = { hash: 'sha-1', node: 'urn:n', ver: verificationString(exodus) };
    const [, ...others] = [...exodus.features].sort();
    const identities = [
      ...exodus.identities,
      { category: 'http:', type: '', lang: 'jabber.org', name: 'protocol/caps' },
    ];
    const presentedAnew = { identities, features: others.filter((one) => !one.endsWith('/caps')) };
    for (const capabilities of [exodus, presentedAnew])
      expect(provenTexts(caps, capabilities)).to.include('http://jabber.org/protocol/caps');
    expect(provenTexts(caps, { ...exodus, features: [] })).to.equal(undefined);
    expect(provenTexts({ ...caps, hash: 'md5' }, exodus)).to.equal(undefined);
    expect(provenTexts({ ...caps, hash: undefined }, exodus)).to.equal(undefined);
  });

  it('proves with other hash functions', () => {
    const ver = createHash('sha256').update(verificationText(psi)).digest('base64');
    expect(provenTexts({ hash: 'sha-256', node: 'n', ver }, psi)).to.include('http://jabber.org/protocol/muc');
  });

  it('reads an answer to disco#info so that its hash is the same', () => {
    const read = readDiscoInfo(parseElement(serialize(discoInfoElement(psi))));
    expect(verificationText(read)).to.equal(verificationText(psi));
  });

  it('writes the element', () => {
    expect(serialize(capsElement('https://ampere.example', 'QgayPKawpkPSDYmwT/WM94uAlu0='))).to.equal(
      '<c xmlns="http://jabber.org/protocol/caps" hash="sha-1" node="https://ampere.example" ver="QgayPKawpkPSDYmwT/WM94uAlu0="/>',
    );
  });
});
