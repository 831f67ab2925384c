import { expect } from 'chai';
import { operations } from '../../src/cli/operations.ts';

describe('An operation that commands call', () => {
  for (const [name, { method, path, load }] of Object.entries(operations)) {
    it(`has the name under which the server knows it: ${name}`, async () => {
      const { method: itsMethod, path: itsPath } = await load();
      expect({ method, path }).to.deep.equal({ method: itsMethod, path: itsPath });
    });
  }
});
