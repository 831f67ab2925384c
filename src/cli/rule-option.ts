import type { Argv } from 'yargs';
import type { RuleWords } from '../extensions/amp/operator/message-operations.ts';
import { CommandError, exitCodes } from './exit-codes.ts';

/** Adds the option for rules. It can be repeated, and the order counts. */
export function rulesOption<T>(options: Argv<T>, description: string) {
  return options
    .parserConfiguration({ 'duplicate-arguments-array': true })
    .option('rule', { type: 'string', array: true, requiresArg: true, describe: description });
}

/** Parses a rule such as action=drop,condition=deliver,value=stored. */
export function ruleOption(text: string): RuleWords {
  const words = new Map(
    text.split(',').map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
  );
  const [action, condition, value] = ['action', 'condition', 'value'].map((name) => words.get(name));
  if (words.size === 3 && action !== undefined && condition !== undefined && value !== undefined) {
    return { action, condition, value };
  }
  throw new CommandError(exitCodes.usage, `--rule must be action=…,condition=…,value=…, not ${text}.`);
}
