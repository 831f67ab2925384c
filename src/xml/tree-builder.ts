import { Element } from './element.ts';
import { Scanner, type ScannerSink } from './scanner.ts';
import type { TextForm } from './source.ts';
import type { StartTag } from './start-tag.ts';

/** Builds a tree from the tags and the text of its scanner. The tree has its own declarations. */
export class TreeBuilder implements ScannerSink {
  readonly scanner = new Scanner(this);
  #root: Element | undefined;
  #open: Element | undefined;

  /** The tree. The caller owns it. */
  take(): Element | undefined {
    const root = this.#root;
    this.#root = undefined;
    this.#open = undefined;
    return root;
  }

  startTag(tag: StartTag, depth: number): void {
    const { scope } = this.scanner;
    const element = new Element(tag.qualifiedName);
    tag.copyAttributes(element.attrs);
    if (depth > 1) this.#open?.append(element);
    else {
      this.#root = element;
      if (scope.defaultNs !== '') element.attrs.xmlns ??= scope.defaultNs;
    }
    this.#open = element;
  }

  endTag(depth: number): void {
    const { borrowed } = this.scanner.scope;
    if (depth === 1 && borrowed !== undefined) {
      for (const [prefix, ns] of borrowed) this.#open!.attrs[`xmlns:${prefix}`] = ns;
    }
    this.#open = this.#open?.parent ?? undefined;
  }

  text(start: number, end: number, form: TextForm): void {
    this.#open?.append(this.scanner.source.text(start, end, form));
  }

  cdata(start: number, end: number): void {
    this.#open?.append(this.scanner.source.cdata(start, end));
  }
}
