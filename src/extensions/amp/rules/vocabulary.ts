import { ns } from '../../../protocol/namespaces.ts';
import { type Action, allActions } from './actions.ts';
import { allConditions, type Condition } from './conditions.ts';

/** The enabled actions and conditions, by name. */
export interface Vocabulary {
  readonly actions: ReadonlyMap<string, Action>;
  readonly conditions: ReadonlyMap<string, Condition>;
}

/** All actions and conditions except the disabled ones. */
export function vocabulary(disabled: ReadonlySet<string> = new Set()): Vocabulary {
  return { actions: enabled(allActions, disabled), conditions: enabled(allConditions, disabled) };
}

/** The features of a vocabulary in service discovery, on the domain and at its node (XEP-0079 §2.1.1). */
export function featuresOf({ actions, conditions }: Vocabulary): string[] {
  return [ns.amp, ...[...actions.values(), ...conditions.values()].map(({ feature }) => feature)];
}

function enabled<T extends { readonly name: string }>(all: readonly T[], disabled: ReadonlySet<string>) {
  return new Map(all.filter(({ name }) => !disabled.has(name)).map((word) => [word.name, word] as const));
}
