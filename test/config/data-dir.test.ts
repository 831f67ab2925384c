import { expect } from 'chai';
import { dataDirIn } from '../../src/config/data-dir.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { temporaryDirectory } from './temporary-directory.ts';

describe('dataDirIn', () => {
  const directory = temporaryDirectory();

  /** The error of a call, as text. */
  async function failure(call: () => unknown): Promise<string> {
    try {
      return `no error, but ${JSON.stringify(await call())}`;
    } catch (error) {
      return String(error);
    }
  }

  for (const text of [
    '{}',
    '{ "dataDir": "./data" }',
    '{ "dataDir": "var/lib" }',
    '{ "dataDir": "../other" }',
    '{ "dataDir": "/srv/ampere/" }',
    '{ /* a comment */ "dataDir": " ", }',
    '{ "dataDir": "one\\u002ftwo" }',
  ]) {
    it(`agrees with the schema on ${text}`, async () => {
      const file = directory.write('server.json', text);
      expect(await dataDirIn(file)).to.equal(loadConfig(file).dataDir);
    });
  }

  for (const text of ['{ "dataDir": "" }', '{ "dataDir": 2 }', '{ "dataDir": null }', '[]', '"data"', 'null']) {
    it(`gives nothing where the schema refuses: ${text}`, async () => {
      const file = directory.write('server.json', text);
      expect(await dataDirIn(file)).to.equal(undefined);
      expect(() => loadConfig(file)).to.throw(file);
    });
  }

  for (const content of ['{ "dataDir": ', '', Buffer.from('{ "dataDir": "\xff" }', 'latin1')]) {
    it(`fails like the schema on ${JSON.stringify(content.toString())}`, async () => {
      const file = directory.write('server.json', content);
      expect(await failure(() => dataDirIn(file)))
        .to.equal(await failure(() => loadConfig(file)))
        .and.match(/^ConfigError/);
    });
  }

  it('does not look at the other keys', async () => {
    const file = directory.write('server.json', '{ "domian": 1, "dataDir": "var" }');
    expect(await dataDirIn(file)).to.equal(directory.path('var'));
    expect(() => loadConfig(file)).to.throw('domian');
  });
});
