/** What a template takes: markup as it is, texts escaped, lists one after the other, and nothing for undefined and false. */
type HtmlValue = Html | string | number | undefined | false | readonly HtmlValue[];

/** Markup. Only templates make it, so it holds no text that was not escaped. */
export class Html {
  readonly #text: string;

  constructor(strings: TemplateStringsArray, values: readonly HtmlValue[]) {
    this.#text = strings.map((part, index) => part + written(values[index])).join('');
  }

  toString(): string {
    return this.#text;
  }
}

/**
 * A template for HTML that escapes its values. A value may stand where text stands, or as the whole of an attribute in double quotes.
 * Nowhere else, and not in an element whose content is no HTML, such as `<script>`.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings, values);
}

function written(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'object') return value.map(written).join('');
  return String(value).replaceAll(special, (character) => references[character] ?? '');
}

const special = /[&<>"'`]/g;

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};
