import { expect } from 'chai';
import { ConfigError } from '../../src/config/config-error.ts';
import {
  addressesFor,
  forEachListener,
  type ListenerKind,
  listenerKinds,
  listenersInUse,
} from '../../src/config/listener-kinds.ts';
import { defaultConfig, loadConfig } from '../../src/config/load-config.ts';
import { listenSchema } from '../../src/config/schema.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A kind that no server has: what a new line of the table brings with it. */
const trial: ListenerKind = {
  label: 'Trial',
  serves: 'servers',
  tls: 'direct',
  port: 7000,
  byDefault: true,
  needed: false,
  description: 'A trial.',
};
const kinds = { ...listenerKinds, trial };
const here = { host: '127.0.0.1', port: 7001, optional: false };

describe('The kinds of listeners', () => {
  const directory = temporaryDirectory();

  it('are the keys of listen, with their usual ports on loopback', () => {
    const expected = forEachListener(listenerKinds, ({ byDefault, port }) =>
      byDefault ? ['127.0.0.1', '::1'].map((host) => ({ host, port, optional: true })) : [],
    );
    expect(defaultConfig().listen).to.deep.equal(expected);
  });

  it('gain a key and its default by one line', () => {
    expect(listenSchema(kinds).parse({})).to.have.deep.property('trial', [
      { host: '127.0.0.1', port: 7000, optional: true },
      { host: '::1', port: 7000, optional: true },
    ]);
    expect(listenSchema(kinds).parse({ trial: [here] })).to.have.deep.property('trial', [here]);
    expect(listenSchema(kinds).safeParse({ trail: [here] }).success).to.equal(false);
  });

  it('are used by those the configuration has a use for', () => {
    const listen = { trial: [here], components: [here] };
    const used = (enabled: boolean, components: object) =>
      listenersInUse({ listen, s2s: { enabled }, components: { ...components } }, kinds)
        .filter(({ addresses }) => addresses.length > 0)
        .map(({ kind }) => kind.label);
    expect(used(true, {})).to.deep.equal(['Trial']);
    expect(used(false, {})).to.deep.equal([]);
    expect(used(false, { 'sms.example.org': {} })).to.deep.equal(['Components']);
    expect(addressesFor({ ...defaultConfig(), s2s: { enabled: false } }, 'servers')).to.deep.equal([]);
  });

  it('never share an address', () => {
    const file = directory.write(
      'server.json',
      JSON.stringify({ listen: forEachListener(listenerKinds, () => [here]) }),
    );
    const names = Object.keys(listenerKinds);
    expect(() => loadConfig(file))
      .to.throw(ConfigError)
      .with.property('problems')
      .that.has.lengthOf(names.length - 1);
  });
});
