import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { expect } from 'chai';
import { JsonText } from '../../src/config/json-text.ts';
import { defaultConfig, loadConfig } from '../../src/config/load-config.ts';
import type { Config } from '../../src/config/schema.ts';
import { jsonSchema, keysOf, referenceTables } from './reference.ts';
import { reloadTable } from './reload-table.ts';

const root = join(import.meta.dirname, '../..');
const exampleFile = join(root, 'server.example.json');
const example = JsonText.read(readFileSync(exampleFile, 'utf8')).value as { readonly $schema: string };
const { AMPERE_UPDATE_DOCS } = process.env;

/** Compares a file with what it should hold; with AMPERE_UPDATE_DOCS=1 writes it first. */
function expectFresh(name: string, textFor: (current: string) => string): void {
  const file = join(root, name);
  if (AMPERE_UPDATE_DOCS === '1') writeFileSync(file, textFor(readFileSync(file, 'utf8')));
  const current = readFileSync(file, 'utf8');
  expect(current, `${name} is stale: AMPERE_UPDATE_DOCS=1 npx mocha test/config`).to.equal(textFor(current));
}

function withReference(document: string): string {
  const reload = replaced(
    document,
    ['<!-- reload: generated from the code -->', '<!-- /reload -->'],
    reloadTable(loaded()),
  );
  return replaced(reload, ['<!-- keys: generated from the schema -->', '<!-- /keys -->'], referenceTables());
}

/** The document with another text between two marks. */
function replaced(document: string, [start, end]: readonly [string, string], text: string): string {
  const [before, rest = ''] = document.split(`${start}\n`);
  return `${before}${start}\n\n${text}\n${end}${rest.split(end)[1]}`;
}

/** The example, which has every key. */
function loaded(): Config {
  return loadConfig(exampleFile, {
    TLS_KEY_PASSPHRASE: 'x',
    SMS_COMPONENT_SECRET: 'y',
    TURN_SECRET: 'z',
    TURN_PASSWORD: 'w',
    AMPERE_METRICS_TOKEN: 'v',
  });
}

/** The paths of all keys in a configuration, lists and the keys of maps folded as `keysOf` folds them. */
function pathsIn(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((entry) => pathsIn(entry, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const name = [
      'tls.domains',
      's2s.domains',
      's2s.overrides',
      'components',
      'amp.remoteUnsupported.domains',
    ].includes(path)
      ? '*'
      : key;
    const below = path === '' ? name : `${path}.${name}`;
    return [below, ...pathsIn(member, below)];
  });
}

describe('the documents of the configuration', () => {
  it('docs/server.schema.json is the schema in use', () => {
    expectFresh('docs/server.schema.json', () => `${JSON.stringify(jsonSchema(), null, 2)}\n`);
  });

  it('docs/configuration.md has every key', () => {
    expectFresh('docs/configuration.md', withReference);
  });

  it('docs/limits.md speaks of every limit, with its default', () => {
    const text = readFileSync(join(root, 'docs/limits.md'), 'utf8');
    const keys = keysOf(jsonSchema(), '').filter(
      ({ path, schema }) => path.startsWith('limits.') && !schema.properties,
    );
    const missing = keys.filter(({ path, schema }) => {
      const rows = text.split('\n').filter((line) => line.startsWith(`| \`${path.replace('limits.', '')}\` |`));
      return rows.length !== 1 || !rows[0]?.includes(`| ${schema.default ?? ''}`);
    });
    expect(missing.map(({ path }) => path)).to.deep.equal([]);
  });

  it('every key has a description', () => {
    const silent = keysOf(jsonSchema(), '').filter(({ schema }) => (schema.description ?? '') === '');
    expect(silent.map(({ path }) => path)).to.deep.equal([]);
  });
});

describe('server.example.json', () => {
  it('is valid by the published schema', () => {
    const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(jsonSchema());
    expect(validate(example), JSON.stringify(validate.errors)).to.equal(true);
  });

  it('names the published schema', () => {
    const published = JSON.parse(readFileSync(join(dirname(exampleFile), example.$schema), 'utf8'));
    expect(published.title).to.equal('Configuration of an Ampere server');
  });

  it('shows every key', () => {
    const shown = new Set(pathsIn(example, ''));
    const missing = keysOf(jsonSchema(), '').filter(({ path }) => !shown.has(path));
    expect(missing.map(({ path }) => path)).to.deep.equal([]);
  });

  it('loads, and differs from the default only where it has something to show', () => {
    const shown = loaded();
    const {
      domains,
      administrators,
      dataDir,
      listen,
      components,
      contact,
      externalServices,
      proxy,
      web,
      log,
      tls,
      limits,
      amp,
      s2s,
      registration,
      moderation,
      ...rest
    } = shown;
    const { streamManagement, $schema, ...config } = rest;
    expect(Object.values(components).map(({ secret }) => secret)).to.deep.equal(['y']);
    expect(domains.length).to.be.greaterThan(1);
    expect(administrators).to.deep.equal(['admin@example.org']);
    expect([dataDir, $schema, listen.c2s[0]?.host]).to.deep.equal([
      '/var/lib/ampere',
      './docs/server.schema.json',
      '::',
    ]);
    expect(Object.values(contact).filter((addresses) => addresses.length === 0)).to.deep.equal([]);
    expect(externalServices.map(({ secret, password }) => secret ?? password)).to.deep.equal([undefined, 'z', 'w']);
    expect(proxy).to.deep.equal({ host: 'files.example.org', port: 5000 });
    expect(web).to.deep.equal({
      publicUrl: 'https://example.org',
      uploadUrl: 'https://files.example.org',
      origins: ['*'],
      trustedProxies: ['127.0.0.1', '::1'],
      hstsDays: 365,
      chat: 'everywhere',
      converse: '/usr/share/converse.js/dist',
      console: { enabled: true, networks: ['127.0.0.0/8', '::1', '192.0.2.0/24'] },
      metrics: { enabled: true, token: 'v' },
    });
    expect(log.file).to.equal('/var/log/ampere/ampere.log');
    expect(tls.required).to.equal(true);
    const { questions, ...usualRegistration } = registration;
    expect([questions.length, moderation.blockLists.length]).to.deep.equal([1, 1]);
    expect(defaultConfig().registration).to.deep.include(usualRegistration);
    const { location, ...management } = streamManagement;
    expect(location).to.be.a('string');
    expect(defaultConfig().streamManagement).to.deep.equal(management);
    const { trusted, policies, remoteUnsupported, reportsTo, ...usual } = amp;
    expect(remoteUnsupported.policy).to.equal('bounce');
    expect([trusted.jids.length, trusted.domains.length, policies.length]).to.deep.equal([1, 1, 1]);
    expect(reportsTo).to.equal('admin@example.org');
    expect(defaultConfig().amp).to.deep.include(usual);
    const { allow, deny, domains: rules, overrides, trustedAuthorities, dns, ...usualS2s } = s2s;
    expect([allow?.length, deny.length, Object.keys(rules).length, Object.keys(overrides).length]).to.deep.equal([
      3, 1, 1, 1,
    ]);
    expect([dns.servers.length, trustedAuthorities]).to.deep.equal([2, '/etc/ampere/tls/partners.pem']);
    expect(defaultConfig().s2s).to.deep.include({ ...usualS2s, dns: { ...dns, servers: [] } });
    const { total, outgoing, ...connections } = limits.connections;
    expect([total, outgoing]).to.deep.equal([30_000, 15_000]);
    expect(defaultConfig()).to.deep.include({ ...config, limits: { ...limits, connections } });
  });
});
