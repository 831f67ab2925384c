import { childNamed, type Element, xml } from '../../xml/element.ts';
import { type DataForm, formElement, ReceivedForm } from '../data-form.ts';
import type { Jid } from '../jid.ts';
import { ns } from '../namespaces.ts';
import { StanzaError } from '../stanza-error.ts';

/** A search among public rooms (XEP-0433 §4.2). */
export interface ChannelSearch {
  /** Each must occur in one of the parts, in lower case; none finds every room. */
  readonly terms: readonly string[];
  readonly inName: boolean;
  readonly inDescription: boolean;
  readonly inAddress: boolean;
  readonly minUsers: number;
  readonly order: 'users' | 'address';
  /** Whether rooms of XEP-0045 are among the wanted types. */
  readonly wantsRooms: boolean;
}

/** A room that was found. */
export interface FoundChannel {
  readonly address: Jid;
  readonly name: string;
  readonly description: string;
  /** A language tag, or ''. */
  readonly language: string;
  /** The number of occupants; absent if strangers may not know it. */
  readonly users?: number | undefined;
  /** Anybody may enter without a password. */
  readonly isOpen: boolean;
  readonly showsJids: boolean;
}

const serviceType = 'xep-0045';
const orders = { users: `{${ns.channelSearchOrder}}nusers`, address: `{${ns.channelSearchOrder}}address` } as const;
const maxQueryBytes = 512;

/** The form of a search (XEP-0433 §4.2.1). */
export function channelSearchForm(): Element {
  const on = { type: 'boolean', values: ['true'] } as const;
  const form: DataForm = {
    type: 'form',
    formType: ns.channelSearchForm,
    fields: [
      { var: 'q', type: 'text-single', label: 'Search for' },
      { var: 'all', type: 'boolean', label: 'List all rooms' },
      { var: 'sinname', label: 'Search in names', ...on },
      { var: 'sindescription', label: 'Search in descriptions', ...on },
      { var: 'sinaddress', label: 'Search in addresses', ...on },
      { var: 'min_users', type: 'text-single', label: 'At least so many occupants', values: ['0'] },
      { var: 'types', type: 'list-multi', label: 'Types', values: [serviceType], options: [{ value: serviceType }] },
      {
        var: 'key',
        type: 'list-single',
        label: 'Order',
        values: [orders.users],
        options: [
          { value: orders.users, label: 'Number of occupants' },
          { value: orders.address, label: 'Address' },
        ],
      },
    ],
  };
  return xml('search', { xmlns: ns.channelSearch }, formElement(form));
}

/** Reads `<search/>`; undefined if it asks for the form. Throws StanzaError (XEP-0433 §4.2.2). */
export function readChannelSearch(search: Element): ChannelSearch | undefined {
  const x = childNamed(search, 'x', ns.dataForm);
  if (!x) return undefined;
  const form = ReceivedForm.fromElement(x);
  const query = form.text('q')?.trim();
  const isAll = form.boolean('all') === true;
  if (query && isAll) throw refused('conflicting-fields', xml('var', {}, 'all'), xml('var', {}, 'q'));
  if (query === undefined && !isAll) throw refused('no-search-conditions');
  const terms = query?.toLowerCase().split(/\s+/u).filter(Boolean) ?? [];
  if (!isAll && (terms.length === 0 || Buffer.byteLength(query ?? '') > maxQueryBytes))
    throw refused('invalid-search-terms');
  // The example of the specification calls the field otherwise than its text.
  const inAddress = form.boolean('sinaddress') ?? form.boolean('sinaddr') ?? true;
  const types = form.fields.get('types') ?? [];
  return {
    terms,
    inName: form.boolean('sinname') ?? true,
    inDescription: form.boolean('sindescription') ?? true,
    inAddress,
    minUsers: minUsersIn(form),
    order: orderIn(form),
    wantsRooms: types.length === 0 || types.includes(serviceType),
  };
}

/** The answer: rooms, and the `<set/>` about their page. */
export function channelsElement(found: readonly FoundChannel[], set: Element): Element {
  return xml('result', { xmlns: ns.channelSearch }, ...found.map(channelElement), set);
}

function channelElement({ address, name, description, language, users, isOpen, showsJids }: FoundChannel): Element {
  const text = (element: string, value: string) => (value === '' ? undefined : xml(element, {}, value));
  return xml(
    'item',
    { address: address.toString() },
    text('name', name || address.local),
    text('description', description),
    text('language', language),
    users === undefined ? undefined : xml('nusers', {}, String(users)),
    xml('service-type', {}, serviceType),
    isOpen ? xml('is-open') : undefined,
    xml('anonymity-mode', {}, showsJids ? `{${ns.channelSearchAnonymity}}none` : 'muc_semianonymous'),
  );
}

function minUsersIn(form: ReceivedForm): number {
  const text = form.text('min_users')?.trim() || '0';
  if (!/^\d{1,9}$/.test(text)) throw StanzaError.badRequest("'min_users' is not a number");
  return Number(text);
}

function orderIn(form: ReceivedForm): ChannelSearch['order'] {
  const key = form.text('key') ?? orders.users;
  if (key === orders.users) return 'users';
  if (key === orders.address) return 'address';
  const extra = xml('invalid-sort-key', { xmlns: ns.channelSearchErrors });
  throw StanzaError.featureNotImplemented('results cannot have this order', { type: 'modify', extra });
}

function refused(condition: string, ...children: readonly Element[]): StanzaError {
  const extra = xml(condition, { xmlns: ns.channelSearchErrors }, ...children);
  return StanzaError.badRequest('this search is not possible', { extra });
}
