import { attribute, childElements, type Element, nsOf, textOf, xml } from '../xml/element.ts';
import { ns } from './namespaces.ts';
import { StanzaError } from './stanza-error.ts';

/** The types of a form, XEP-0004 §3.1. */
type FormType = 'cancel' | 'form' | 'result' | 'submit';

/** The types of a field, XEP-0004 §3.3. */
type FieldType =
  | 'boolean'
  | 'fixed'
  | 'hidden'
  | 'jid-multi'
  | 'jid-single'
  | 'list-multi'
  | 'list-single'
  | 'text-multi'
  | 'text-private'
  | 'text-single';

/** One choice of a list field. */
interface FieldOption {
  readonly value: string;
  readonly label?: string;
}

/** One field of a form the server writes. */
interface FormField {
  /** The name. Only a `fixed` field has none. */
  readonly var?: string;
  readonly type?: FieldType;
  readonly label?: string;
  readonly desc?: string;
  readonly required?: boolean;
  readonly values?: readonly string[];
  readonly options?: readonly FieldOption[];
  /** A list that takes other values than its options, XEP-0122 §3.2.3. */
  readonly open?: boolean;
}

/** A form the server writes. */
export interface DataForm {
  readonly type: FormType;
  /** The value of the hidden field FORM_TYPE, which goes first, XEP-0068 §3.1. */
  readonly formType?: string;
  readonly title?: string;
  readonly instructions?: string;
  readonly fields: readonly FormField[];
}

function fieldElement(field: FormField): Element {
  const options = field.options ?? [];
  return xml(
    'field',
    { var: field.var, type: field.type, label: field.label },
    field.desc === undefined ? undefined : xml('desc', {}, field.desc),
    field.required === true ? xml('required') : undefined,
    field.open === true ? openElement() : undefined,
    ...(field.values ?? []).map((value) => xml('value', {}, value)),
    ...options.map(({ value, label }) => xml('option', { label }, xml('value', {}, value))),
  );
}

function openElement(): Element {
  return xml('validate', { xmlns: ns.dataValidate, datatype: 'xs:string' }, xml('open'));
}

/** The `<x/>` of a form, XEP-0004 §3. */
export function formElement(form: DataForm): Element {
  const { formType, title, instructions } = form;
  // Fields of a submitted form have names, and no types or labels.
  const hidden = form.type === 'submit' ? {} : { type: 'hidden' as const };
  return xml(
    'x',
    { xmlns: ns.dataForm, type: form.type },
    title === undefined ? undefined : xml('title', {}, title),
    instructions === undefined ? undefined : xml('instructions', {}, instructions),
    formType === undefined ? undefined : fieldElement({ var: 'FORM_TYPE', ...hidden, values: [formType] }),
    ...form.fields.map(fieldElement),
  );
}

const formTypes: ReadonlySet<string> = new Set<FormType>(['cancel', 'form', 'result', 'submit']);

function isFormType(text: string | undefined): text is FormType {
  return text !== undefined && formTypes.has(text);
}

function named(parent: Element, name: string): Element[] {
  return childElements(parent).filter((child) => child.getName() === name && nsOf(child) === ns.dataForm);
}

function readFields(form: Element): Map<string, readonly string[]> {
  const fields = new Map<string, readonly string[]>();
  for (const field of named(form, 'field')) {
    const name = attribute(field, 'var');
    if (name === undefined && attribute(field, 'type') === 'fixed') continue;
    if (name === undefined) throw StanzaError.badRequest("a form field needs a 'var'");
    if (fields.has(name)) throw StanzaError.badRequest('a form field occurs twice');
    fields.set(name, named(field, 'value').map(textOf));
  }
  return fields;
}

/** A received form: its fields by name, with checks that throw `bad-request`. */
export class ReceivedForm {
  readonly type: FormType;
  readonly fields: ReadonlyMap<string, readonly string[]>;

  constructor(type: FormType, fields: ReadonlyMap<string, readonly string[]>) {
    this.type = type;
    this.fields = fields;
  }

  /** Reads an `<x/>` strictly: known type, each field named and once, XEP-0004 §3. */
  static fromElement(element: Element): ReceivedForm {
    if (element.getName() !== 'x' || nsOf(element) !== ns.dataForm)
      throw StanzaError.badRequest('expected a data form');
    const type = attribute(element, 'type');
    if (!isFormType(type)) throw StanzaError.badRequest("unknown form 'type'");
    return new ReceivedForm(type, readFields(element));
  }

  /** The value of FORM_TYPE, XEP-0068 §3.1. */
  get formType(): string | undefined {
    return this.text('FORM_TYPE');
  }

  /** The one value of a field. Undefined if the field is missing or has no value. */
  text(name: string): string | undefined {
    const values = this.fields.get(name);
    if (values !== undefined && values.length > 1) throw StanzaError.badRequest(`'${name}' must have only one value`);
    return values?.[0];
  }

  /** The value of a boolean field in either spelling, XEP-0004 §3.3. */
  boolean(name: string): boolean | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (value === '1' || value === 'true') return true;
    if (value === '0' || value === 'false') return false;
    throw StanzaError.badRequest(`'${name}' must be true or false`);
  }
}
