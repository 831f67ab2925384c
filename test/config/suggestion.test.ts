import { expect } from 'chai';
import { suggestion } from '../../src/config/suggestion.ts';

describe('suggestion', () => {
  const words = ['domains', 'dataDir', 'listen', 'log', 'limits'];
  const cases: [word: string, meant: string | undefined][] = [
    ['domain', 'domains'],
    ['domians', 'domains'],
    ['datadir', 'dataDir'],
    ['listne', 'listen'],
    ['limit', 'limits'],
    ['lgo', 'log'],
    ['logging', 'log'],
    ['lo', 'log'],
    ['modules', undefined],
    ['', undefined],
  ];
  for (const [word, meant] of cases) {
    it(`for "${word}" is ${meant}`, () => {
      expect(suggestion(word, words)).to.equal(meant);
    });
  }
});
