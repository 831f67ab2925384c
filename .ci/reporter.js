// Mocha's readable report on the terminal, and its JSON report in the file named by --reporter-option output=FILE.
import Mocha from 'mocha';

export default class Reporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    new Mocha.reporters.JSON(runner, options);
  }
}
