import type { Administrator } from '../administration/administration-access.ts';
import type { Html } from '../html/html.ts';
import type { Login } from './logins.ts';
import type { NamedOperation } from './roles.ts';

/** The person who looks at a page, and what that person can do. */
export interface PageContext {
  readonly login: Pick<Login, 'operator' | 'role' | 'formToken'>;
  /** Runs an operation. Rejects with OperationError if the role of the person does not allow it. */
  readonly call: Administrator['call'];
  /** Whether the server has an operation, and the role of the person allows it. */
  readonly may: (operation: NamedOperation) => boolean;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** The fields of a form or of the query. A field that is absent or blank is undefined. */
export class FormFields {
  readonly #parameters: URLSearchParams;

  constructor(parameters: URLSearchParams) {
    this.#parameters = parameters;
  }

  text(name: string): string | undefined {
    return this.#parameters.get(name)?.trim() || undefined;
  }

  /** The text, or an empty one: the operation says what is wrong with that. */
  needed(name: string): string {
    return this.text(name) ?? '';
  }

  all(name: string): string[] {
    return this.#parameters.getAll(name);
  }

  /** A number that is written with digits only. */
  number(name: string): number | undefined {
    const text = this.text(name);
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  }
}

/** The headings under which the navigation lists pages. */
export const pageGroups = ['', 'People', 'Network', 'Messages', 'Server'] as const;

/** A page of the console. */
export interface ConsolePage {
  /** The path after `/console/`; empty for the first page. */
  readonly name: string;
  readonly title: string;
  /** Absent if the navigation does not list it. */
  readonly group?: (typeof pageGroups)[number];
  /** The listed page that it belongs to. */
  readonly within?: string;
  /** Who may use this operation may see the page. */
  readonly operation: NamedOperation;
  /** Modules in `src/browser/console/` that it loads. */
  readonly modules?: readonly string[];
  readonly content: (context: PageContext, query: FormFields) => Promise<Html>;
}

/** What a form of the console does. */
export interface ConsoleAction {
  /** The path after `/console/`: a page and a word. */
  readonly path: string;
  /** Who may use this operation may send the form. */
  readonly operation: NamedOperation;
  /** The field with what the person must write again, if the action cannot be taken back. */
  readonly confirm?: string;
  /** The page that follows, with its query. */
  readonly next: (form: FormFields) => string;
  /** Resolves with a sentence for the next page, or with a page of its own. */
  readonly run: (context: PageContext, form: FormFields) => Promise<string | Html>;
}

/** The address of a page with a query. Values that are undefined are left out. */
export function pagePath(name: string, query: Readonly<Record<string, string | number | undefined>> = {}): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) parameters.set(key, String(value));
  const path = name === '' ? '/console' : `/console/${name}`;
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}
