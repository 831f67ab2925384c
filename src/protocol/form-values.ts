import type { DataForm } from './data-form.ts';

type FormField = DataForm['fields'][number];

/** The fields of a form that somebody sent: values by name. */
export type FieldValues = ReadonlyMap<string, readonly string[]>;

/** How a value is written in a form. `read` returns nothing for values that it does not understand. */
export interface Spelling<Value> {
  readonly kind: Pick<FormField, 'type' | 'options'>;
  read(values: readonly string[]): Value | undefined;
  write(value: Value): readonly string[];
}

/** A text of one line. */
export function textOfAtMost(maxBytes: number, type: 'text-single' | 'text-private' = 'text-single'): Spelling<string> {
  return {
    kind: { type },
    read: ([value = '', ...more]) => (more.length > 0 || Buffer.byteLength(value) > maxBytes ? undefined : value),
    write: (value) => [value],
  };
}

/** Either spelling of a boolean (XEP-0004 §3.3). */
export const booleanValue: Spelling<boolean> = {
  kind: { type: 'boolean' },
  read: ([value, ...more]) => {
    if (more.length > 0) return undefined;
    if (value === '1' || value === 'true') return true;
    return value === '0' || value === 'false' ? false : undefined;
  },
  write: (value) => [value ? '1' : '0'],
};

/** One of some values. */
export function oneOf<Value extends string>(...choices: readonly Value[]): Spelling<Value> {
  return {
    kind: { type: 'list-single', options: choices.map((value) => ({ value })) },
    read: ([value, ...more]) => (more.length > 0 ? undefined : choices.find((one) => one === value)),
    write: (value) => [value],
  };
}

/** Any number of some values, in the order in which they are named here. */
export function someOf<Value extends string>(...choices: readonly Value[]): Spelling<readonly Value[]> {
  return {
    kind: { type: 'list-multi', options: choices.map((value) => ({ value })) },
    read: (values) => {
      const isKnown = values.every((value) => choices.some((one) => one === value));
      return isKnown ? choices.filter((one) => values.includes(one)) : undefined;
    },
    write: (value) => value,
  };
}
