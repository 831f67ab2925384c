import type { DataForm } from './data-form.ts';
import { booleanValue, type FieldValues, oneOf, type Spelling, textOfAtMost } from './form-values.ts';
import { ns } from './namespaces.ts';
import { pubsubError } from './pubsub.ts';
import { StanzaError } from './stanza-error.ts';

/** Who may subscribe to a node and retrieve its items (XEP-0060 §4.5); `authorize` is not supported. */
type AccessModel = 'open' | 'presence' | 'roster' | 'whitelist';

/** When a subscriber gets the last item: never, when it subscribes, or also when it comes online. */
type SendLastItem = 'never' | 'on_sub' | 'on_sub_and_presence';

/** How a node behaves (XEP-0060 §16.4.4). */
export interface NodeConfig {
  readonly title: string;
  readonly description: string;
  /** The namespace of its payloads, or another name for what they mean. */
  readonly payloadType: string;
  readonly accessModel: AccessModel;
  /** The roster groups that the access model `roster` lets in. */
  readonly rosterGroups: readonly string[];
  readonly persistItems: boolean;
  /** How many items it keeps; `max` is as many as the server allows. */
  readonly maxItems: number | 'max';
  readonly sendLastItem: SendLastItem;
  readonly deliverNotifications: boolean;
  readonly deliverPayloads: boolean;
  readonly notifyConfig: boolean;
  readonly notifyDelete: boolean;
  readonly notifyRetract: boolean;
}

/** The most items of a node: `max` means this many, and so does a larger number. */
export const maxItemsOfNode = 1000;
/** Bytes of a text in a configuration, and of all its roster groups: every configuration is in memory with its account. */
const maxTextBytes = 1024;

/** The configuration of a node whose creator asks for nothing else (XEP-0163 §5). */
export const defaultNodeConfig: NodeConfig = {
  title: '',
  description: '',
  payloadType: '',
  accessModel: 'presence',
  rosterGroups: [],
  persistItems: true,
  maxItems: 1,
  sendLastItem: 'on_sub_and_presence',
  deliverNotifications: true,
  deliverPayloads: true,
  notifyConfig: false,
  notifyDelete: true,
  notifyRetract: true,
};

type FormField = DataForm['fields'][number];

/** One field of the configuration form. */
interface ConfigField {
  readonly name: string;
  element(config: NodeConfig): FormField;
  /** Whether the configuration has the value that a precondition names, however it is spelled. */
  matches(config: NodeConfig, values: readonly string[]): boolean;
  /** The configuration with another value. Throws `not-acceptable`. */
  changed(config: NodeConfig, values: readonly string[]): NodeConfig;
}

const text = textOfAtMost(maxTextBytes);

const count: Spelling<number | 'max'> = {
  kind: { type: 'text-single' },
  read: ([value = '', ...more]) => {
    if (more.length > 0) return undefined;
    if (value === 'max') return value;
    if (!/^[1-9]\d*$/.test(value)) return undefined;
    return Number(value) >= maxItemsOfNode ? 'max' : Number(value);
  },
  write: (value) => [String(value)],
};

const groups: Spelling<readonly string[]> = {
  kind: { type: 'text-multi' },
  read: (values) => {
    const sorted = [...new Set(values)].sort();
    return Buffer.byteLength(sorted.join('')) > maxTextBytes ? undefined : sorted;
  },
  write: (value) => value,
};

function field<Key extends keyof NodeConfig>(
  key: Key,
  name: string,
  label: string,
  spelling: Spelling<NodeConfig[Key]>,
  refusal = () => StanzaError.notAcceptable(`'pubsub#${name}' cannot have this value`),
): ConfigField {
  const { read, write, kind } = spelling;
  return {
    name: `pubsub#${name}`,
    element: (config) => ({ var: `pubsub#${name}`, ...kind, label, values: write(config[key]) }),
    matches: (config, values) => {
      const value = read(values);
      return value !== undefined && isSame(write(value), write(config[key]));
    },
    changed: (config, values) => {
      const value = read(values);
      if (value === undefined) throw refusal();
      return { ...config, [key]: value };
    },
  };
}

/** A field that has the same value at every node. */
function constant(name: string, label: string, value: string): ConfigField {
  const spelling = oneOf(value);
  const matches = (_: NodeConfig, values: readonly string[]) => spelling.read(values) === value;
  return {
    name: `pubsub#${name}`,
    element: () => ({ var: `pubsub#${name}`, ...spelling.kind, label, values: [value] }),
    matches,
    changed: (config, values) => {
      if (!matches(config, values)) throw StanzaError.notAcceptable(`'pubsub#${name}' is always '${value}'`);
      return config;
    },
  };
}

const accessModels = oneOf<AccessModel>('open', 'presence', 'roster', 'whitelist');
const unsupportedAccess = () => pubsubError('not-acceptable', 'unsupported-access-model');

const fields: readonly ConfigField[] = [
  field('title', 'title', 'Name of the node', text),
  field('description', 'description', 'Description of the node', text),
  field('payloadType', 'type', 'Namespace of the payloads', text),
  field('accessModel', 'access_model', 'Who may subscribe and retrieve items', accessModels, unsupportedAccess),
  field('rosterGroups', 'roster_groups_allowed', 'Roster groups that may subscribe and retrieve items', groups),
  field('persistItems', 'persist_items', 'Keep items', booleanValue),
  field('maxItems', 'max_items', 'How many items to keep', count),
  field(
    'sendLastItem',
    'send_last_published_item',
    'When to send the last item',
    oneOf('never', 'on_sub', 'on_sub_and_presence'),
  ),
  field('deliverNotifications', 'deliver_notifications', 'Send notifications', booleanValue),
  field('deliverPayloads', 'deliver_payloads', 'Send payloads with notifications', booleanValue),
  field('notifyConfig', 'notify_config', 'Notify of a changed configuration', booleanValue),
  field('notifyDelete', 'notify_delete', 'Notify of the deletion of the node', booleanValue),
  field('notifyRetract', 'notify_retract', 'Notify of removed items', booleanValue),
  constant('publish_model', 'Who may publish', 'publishers'),
  constant('notification_type', 'Type of notifications', 'headline'),
  constant('node_type', 'Type of the node', 'leaf'),
];
const byName: ReadonlyMap<string, ConfigField> = new Map(fields.map((one) => [one.name, one]));

/** The form with a configuration (XEP-0060 §8.2.2). */
export function configForm(config: NodeConfig, type: 'form' | 'result'): DataForm {
  return { type, formType: ns.pubsubNodeConfig, fields: fields.map((one) => one.element(config)) };
}

/** The configuration with the values of a form; fields that the form of the server does not have are ignored. Throws `not-acceptable`. */
export function configured(config: NodeConfig, values: FieldValues): NodeConfig {
  let result = config;
  for (const [name, value] of values) result = byName.get(name)?.changed(result, value) ?? result;
  return result;
}

/** Throws `not-acceptable` if there are preconditions about fields that the configuration does not have (XEP-0060 §7.1.5). */
export function checkPreconditionNames(values: FieldValues): void {
  for (const name of values.keys())
    if (name !== 'FORM_TYPE' && !byName.has(name)) throw StanzaError.notAcceptable(`'${name}' is unknown`);
}

/** Whether a configuration has all values of a form (XEP-0060 §7.1.5). They are compared by their meaning: `1` is `true`. */
export function meetsPreconditions(config: NodeConfig, values: FieldValues): boolean {
  for (const [name, value] of values) if (byName.get(name)?.matches(config, value) === false) return false;
  return true;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at]);
}
