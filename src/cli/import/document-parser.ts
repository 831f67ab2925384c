import sax, { type Parser, type QualifiedTag } from 'sax';
import { Element } from '../../xml/element.ts';

/** Takes the pieces of a document, until one is not valid. */
interface DocumentHandlers {
  opened(tag: QualifiedTag): void;
  closed(): void;
  text(text: string): void;
}

/** A file that is not what it should be. */
export class PortableFormatError extends Error {
  readonly code = 'format';

  constructor(message: string) {
    super(message);
    this.name = 'PortableFormatError';
  }
}

/** Parses a document that comes in pieces. */
export class DocumentParser {
  readonly #parser: Parser = sax.parser(true, { xmlns: true, strictEntities: true, position: true });
  #error: Error | undefined;

  constructor(handlers: DocumentHandlers) {
    const valid =
      <Args extends unknown[]>(handle: (...args: Args) => void) =>
      (...args: Args) => {
        if (!this.#error) handle(...args);
      };
    this.#parser.onopentag = valid((tag) => handlers.opened(tag));
    this.#parser.onclosetag = valid(() => handlers.closed());
    this.#parser.ontext = valid((text) => handlers.text(text));
    this.#parser.oncdata = valid((text) => handlers.text(text));
    this.#parser.onerror = (error) => {
      this.#error ??= error;
    };
  }

  /** The line that is being read. */
  get line(): number {
    return this.#parser.line + 1;
  }

  /** Reads more text. Throws `PortableFormatError`. */
  write(text: string): void {
    this.#parser.write(text);
    this.#check();
  }

  /** The document ends here. Throws `PortableFormatError` if it is incomplete. */
  close(): void {
    this.#parser.close();
    this.#check();
  }

  #check(): void {
    if (this.#error) throw new PortableFormatError(complaint(this.#error));
  }
}

/** An element without its content. */
export function emptyElement({ name, attributes }: QualifiedTag): Element {
  const element = new Element(name);
  for (const attribute of Object.values(attributes)) element.attrs[attribute.name] = attribute.value;
  return element;
}

/** The parser's message in one line. */
function complaint({ message }: Error): string {
  const [what = '', line = ''] = message.split('\n');
  const number = Number(line.replace(/^Line: /, ''));
  return Number.isInteger(number) && line !== '' ? `line ${number + 1}: ${what}` : message.replaceAll('\n', ' ');
}
