import { expect } from 'chai';
import { RecipeStage } from './recipe-stage.ts';
import { recipesOf } from './recipes.ts';

const recipes = recipesOf('amp.md');

describe('the recipes of docs/amp.md (XEP-0079)', () => {
  it('are a dozen or more, and each does something', () => {
    expect(recipes).to.have.length.above(11);
    for (const { title, steps } of recipes) expect(steps, title).to.have.length.above(1);
  });

  for (const recipe of recipes) {
    it(recipe.title, () => new RecipeStage(recipe).play());
  }
});
