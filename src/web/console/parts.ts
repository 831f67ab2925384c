import { OperationError } from '../../routing/operation-error.ts';
import { type Html, html } from '../html/html.ts';
import { type ConsoleAction, type FormFields, type PageContext, pagePath } from './page.ts';

/** What a template can show. */
type Shown = Html | string | number | undefined;

/** A form that sends an action. */
interface ActionForm {
  /** Fields that the person does not see. */
  readonly hidden?: Readonly<Record<string, string | number>>;
  readonly fields?: Html;
  readonly label: string;
  /** `danger`: the change cannot be taken back. */
  readonly kind?: 'danger' | 'second' | 'small';
}

/** A form for an action, or nothing if the person may not use it. */
export function actionForm(context: PageContext, { path, operation }: ConsoleAction, form: ActionForm): Html {
  if (!context.may(operation)) return html``;
  const { hidden = {}, fields, label, kind } = form;
  const inputs = Object.entries(hidden).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return html`<form method="post" action="/console/${path}" class="action">
<input type="hidden" name="form" value="${context.login.formToken(path)}">${inputs}${fields}
<button class="${kind ?? ''}">${label}</button></form>`;
}

/** The form for an action in the row of a table: a button. */
export function rowForm(
  context: PageContext,
  action: ConsoleAction,
  hidden: ActionForm['hidden'],
  label: string,
): Html {
  return actionForm(context, action, { ...(hidden && { hidden }), label, kind: 'small' });
}

/** A form for an action that must be confirmed. */
interface ConfirmedForm extends ActionForm {
  readonly hidden: Readonly<Record<string, string>>;
  /** What opens the form. */
  readonly summary: string;
  readonly warning: string;
}

/** The form for such an action, closed at first. */
export function confirmedForm(context: PageContext, action: ConsoleAction, form: ConfirmedForm): Html {
  if (!context.may(action.operation)) return html``;
  const { summary, warning, hidden } = form;
  const word = hidden[action.confirm ?? ''] ?? '';
  const confirmation = field('confirm', `To confirm, write ${word}`, { required: true });
  const fields = html`${form.fields}${confirmation}`;
  return html`<details class="confirm"><summary>${summary}</summary><p>${warning}</p>
${actionForm(context, action, { ...form, fields, kind: 'danger' })}</details>`;
}

/** The number in a field, or undefined if the field is empty. Throws `invalid` if it holds something else. */
export function wholeNumber(form: FormFields, name: string): number | undefined {
  const number = form.number(name);
  if (number !== undefined || form.text(name) === undefined) return number;
  throw new OperationError('invalid', `"${name}" must be a whole number.`);
}

/** How a field is shown. */
interface FieldOptions {
  readonly type?: 'text' | 'number' | 'search';
  readonly value?: string | undefined;
  readonly hint?: string;
  readonly required?: boolean;
  readonly placeholder?: string;
}

/** A field of one line, with its label. */
export function field(name: string, label: string, options: FieldOptions = {}): Html {
  const { type = 'text', value = '', hint, required, placeholder = '' } = options;
  return html`<label class="field"><span>${label}</span>
<input name="${name}" type="${type}" value="${value}" placeholder="${placeholder}" spellcheck="false" autocapitalize="none" autocomplete="off"${required && html` required`}>
${hint && html`<small>${hint}</small>`}</label>`;
}

/** A field of several lines. */
export function textArea(name: string, label: string, value = '', hint?: string): Html {
  return html`<label class="field"><span>${label}</span>
<textarea name="${name}" rows="5" spellcheck="false">${value}</textarea>
${hint && html`<small>${hint}</small>`}</label>`;
}

/** A choice from a list. */
export function choice(
  name: string,
  label: string,
  values: readonly (readonly [value: string, text: string])[],
  chosen = '',
): Html {
  const options = values.map(
    ([value, text]) => html`<option value="${value}"${value === chosen && html` selected`}>${text}</option>`,
  );
  return html`<label class="field"><span>${label}</span><select name="${name}">${options}</select></label>`;
}

/** A field that is on or off. */
export function checkbox(name: string, value: string, label: string, checked = false): Html {
  return html`<label class="check"><input type="checkbox" name="${name}" value="${value}"${checked && html` checked`}> ${label}</label>`;
}

/** A form that only looks something up. */
export function lookUpForm(path: string, fields: Html, label: string): Html {
  return html`<form method="get" action="${path}" class="look-up">${fields}<button class="second">${label}</button></form>`;
}

/** A table, or a sentence if it has no rows. On a phone, each cell stands behind the name of its column. */
export function table(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly Shown[])[],
  none: string,
): Html {
  if (rows.length === 0) return html`<p class="none">${none}</p>`;
  const heading = (column: string) => (column === '' ? html`<span class="unseen">Actions</span>` : column);
  const cell = (shown: Shown, index: number) =>
    String(shown ?? '') === ''
      ? html`<td></td>`
      : html`<td data-column="${columns[index] ?? ''}"><div>${shown}</div></td>`;
  return html`<div class="scroll" role="region" aria-label="${title}" tabindex="0"><table>
<thead><tr>${columns.map((column) => html`<th scope="col">${heading(column)}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody>
</table></div>`;
}

/** Names and values, one below the other. */
export function facts(entries: readonly (readonly [name: string, value: Shown])[]): Html {
  const known = entries.filter(([, value]) => value !== undefined && value !== '');
  return html`<dl class="facts">${known.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** A part of a page with a heading. */
export function panel(title: string, ...content: readonly (Html | undefined | false)[]): Html {
  return html`<section class="panel"><h2>${title}</h2>${content}</section>`;
}

/** A word about a state. */
export function badge(kind: 'good' | 'bad' | 'warn' | 'plain', text: string): Html {
  return html`<span class="badge ${kind}">${text}</span>`;
}

/** A link within the console. */
export function link(path: string, text: Shown): Html {
  return html`<a href="${path}">${text}</a>`;
}

/** A link to the page of an account. */
export function accountLink(jid: string): Html {
  return link(pagePath('account', { jid }), jid);
}

/** The field in which a person looks an account up. */
export function accountSearch(user: string | undefined): Html {
  return field('user', 'Account', { type: 'search', value: user ?? '', placeholder: 'romeo@example.org' });
}

/** The link to the next page of a list, if this one is full. */
export function nextPage(path: string | undefined): Html {
  return path === undefined ? html`` : html`<p><a class="button second" href="${path}" rel="next">Next page</a></p>`;
}

/** How long something takes, as people say it. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** A size as people write it. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A number with the noun that it counts. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
