import { group } from '../cli.ts';
import { ampExplainCommand } from './amp-explain.ts';

/** Adds `amp`, the commands about the rules of messages (XEP-0079). */
export const ampCommand = group('amp', 'Inspect Advanced Message Processing', [ampExplainCommand]);
