// Types for the used part of sax, which has no types of its own.
declare module 'sax' {
  export interface QualifiedAttribute {
    readonly name: string;
    readonly value: string;
    readonly prefix: string;
    readonly local: string;
    readonly uri: string;
  }
  export interface QualifiedTag {
    readonly name: string;
    readonly local: string;
    readonly uri: string;
    /** The bindings in scope; those of outer elements are inherited properties. */
    readonly ns: Readonly<Record<string, string>>;
    readonly attributes: Readonly<Record<string, QualifiedAttribute>>;
  }
  export interface Parser {
    line: number;
    onopentag: (tag: QualifiedTag) => void;
    onclosetag: (name: string) => void;
    ontext: (text: string) => void;
    oncdata: (text: string) => void;
    onerror: (error: Error) => void;
    write(text: string): Parser;
    close(): Parser;
  }
  export function parser(
    strict: boolean,
    options: { readonly xmlns: true; readonly strictEntities: true; readonly position: true },
  ): Parser;
  const sax: { readonly parser: typeof parser };
  export default sax;
}
