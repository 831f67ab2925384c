import { type DataForm, ReceivedForm } from '../protocol/data-form.ts';
import { parseDateTime } from '../protocol/date-time.ts';
import type { Jid } from '../protocol/jid.ts';
import { jidOrNothing } from '../protocol/jid-or-nothing.ts';
import { ns } from '../protocol/namespaces.ts';
import { type ResultSetRequest, readResultSet } from '../protocol/result-set.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { firstIdAt } from '../storage/ordered-ids.ts';
import { attribute, childElements, type Element, nsOf } from '../xml/element.ts';

/** Messages of a page if the client does not say, and the most of them. */
const usualPage = 50;
const largestPage = 250;
/** Single messages asked for at once. */
const maxIds = 1000;

/** Ids between which messages are wanted, both exclusive. */
interface Bounds {
  readonly afterId: number;
  readonly beforeId: number;
}

/** A query as a client has put it (XEP-0313 §4). */
export interface ArchiveQuery {
  readonly queryId: string | undefined;
  /** Of all messages that match. */
  readonly all: Bounds;
  /** Of those that may be in the page. */
  readonly page: Bounds;
  /** The page is at the beginning of its bounds, or at their end. */
  readonly which: 'first' | 'last';
  /** Nothing that matches comes before the page. */
  readonly isFirstPage: boolean;
  /** The most messages of the page. */
  readonly max: number;
  /** Exchanged with this address; a bare one stands for all its resources. */
  readonly with: Jid | undefined;
  /** Only these, in ascending order. */
  readonly ids: readonly number[] | undefined;
  /** The page goes out with the latest message first. */
  readonly flipped: boolean;
}

/** Reads the id of a message that a client names; undefined if it is none of this archive. */
export type ReadId = (text: string) => number | undefined;

const fields = ['with', 'start', 'end', 'before-id', 'after-id', 'ids', 'include-groupchat'] as const;
type Field = (typeof fields)[number];

const types: Record<Field, 'boolean' | 'jid-single' | 'list-multi' | 'text-single'> = {
  with: 'jid-single',
  start: 'text-single',
  end: 'text-single',
  'before-id': 'text-single',
  'after-id': 'text-single',
  ids: 'list-multi',
  'include-groupchat': 'boolean',
};

/** The form that queries are made with (XEP-0313 §4.1.5). */
export const queryForm: DataForm = {
  type: 'form',
  formType: ns.archive,
  fields: fields.map((name) => ({ var: name, type: types[name], ...(name === 'ids' && { open: true }) })),
};

/** Reads a `<query/>`. Throws StanzaError if it is malformed, asks for something unknown, or names a message that is not in the archive. */
export function readQuery(query: Element, readId: ReadId): ArchiveQuery {
  const form = readForm(query);
  const set = readResultSet(query);
  if (set.index !== undefined) throw StanzaError.featureNotImplemented('pages are found by ids');
  form?.boolean('include-groupchat');
  const all = boundsOf(form, readId);
  return {
    queryId: attribute(query, 'queryid'),
    all,
    page: narrowed(all, idIn(set.after, readId), set.before ? idIn(set.before, readId) : undefined),
    which: whichPage(set),
    isFirstPage: set.after === undefined && set.before === undefined,
    max: Math.min(set.max ?? usualPage, largestPage),
    with: jidIn(form, 'with'),
    ids: idsIn(form, readId),
    flipped: childElements(query).some((child) => child.getName() === 'flip-page' && nsOf(child) === ns.archive),
  };
}

/** All texts of a `<query/>` that should be ids. */
export function idsInQuery(query: Element): readonly string[] {
  const { before, after } = readResultSet(query);
  const form = readForm(query);
  const inForm = (['before-id', 'after-id', 'ids'] as const).flatMap((name) => form?.fields.get(name) ?? []);
  return [before ?? '', after ?? '', ...inForm].filter((text) => text !== '');
}

function readForm(query: Element): ReceivedForm | undefined {
  const element = childElements(query).find((child) => child.getName() === 'x' && nsOf(child) === ns.dataForm);
  if (!element) return undefined;
  const form = ReceivedForm.fromElement(element);
  if (form.type !== 'submit' || form.formType !== ns.archive)
    throw StanzaError.badRequest('not a form of this archive');
  for (const name of form.fields.keys()) {
    const isKnown = name === 'FORM_TYPE' || fields.some((field) => field === name);
    if (!isKnown) throw StanzaError.featureNotImplemented(`the field '${name}' is unknown`);
  }
  return form;
}

function boundsOf(form: ReceivedForm | undefined, readId: ReadId): Bounds {
  const [start, end] = [timeIn(form, 'start'), timeIn(form, 'end')];
  const period: Bounds = {
    afterId: start === undefined ? 0 : firstIdAt(start) - 1,
    beforeId: end === undefined ? Number.POSITIVE_INFINITY : firstIdAt(end + 1),
  };
  return narrowed(period, idIn(form?.text('after-id'), readId), idIn(form?.text('before-id'), readId));
}

function narrowed({ afterId, beforeId }: Bounds, after: number | undefined, before: number | undefined): Bounds {
  return { afterId: Math.max(afterId, after ?? 0), beforeId: Math.min(beforeId, before ?? Number.POSITIVE_INFINITY) };
}

/** XEP-0059 §2.3, §2.5. It does not say what both bounds mean together: they are a range, read from its beginning. */
function whichPage({ after, before }: ResultSetRequest): ArchiveQuery['which'] {
  return before === '' || (before !== undefined && after === undefined) ? 'last' : 'first';
}

function idIn(text: string | undefined, readId: ReadId): number | undefined {
  if (text === undefined) return undefined;
  const id = readId(text);
  if (id === undefined) throw StanzaError.itemNotFound();
  return id;
}

function idsIn(form: ReceivedForm | undefined, readId: ReadId): readonly number[] | undefined {
  const texts = form?.fields.get('ids');
  if (texts === undefined || texts.length === 0) return undefined;
  if (texts.length > maxIds) throw StanzaError.notAcceptable(`more than ${maxIds} ids`);
  const ids = new Set(texts.map((text) => idIn(text, readId)!));
  return [...ids].sort((a, b) => a - b);
}

function timeIn(form: ReceivedForm | undefined, name: 'start' | 'end'): number | undefined {
  const text = form?.text(name);
  if (text === undefined) return undefined;
  const time = parseDateTime(text);
  if (time === undefined) throw StanzaError.badRequest(`'${name}' is not a time`);
  return time;
}

function jidIn(form: ReceivedForm | undefined, name: 'with'): Jid | undefined {
  const text = form?.text(name);
  if (text === undefined) return undefined;
  const jid = jidOrNothing(text);
  if (!jid) throw StanzaError.badRequest(`'${name}' is not an address`);
  return jid;
}
