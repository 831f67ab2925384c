import { expect } from 'chai';
import { configSchema } from '../../src/config/schema.ts';
import { secretKeys, shownConfig } from '../../src/config/shown-config.ts';
import { type JsonSchema, jsonSchema, keysOf } from './reference.ts';

/** A value that may come from the environment or a file is a secret. */
const isSecret = ({ anyOf = [] }: JsonSchema) => anyOf.some(({ properties }) => properties?.['env'] !== undefined);

describe('the configuration for operators', () => {
  it('knows every key that holds a secret', () => {
    const secrets = keysOf(jsonSchema(), '').filter(({ schema }) => isSecret(schema));
    expect(secrets.map(({ path }) => path)).to.include('components.*.secret');
    const unknown = secrets.filter(({ path }) => !secretKeys.has(path.replace(/^.*\./, '')));
    expect(unknown.map(({ path }) => path)).to.deep.equal([]);
  });

  it('hides secrets, and shows all else', () => {
    const config = configSchema({ directory: '/', environment: {} }).parse({
      components: { 'gate.example': { secret: 'sesame' } },
      web: { metrics: { token: 'sesame' } },
    });
    const shown = JSON.stringify(shownConfig(config));
    expect(shown).not.to.contain('sesame');
    expect(shownConfig(config)).to.deep.include({ domains: ['localhost'] });
    expect(shown).to.contain('"secret":"(hidden)"').and.to.contain('"token":"(hidden)"');
  });
});
